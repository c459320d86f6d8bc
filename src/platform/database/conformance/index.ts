import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../testing/index.ts'
import { eventConformance } from './events.ts'
import { jobConformance } from './jobs.ts'
import { journalConformance } from './journal.ts'
import { ledgerConformance } from './ledger.ts'
import { recordConformance } from './records.ts'

/** What every driver of the database port must do. `serverUrl` absent: the embedded server. */
export function databaseConformance(name: string, serverUrl?: string): void {
  describe(name, () => {
    let subject: TestDatabase
    beforeAll(async () => {
      subject = await createTestDatabase(serverUrl === undefined ? {} : { serverUrl })
    })
    afterAll(() => subject.stop())
    const current = (): TestDatabase => subject

    test('default: it answers', async () => {
      await subject.database.ping()
      expect(await subject.database.batches.last()).toBeNull()
    })
    ledgerConformance(current)
    jobConformance(current)
    recordConformance(current)
    eventConformance(current)
    journalConformance(() => current().database)

    test('behavior: everything is there for the next process', async () => {
      const next = await subject.open()
      expect((await next.ledger.history({ limit: 1 })).length).toBe(1)
      expect((await next.jobs.list({ limit: 1 })).length).toBe(1)
      await next.stop()
      await next.stop()
    })
  })
}
