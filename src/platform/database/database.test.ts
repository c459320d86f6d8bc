import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from './testing/index.ts'

let subject: TestDatabase
beforeAll(async () => {
  subject = await createTestDatabase()
})
afterAll(() => subject.stop())

test('default: a fresh database answers and is empty', async () => {
  await subject.database.ping()
  expect(await subject.database.ledger.totals()).toEqual([])
  expect(await subject.database.jobs.list({ limit: 10 })).toEqual([])
})
