import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { becomeLeader, type Leadership } from './leader.ts'
import { createTestDatabase, type TestDatabase } from './testing/index.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.stop())

const never = new AbortController().signal
const lead = (name: string, signal = never): Promise<Leadership | null> =>
  becomeLeader({ connectionString: database.connectionString, name, signal }, { clock: systemClock, logger: silentLogger })

/** Ends the backend that holds or awaits the lock, as a crash of its owner would. */
async function cutOff(name: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [`heurist ${name}`])
  await client.end()
}

describe('a leader', () => {
  test('default: there is one; when it lets go, the next one leads', async () => {
    const first = await lead('one')
    let isSecond = false
    const second = lead('one').then(leadership => {
      isSecond = true
      return leadership
    })
    const other = await lead('another thing')
    expect(isSecond).toBe(false)
    await first?.release()
    const next = await second
    expect(isSecond).toBe(true)
    await Promise.all([next?.release(), other?.release()])
  })
  test('behavior: one that is cut off is told, and its successor leads', async () => {
    const first = await lead('cut')
    await cutOff('cut')
    expect(await first?.lost).toMatch(/leader lock/)
    const next = await lead('cut')
    expect(next).not.toBeNull()
    await Promise.all([first?.release(), next?.release()])
  })
  test('behavior: one that is asked to stop while it waits leads no more', async () => {
    const first = await lead('wait')
    const stop = new AbortController()
    const waiting = lead('wait', stop.signal)
    stop.abort()
    expect(await waiting).toBeNull()
    await first?.release()
  })
})
