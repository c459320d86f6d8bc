import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keccak256, type NodeId } from '#protocol'
import {
  bestOf,
  bucketOf,
  byEfficiency,
  byReferred,
  byUptime,
  byVotes,
  byWarm,
  type Contender,
  compare,
  drawOf,
  lotOf,
  raceOfAll,
  rankKeys,
} from './rank.ts'

const winner = (nodes: readonly Contender[], referred: ReadonlySet<NodeId>, draw: string): Contender | null =>
  nodes[bestOf(raceOfAll(nodes, referred), draw)] ?? null

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
  const order = [byWarm, byReferred, byEfficiency, byVotes, byUptime]
  const cases: [string, (typeof order)[number], Contender, Contender, ReadonlySet<NodeId>][] = [
    ['warm > all below', byWarm, node(1, { unitsPerSecond: 1, votes: 0, uptimeBps: 0 }), node(2, { warm: false }), new Set([id(2)])],
    ['referred > all below', byReferred, node(1, { unitsPerSecond: 1, votes: 0, uptimeBps: 0 }), node(2), referred],
    ['efficiency > votes, uptime', byEfficiency, node(1, { votes: 0, uptimeBps: 0 }), node(2, { unitsPerSecond: 50 }), NONE],
    ['votes > uptime', byVotes, node(1, { uptimeBps: 0 }), node(2, { votes: 50 }), NONE],
    ['uptime last', byUptime, node(1), node(2, { uptimeBps: 5000 }), NONE],
  ]
  test.each(cases)('%s', (_name, decides, better, worse, referredNodes) => {
    const race = raceOfAll([better, worse], referredNodes)
    const at = order.indexOf(decides)
    expect(order.slice(0, at).map(comparator => comparator(race, 0, 1))).toEqual(order.slice(0, at).map(() => 0))
    expect(decides(race, 0, 1)).toBeLessThan(0)
    for (const below of order.slice(at + 1)) expect(below(race, 0, 1), below.name).toBeGreaterThanOrEqual(0)
    for (let i = 0; i < 20; i++) {
      const draw = keccak256(`seed ${i}`)
      expect(winner([better, worse], referredNodes, draw), `seed ${i}`).toBe(better)
      expect(winner([worse, better], referredNodes, draw), `seed ${i}`).toBe(better)
    }
  })
})

describe('rank', () => {
  test('default: nobody is best of nobody', () => {
    expect(winner([], NONE, seed)).toBeNull()
  })

  test('behavior: values within one tenth of the best tie, and then the draw shares the work', () => {
    const near = [node(1, { unitsPerSecond: 1000 }), node(2, { unitsPerSecond: 1000 }), node(3, { unitsPerSecond: 899 })]
    const wins = new Map<NodeId, number>()
    for (let i = 0; i < 300; i++) {
      const { nodeId } = winner(near, NONE, keccak256(`draw ${i}`))!
      wins.set(nodeId, (wins.get(nodeId) ?? 0) + 1)
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
    const digits = [...seed.slice(2)].map((_, at) => `0x${seed.slice(2, 2 + at)}${seed[2 + at] === '0' ? '1' : '0'}${seed.slice(3 + at)}`)
    expect(new Set([seed, ...digits].map(lotOf)).size).toBe(65)
    expect(drawOf(lotOf(seed), lotOf(id(1)))).not.toBe(drawOf(lotOf(seed), lotOf(id(2))))
  })

  test('behavior: equal lots are decided by address, so that the order stays total', () => {
    const seen = new Map<number, NodeId>()
    let pair: [NodeId, NodeId] | null = null
    for (let index = 1; !pair; index++) {
      const nodeId = keccak256(`node ${index}`).slice(0, 42) as NodeId // cast: a prefix of hex is hex
      const twin = seen.get(lotOf(nodeId))
      if (twin !== undefined) pair = twin < nodeId ? [twin, nodeId] : [nodeId, twin]
      seen.set(lotOf(nodeId), nodeId)
    }
    const [first, second] = pair.map(nodeId => ({ ...node(1), nodeId }))
    expect(winner([first!, second!], NONE, seed)).toBe(first)
    expect(winner([second!, first!], NONE, seed)).toBe(first)
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
        expect(winner(shuffledNodes, referred, seed)).toBe(winner(nodes, referred, seed))
      }),
      { numRuns: 500 },
    )
  })

  test('property: no candidate has better keys than the chosen one', () => {
    fc.assert(
      fc.property(fleet, fc.array(fc.nat(39)), (nodes, picks) => {
        const referred = new Set(picks.flatMap(index => nodes[index]?.nodeId ?? []))
        const race = raceOfAll(nodes, referred)
        const best = bestOf(race, seed)
        for (const [row, { nodeId }] of nodes.entries()) expect(compare(race, best, row), nodeId).toBeLessThanOrEqual(0)
      }),
      { numRuns: 500 },
    )
  })

  test('property: the recorded keys say what the comparators say', () => {
    fc.assert(
      fc.property(fleet, fc.array(fc.nat(39)), (nodes, picks) => {
        const race = raceOfAll(nodes, new Set(picks.flatMap(index => nodes[index]?.nodeId ?? [])))
        const order = (a: number[], b: number[]): number =>
          a.map((value, level) => b[level]! - value).find(difference => difference !== 0) ?? 0
        for (const [row, { nodeId }] of nodes.entries()) {
          const [first, other] = [rankKeys(race, 0), rankKeys(race, row)].map(keys => [
            keys.warm,
            keys.referred,
            keys.efficiencyBucket,
            keys.votesBucket,
            keys.uptimeBucket,
          ])
          expect(Math.sign(order(first!, other!)), nodeId).toBe(Math.sign(compare(race, 0, row)))
        }
      }),
      { numRuns: 300 },
    )
  })
})
