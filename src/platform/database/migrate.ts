import type pg from 'pg'
import { HeuristError } from '#protocol'
import type { Logger } from '../logger.ts'
import { migrations } from './migrations/index.ts'
import type { DatabaseErrorCode } from './port.ts'

// Any constant of ours: roles that start together wait for one another here.
const MIGRATION_LOCK = 0x48455552

/**
 * Brings the schema to this program's version, each step in its own transaction.
 * @param newest the version to stop at, for the data of an older program
 * @throws HeuristError DATABASE_TOO_NEW when a newer program was here before
 */
export async function migrate(pool: pg.Pool, logger: Logger, newest = migrations.length): Promise<void> {
  const client = await pool.connect()
  try {
    // The common case, a second start, is one read without any lock.
    if ((await currentVersion(client)) === newest) return
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    try {
      await applySteps(client, logger, newest)
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK])
    }
  } finally {
    client.release()
  }
}

async function currentVersion(client: pg.PoolClient): Promise<number> {
  const exists = await client.query(`select to_regclass('schema_version') is not null as found`)
  if (!exists.rows[0].found) return 0
  const { rows } = await client.query('select coalesce(max(version), 0)::integer as version from schema_version')
  return rows[0].version
}

async function applySteps(client: pg.PoolClient, logger: Logger, newest: number): Promise<void> {
  await client.query(
    'create table if not exists schema_version (version integer primary key, name text not null, applied_at timestamptz not null default now())',
  )
  const current = await currentVersion(client)
  if (current > migrations.length) {
    throw new HeuristError<DatabaseErrorCode>(
      'DATABASE_TOO_NEW',
      `The database has schema version ${current}, this program knows up to ${migrations.length}. Run the newer program, or restore a backup made by this one.`,
      { payload: { current, known: migrations.length } },
    )
  }
  for (const step of migrations.slice(current, newest)) {
    await client.query('begin')
    try {
      await client.query(step.sql)
      await client.query('insert into schema_version (version, name) values ($1, $2)', [step.version, step.name])
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      throw error
    }
    logger.info({ version: step.version, name: step.name }, 'database schema step applied')
  }
}
