import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keccak256, type NodeId } from '#protocol'
import { bestOf, bucketOf, type Contender, compareKeys, drawOf, rankKeys, scaleOf } from './rank.ts'

const NONE: ReadonlySet<NodeId> = new Set()
const seed = keccak256('seed')
const id = (index: number): NodeId => `0x${index.toString(16).padStart(40, '0')}`
const node = (index: number, facts: Partial<Contender> = {}): Contender => ({
  nodeId: id(index),
  warm: true,
  unitsPerSecond: 100,
  votes: 100,
  uptimeBps: 10_000,
  ...facts,
})

describe('rank: each priority decides where the ones above tie', () => {
  // In each pair the loser is better in everything below the priority that decides.
  const referred = new Set([id(1)])
  const cases: [string, Contender, Contender, ReadonlySet<NodeId>][] = [
    ['warm > all below', node(1, { unitsPerSecond: 1, votes: 0, uptimeBps: 0 }), node(2, { warm: false }), new Set([id(2)])],
    ['referred > all below', node(1, { unitsPerSecond: 1, votes: 0, uptimeBps: 0 }), node(2), referred],
    ['efficiency > votes, uptime', node(1, { votes: 0, uptimeBps: 0 }), node(2, { unitsPerSecond: 50 }), NONE],
    ['votes > uptime', node(1, { uptimeBps: 0 }), node(2, { votes: 50 }), NONE],
    ['uptime last', node(1), node(2, { uptimeBps: 5000 }), NONE],
  ]
  test.each(cases)('%s', (_name, winner, loser, referredNodes) => {
    for (let i = 0; i < 20; i++) {
      const draw = keccak256(`seed ${i}`)
      expect(bestOf([winner, loser], referredNodes, draw), `seed ${i}`).toBe(winner)
      expect(bestOf([loser, winner], referredNodes, draw), `seed ${i}`).toBe(winner)
    }
  })
})

describe('rank', () => {
  test('default: nobody is best of nobody', () => {
    expect(bestOf([], NONE, seed)).toBeNull()
  })

  test('behavior: values within one tenth of the best tie, and then the draw shares the work', () => {
    const near = [node(1, { unitsPerSecond: 1000 }), node(2, { unitsPerSecond: 1000 }), node(3, { unitsPerSecond: 899 })]
    const wins = new Map<NodeId, number>()
    for (let i = 0; i < 300; i++) {
      const winner = bestOf(near, NONE, keccak256(`draw ${i}`))!.nodeId
      wins.set(winner, (wins.get(winner) ?? 0) + 1)
    }
    expect(wins.get(id(3))).toBeUndefined()
    expect(wins.get(id(1))).toBeGreaterThan(100)
    expect(wins.get(id(2))).toBeGreaterThan(100)
  })

  test('behavior: buckets are tenths of the best, and all tie when the best is zero', () => {
    expect([0, 99, 100, 500, 999, 1000].map(value => bucketOf(value, 1000))).toEqual([0, 0, 1, 5, 9, 10])
    expect(bucketOf(0, 0)).toBe(0)
  })

  test('behavior: the draw depends on every part of seed and address', () => {
    const base = drawOf(seed, id(1))
    expect(drawOf(keccak256('other'), id(1))).not.toBe(base)
    expect(drawOf(seed, id(2))).not.toBe(base)
    expect(drawOf(seed, `0x${'f'.repeat(8)}${id(1).slice(10)}`)).not.toBe(base)
  })

  const contender = fc
    .record({
      index: fc.integer({ min: 1, max: 0xffff }),
      warm: fc.boolean(),
      unitsPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })),
      votes: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e27, noNaN: true })),
      uptimeBps: fc.integer({ min: 0, max: 10_000 }),
    })
    .map(({ index, ...facts }) => node(index, facts))
  const fleet = fc.uniqueArray(contender, { minLength: 1, maxLength: 40, selector: ({ nodeId }) => nodeId })

  test('property: the order is total: the best does not depend on how the nodes are listed', () => {
    fc.assert(
      fc.property(fleet, fc.array(fc.nat(39)), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (nodes, picks, keys) => {
        const referred = new Set(picks.flatMap(index => nodes[index]?.nodeId ?? []))
        const shuffled = nodes.map(item => ({ item, key: keys.next().value })).sort((a, b) => a.key - b.key)
        const shuffledNodes = shuffled.map(({ item }) => item)
        expect(bestOf(shuffledNodes, referred, seed)).toBe(bestOf(nodes, referred, seed))
      }),
      { numRuns: 500 },
    )
  })

  test('property: no candidate has better keys than the chosen one', () => {
    fc.assert(
      fc.property(fleet, fc.array(fc.nat(39)), (nodes, picks) => {
        const referred = new Set(picks.flatMap(index => nodes[index]?.nodeId ?? []))
        const scale = scaleOf(nodes)
        const keysOf = (candidate: Contender) => rankKeys(candidate, referred.has(candidate.nodeId), scale)
        const best = keysOf(bestOf(nodes, referred, seed)!)
        for (const candidate of nodes) expect(compareKeys(best, keysOf(candidate)), candidate.nodeId).toBeLessThanOrEqual(0)
      }),
      { numRuns: 500 },
    )
  })
})
