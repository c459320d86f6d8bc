import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keccak256, type NodeId } from '#protocol'
import { addressPrefixOf, createRankList, type RankEntry } from './rank-list.ts'

const ids = Array.from({ length: 2000 }, (_, index): NodeId => keccak256(`node ${index}`).slice(0, 42) as NodeId) // cast: a prefix of hex is hex
const entry = (index: number, rank: number, owner = index % 5): RankEntry => {
  const nodeId = ids[index]!
  return { nodeId, rank, owner: `0x${owner}`, addressPrefix: addressPrefixOf(nodeId) }
}
const inOrder = (entries: Iterable<RankEntry>): RankEntry[] =>
  [...entries].sort((a, b) => b.rank - a.rank || (a.nodeId < b.nodeId ? -1 : 1))

function expectSame(list: ReturnType<typeof createRankList<RankEntry>>, expected: readonly RankEntry[]): void {
  expect(list.size).toBe(expected.length)
  expect(list.owners).toBe(new Set(expected.map(({ owner }) => owner)).size)
  expect(expected.map((_, place) => list.at(place))).toEqual(expected)
  expect(list.at(expected.length)).toBeUndefined()
  const [first] = expected
  expect(list.first()).toEqual(first ? { entry: first, equals: expected.filter(({ rank }) => rank === first.rank).length } : null)
}

describe('rank list', () => {
  test('default: the highest rank first, equals by address', () => {
    const list = createRankList<RankEntry>()
    const entries = [entry(0, 5), entry(1, 9), entry(2, 5), entry(3, 9)]
    for (const item of entries) list.add(item)
    expectSame(list, inOrder(entries))
  })

  test('behavior: addresses with one beginning are told apart', () => {
    const twin = (end: string): RankEntry => {
      const nodeId = `0x${'a'.repeat(38)}${end}` as NodeId // cast: hex
      return { nodeId, rank: 1, owner: null, addressPrefix: addressPrefixOf(nodeId) }
    }
    const entries = [twin('02'), twin('01'), twin('03')]
    const list = createRankList<RankEntry>()
    for (const item of entries) list.add(item)
    expectSame(list, inOrder(entries))
    list.remove(entries[0]!)
    expectSame(list, inOrder(entries.slice(1)))
  })

  test('behavior: thousands come and go in pieces', () => {
    const list = createRankList<RankEntry>()
    const all = ids.map((_, index) => entry(index, index % 7))
    for (const item of all) list.add(item)
    expectSame(list, inOrder(all))
    for (const item of all.slice(0, 1900)) list.remove(item)
    expectSame(list, inOrder(all.slice(1900)))
    for (const item of all.slice(1900)) list.remove(item)
    expectSame(list, [])
  })

  test('error: who is not there can not be removed', () => {
    const list = createRankList<RankEntry>()
    expect(() => list.remove(entry(1, 1))).toThrow('is not in the list')
    list.add(entry(1, 1))
    expect(() => list.remove(entry(1, 2))).toThrow('is not in the list')
  })

  test('property: whatever comes and goes, it equals a sorted array', () => {
    const step = fc.record({ index: fc.nat(600), rank: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), steps => {
        const list = createRankList<RankEntry>()
        const held = new Map<number, RankEntry>()
        for (const { index, rank } of steps) {
          const known = held.get(index)
          if (known) list.remove(known)
          if (known) held.delete(index)
          else held.set(index, entry(index, rank))
          if (!known) list.add(held.get(index)!)
        }
        expectSame(list, inOrder(held.values()))
      }),
      { numRuns: 50 },
    )
  })
})
