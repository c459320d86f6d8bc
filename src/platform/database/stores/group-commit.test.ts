import { describe, expect, test } from 'vitest'
import { databaseUnavailable } from '../errors.ts'
import { createGroupCommit, type GroupCommitOptions } from './group-commit.ts'

type Write = (items: readonly number[]) => Promise<(Error | null)[]>

function subject(write: Write, options: Partial<GroupCommitOptions> = {}) {
  const groups: number[][] = []
  let nowMs = 0
  const commit = createGroupCommit<number>(
    { maxGroup: 100, maxFlights: 1, maxQueue: 1_000, patienceMs: 1_000, ...options },
    {
      write: items => {
        groups.push([...items])
        return write(items)
      },
      monotonicMs: () => nowMs,
    },
  )
  return { commit, groups, pass: (ms: number) => (nowMs += ms) }
}
const allDurable: Write = items => Promise.resolve(items.map(() => null))
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('createGroupCommit', () => {
  test('default: callers of one tick share one transaction', async () => {
    const { commit, groups } = subject(allDurable)
    await Promise.all(range(10).map(commit.add))
    expect(groups).toEqual([range(10)])
  })

  test('behavior: whoever comes while a transaction is under way goes with the next one', async () => {
    const gate = Promise.withResolvers<void>()
    const { commit, groups } = subject(async items => {
      await gate.promise
      return items.map(() => null)
    })
    const first = commit.add(1)
    await new Promise(setImmediate)
    const rest = [2, 3, 4].map(commit.add)
    await new Promise(setImmediate)
    expect(groups).toEqual([[1]])
    expect(commit.waiting).toBe(3)
    gate.resolve()
    await Promise.all([first, ...rest])
    expect(groups).toEqual([[1], [2, 3, 4]])
  })

  test('behavior: a group is bounded', async () => {
    const { commit, groups } = subject(allDurable, { maxGroup: 4 })
    await Promise.all(range(10).map(commit.add))
    expect(groups.map(group => group.length)).toEqual([4, 4, 2])
  })

  test('behavior: the bad one of a group fails alone', async () => {
    const { commit } = subject(async items => {
      if (items.includes(7)) throw new Error('poison')
      return items.map(() => null)
    })
    const results = await Promise.allSettled(range(20).map(commit.add))
    expect(results.map(result => result.status)).toEqual(range(20).map(n => (n === 7 ? 'rejected' : 'fulfilled')))
  })

  test('behavior: one item may be refused without failing the transaction', async () => {
    const { commit, groups } = subject(async items => items.map(item => (item === 1 ? new Error('refused') : null)))
    const results = await Promise.allSettled([0, 1, 2].map(commit.add))
    expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(groups).toHaveLength(1)
  })

  test('behavior: through an outage the group is tried again', async () => {
    let failures = 3
    const { commit, groups } = subject(async items => {
      if (failures-- > 0) throw databaseUnavailable(new Error('down'))
      return items.map(() => null)
    })
    await Promise.all(range(3).map(commit.add))
    expect(groups).toEqual([range(3), range(3), range(3), range(3)])
  })

  test('error: an outage beyond the patience is told to the caller', async () => {
    const { commit, pass } = subject(async () => {
      pass(600)
      throw databaseUnavailable(new Error('down'))
    })
    await expect(commit.add(1)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await commit.idle()
  })

  test('error: a full queue refuses at once instead of growing', async () => {
    const { commit } = subject(allDurable, { maxQueue: 2 })
    const results = await Promise.allSettled(range(5).map(commit.add))
    expect(results.map(result => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected'])
  })

  test('behavior: idle waits for everything', async () => {
    const { commit, groups } = subject(allDurable, { maxGroup: 1 })
    await commit.idle()
    const added = range(3).map(commit.add)
    await commit.idle()
    expect(groups).toHaveLength(3)
    await Promise.all(added)
  })
})
