import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createManualClock, type IndexedEvent, type IndexedRange, silentLogger } from '#platform'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { createEventFollower } from './event-follower.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.stop())

const HASH = `0x${'0'.repeat(64)}` as const
const eventAt = (blockNumber: number): IndexedEvent => ({
  blockNumber,
  logIndex: 0,
  blockHash: HASH,
  transactionHash: HASH,
  timestampSeconds: 1,
  contract: 'PodRegistry',
  name: 'PodActivityChanged',
  args: {},
})
const rangeTo = (from: number, events: readonly IndexedEvent[], rewoundTo: number | null = null): IndexedRange =>
  ({ events, cursor: { from, hash: HASH, recent: [] }, rewoundTo }) as unknown as IndexedRange // cast: the cursor's own members are the chain's

describe('an event follower', () => {
  test('default: tells what another process has stored, once, and of blocks that were taken back', async () => {
    const { events } = database.database
    const clock = createManualClock()
    await events.apply(rangeTo(5, [eventAt(3)]))
    const follower = createEventFollower({
      chain: { head: async () => ({ number: 6, hash: HASH, timestampSeconds: 0 }) },
      events,
      clock,
      logger: silentLogger,
    })
    await follower.start()
    const told: (number[] | null)[] = []
    follower.onEvents(stored => told.push(stored?.map(({ blockNumber }) => blockNumber) ?? null))
    const hears = (expected: typeof told): Promise<void> =>
      vi.waitFor(() => {
        clock.advance(500)
        expect(told).toEqual(expected)
      }, 10_000)
    await events.apply(rangeTo(7, [eventAt(6)]))
    await hears([[6]])
    await events.apply(rangeTo(5, [], 4))
    await hears([[6], null])
    follower.stop()
  })
  test('behavior: waits until the other process has caught up with the chain', async () => {
    const { events } = database.database
    const clock = createManualClock()
    await events.apply(rangeTo(5, []))
    const follower = createEventFollower({
      chain: { head: async () => ({ number: 9, hash: HASH, timestampSeconds: 0 }) },
      events,
      clock,
      logger: silentLogger,
    })
    let isThere = false
    const waiting = follower.caughtUp().then(() => {
      isThere = true
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(isThere).toBe(false)
    await events.apply(rangeTo(10, []))
    const timer = setInterval(() => clock.advance(50), 1)
    await waiting
    clearInterval(timer)
    expect(isThere).toBe(true)
  })
})
