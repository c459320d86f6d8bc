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
  MAX_BUCKET,
  type Ranked,
  rankCode,
  rankKeys,
  uptimeBucketOf,
  WARM_CODE,
} from './rank.ts'

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
const ranked = (nodes: readonly Contender[], referred: ReadonlySet<NodeId>): (Ranked & { node: Contender })[] =>
  nodes.map(item => ({ nodeId: item.nodeId, keys: rankKeys(item, referred.has(item.nodeId)), node: item }))
const winner = (nodes: readonly Contender[], referred: ReadonlySet<NodeId>, draw: string): Contender | null =>
  bestOf(ranked(nodes, referred), draw)?.node ?? null

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
    const [a, b] = ranked([better, worse], referredNodes).map(({ keys }) => keys)
    const at = order.indexOf(decides)
    expect(order.slice(0, at).map(comparator => comparator(a!, b!))).toEqual(order.slice(0, at).map(() => 0))
    expect(decides(a!, b!)).toBeLessThan(0)
    for (const below of order.slice(at + 1)) expect(below(a!, b!), below.name).toBeGreaterThanOrEqual(0)
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

  test('behavior: near-equals tie, and then the draw shares the work equally', () => {
    const near = [node(1, { unitsPerSecond: 1000 }), node(2, { unitsPerSecond: 1010 }), node(3, { unitsPerSecond: 700 })]
    expect(bucketOf(1000)).toBe(bucketOf(1010))
    const wins = new Map<NodeId, number>()
    for (let i = 0; i < 400; i++) {
      const { nodeId } = winner(near, NONE, keccak256(`draw ${i}`))!
      wins.set(nodeId, (wins.get(nodeId) ?? 0) + 1)
    }
    expect(wins.get(id(3))).toBeUndefined()
    expect(wins.get(id(1))).toBeGreaterThan(160)
    expect(wins.get(id(2))).toBeGreaterThan(160)
  })

  test('behavior: an outlandish value flattens nobody else', () => {
    const liar = node(9, { unitsPerSecond: 1e300, votes: 1e300 })
    const [fast, slow] = [node(1, { unitsPerSecond: 100 }), node(2, { unitsPerSecond: 50 })]
    expect(winner([liar, fast, slow], NONE, seed)).toBe(liar)
    const [a, b] = ranked([fast, slow, liar], NONE).map(({ keys }) => keys)
    expect(byEfficiency(a!, b!)).toBeLessThan(0)
  })

  test('behavior: a bucket ends where the next value is a tenth less, and both ends of the scale hold', () => {
    expect([-1, 0, 9.9e-7, 1e-6, 1e12, 1e300, Number.POSITIVE_INFINITY].map(bucketOf)).toEqual([0, 0, 0, 1, 394, 400, MAX_BUCKET])
    expect([0, 1, 1000, 1001, 9000, 9001, 10_000].map(uptimeBucketOf)).toEqual([0, 1, 1, 2, 9, 10, 10])
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        expect(bucketOf(low)).toBeLessThanOrEqual(bucketOf(high))
        if (bucketOf(low) === bucketOf(high)) expect(low / high).toBeGreaterThan(0.8999)
        if (bucketOf(high) > bucketOf(low) + 1) expect(low / high).toBeLessThan(0.9001)
      }),
    )
  })

  test('behavior: the draw takes each place equally often, whatever the addresses', () => {
    const counts = new Array<number>(7).fill(0)
    for (let i = 0; i < 7000; i++) counts[drawOf(keccak256(`draw ${i}`), 7)]! += 1
    for (const [place, count] of counts.entries()) expect(Math.abs(count - 1000), `place ${place}`).toBeLessThan(150)
  })

  const contender = fc
    .record({
      index: fc.integer({ min: 1, max: 0xffff }),
      warm: fc.boolean(),
      unitsPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true }), fc.integer({ min: 90, max: 110 })),
      votes: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true })),
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
        const race = ranked(nodes, new Set(picks.flatMap(index => nodes[index]?.nodeId ?? [])))
        const best = bestOf(race, seed)!
        for (const { keys, nodeId } of race) expect(compare(best.keys, keys), nodeId).toBeLessThanOrEqual(0)
      }),
      { numRuns: 500 },
    )
  })

  test('property: codes stand in the order of the comparators, warm ones above the rest', () => {
    fc.assert(
      fc.property(contender, contender, (a, b) => {
        const [x, y] = [rankKeys(a, false), rankKeys(b, false)]
        expect(Math.sign(rankCode(y) - rankCode(x)) + 0).toBe(Math.sign(compare(x, y)) + 0)
        expect(rankCode(x) >= WARM_CODE).toBe(a.warm)
      }),
      { numRuns: 1000 },
    )
    const top = { warm: 1, referred: 1, efficiencyBucket: MAX_BUCKET, votesBucket: MAX_BUCKET, uptimeBucket: 10 }
    expect(rankCode(top)).toBeLessThan(2 ** 30)
  })
})
