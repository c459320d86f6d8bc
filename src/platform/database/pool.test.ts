import { expect, test } from 'vitest'
import { silentLogger } from '../logger.ts'
import { createPool } from './pool.ts'
import { createTestDatabase } from './testing/index.ts'

test('behavior: a connection that breaks while it is taken, between two queries, does not end the process', async () => {
  const database = await createTestDatabase()
  const { connectionString } = database
  const pool = createPool({ connectionString, maxConnections: 1, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000 }, silentLogger)
  try {
    const client = await pool.connect()
    const { rows } = await client.query('select pg_backend_pid() as pid')
    const broken = new Promise<void>(resolve => client.once('end', () => resolve()))
    await database.query('select pg_terminate_backend($1)', [rows[0].pid])
    await broken
    client.release(true)
    // An error without a listener would have failed this run; the pool goes on with another connection.
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  } finally {
    await pool.end()
    await database.stop()
  }
})
