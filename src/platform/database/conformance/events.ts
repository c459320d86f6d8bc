import { beforeAll, describe, expect, test } from 'vitest'
import type { IndexedEvent } from '../../chain/port.ts'
import type { Database } from '../port.ts'
import type { TestDatabase } from '../testing/index.ts'
import { address, word } from './fixtures.ts'

const event = (blockNumber: number, logIndex: number, change: Partial<IndexedEvent> = {}): IndexedEvent => ({
  blockNumber,
  logIndex,
  blockHash: word(),
  transactionHash: word(),
  timestampSeconds: 1_800_000_000 + blockNumber,
  contract: 'NodeRegistry',
  name: 'NodeJailed',
  args: { nodeId: String(blockNumber) },
  ...change,
})

export function eventConformance(subject: () => TestDatabase): void {
  let database: Database
  beforeAll(() => {
    database = subject().database
  })

  describe('chain events', () => {
    test('default: a range moves the cursor; a repeat changes nothing; filters narrow', async () => {
      expect(await database.events.cursor()).toBeNull()
      const owner = address()
      const events = [
        event(10, 0),
        event(10, 1, { contract: 'CreditVault', name: 'Deposited', args: { account: owner, amount: '5', list: ['1', { a: true }] } }),
        event(12, 0),
      ]
      const cursor = { from: 13, checkpoints: [{ number: 12, hash: word() }] }
      await database.events.apply({ events, cursor, rewoundTo: null })
      await database.events.apply({ events, cursor, rewoundTo: null })
      expect(await database.events.cursor()).toEqual(cursor)
      expect(await database.events.list({})).toEqual(events)
      expect(await database.events.list({ contract: 'NodeRegistry', newestFirst: true })).toEqual([events[2], events[0]])
      expect(await database.events.list({ args: { account: owner } })).toEqual([events[1]])
      expect(await database.events.list({ names: ['NodeJailed'], fromBlock: 11, limit: 5 })).toEqual([events[2]])
      expect(await database.events.list({ betweenSeconds: [1_800_000_010, 1_800_000_012] })).toEqual([events[0], events[1]])
      expect(await database.events.list({ names: ['Nothing'] })).toEqual([])
    })

    test('behavior: what a re-org took away is gone, with the cursor', async () => {
      const kept = await database.events.list({})
      const lost = [event(20, 0), event(21, 0)]
      await database.events.apply({ events: lost, cursor: { from: 22, checkpoints: [] }, rewoundTo: null })
      const again = event(20, 0, { name: 'NodeUnjailed' })
      await database.events.apply({ events: [], cursor: { from: 20, checkpoints: [] }, rewoundTo: 19 })
      expect(await database.events.list({})).toEqual(kept)
      await database.events.apply({ events: [again], cursor: { from: 21, checkpoints: [] }, rewoundTo: null })
      expect(await database.events.list({ fromBlock: 13 })).toEqual([again])
      expect((await database.events.cursor())?.from).toBe(21)
    })

    test('behavior: many events in one range', async () => {
      const many = Array.from({ length: 5_000 }, (_, index) => event(100 + Math.floor(index / 50), index % 50))
      await database.events.apply({ events: many, cursor: { from: 200, checkpoints: [] }, rewoundTo: null })
      expect(await database.events.list({ fromBlock: 100 })).toHaveLength(5_000)
    })
  })
}
