import { createReadStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type pg from 'pg'
import { HeuristError } from '#protocol'
import type { Logger } from '../../logger.ts'
import { translated } from '../errors.ts'
import { migrate } from '../migrate.ts'
import { migrations } from '../migrations/index.ts'
import { createPool } from '../pool.ts'
import type { DatabaseErrorCode } from '../port.ts'
import { type BackupErrorCode, type BackupManifest, type BackupTable, corruptBackup, readBackup } from './format.ts'

export type RestoreOptions = { readonly connectionString: string; readonly directory: string }

const ROWS_PER_INSERT = 1_000
const CHARACTERS_PER_INSERT = 4_000_000
/** One insert of a full group, or one check of the whole ledger, on a slow disk. */
const STATEMENT_TIMEOUT_MS = 3_600_000

const COLUMNS = `
select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attidentity <> '' as identity
from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`

// What the postings' trigger derives and refuses on the way in, checked over the whole.
const LEDGER_CHECKS: readonly (readonly [sql: string, problem: string])[] = [
  [
    `select p.event_sequence::text || ' in ' || a.asset as what from ledger_postings p join ledger_accounts a on a.id = p.account_id
     group by p.event_sequence, a.asset having sum(p.amount) <> 0 limit 1`,
    'a ledger event does not sum to zero (law L1): event',
  ],
  [
    `select p.event_sequence::text as what from ledger_postings p
     where not exists (select from ledger_events e where e.sequence = p.event_sequence)
        or not exists (select from ledger_accounts a where a.id = p.account_id) limit 1`,
    'a posting has no event or no account: event',
  ],
  [
    `select a.account || ' in ' || a.asset as what from ledger_accounts a
     where a.balance <> coalesce((select sum(p.amount) from ledger_postings p where p.account_id = a.id), 0) limit 1`,
    'a balance is not the sum of its postings: account',
  ],
  [
    `select asset as what from ledger_accounts group by asset having sum(balance) <> 0 limit 1`,
    'the ledger does not sum to zero (law L1): asset',
  ],
]

/**
 * Loads a backup into an empty database, in one transaction: everything and sound, or nothing. A backup of an older program is
 * loaded into its own schema, which is then brought up to date.
 * @throws HeuristError BACKUP_UNREADABLE, BACKUP_CORRUPT, RESTORE_NOT_EMPTY, DATABASE_TOO_NEW, DATABASE_UNAVAILABLE
 * @example
 * await restoreBackup({ connectionString, directory: '/backups/monday' }, { logger })
 */
export async function restoreBackup(options: RestoreOptions, { logger }: { logger: Logger }): Promise<BackupManifest> {
  const directory = resolve(options.directory)
  const manifest = await readBackup(directory)
  if (manifest.schemaVersion > migrations.length) {
    throw new HeuristError<DatabaseErrorCode>(
      'DATABASE_TOO_NEW',
      `The backup has schema version ${manifest.schemaVersion}, this program knows up to ${migrations.length}. Restore it with the newer program.`,
    )
  }
  const pool = createPool(
    {
      connectionString: options.connectionString,
      maxConnections: 1,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      connectTimeoutMs: 5_000,
    },
    logger,
  )
  try {
    await translated(async () => {
      await refuseNonEmpty(pool, manifest)
      await migrate(pool, logger, manifest.schemaVersion)
      await inTransaction(pool, client => loadAll(client, directory, manifest))
      await migrate(pool, logger)
      await pool.query('analyze')
    })
    return manifest
  } finally {
    await pool.end()
  }
}

async function refuseNonEmpty(pool: pg.Pool, manifest: BackupManifest): Promise<void> {
  const { rows: tables } = await pool.query<{ name: string }>(`select tablename as name from pg_tables where schemaname = 'public'`)
  for (const { name } of tables) {
    if (name === 'schema_version') {
      const { rows } = await pool.query('select max(version)::integer as version from schema_version')
      // Steps are not taken back: an older backup needs a database that has had none.
      if (rows[0].version !== manifest.schemaVersion) throw notEmpty(`its schema has version ${rows[0].version}`)
      continue
    }
    const { rows } = await pool.query(`select exists (select from "${name.replaceAll('"', '""')}") as filled`)
    if (rows[0].filled) throw notEmpty(`its table ${name} has rows`)
  }
}

function notEmpty(what: string): HeuristError<BackupErrorCode> {
  return new HeuristError<BackupErrorCode>(
    'RESTORE_NOT_EMPTY',
    `The database is not empty: ${what}. Nothing was changed. Restore into a new database, or into a new folder of state (HEURIST_HOME).`,
  )
}

async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await work(client)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

async function loadAll(client: pg.PoolClient, directory: string, manifest: BackupManifest): Promise<void> {
  // The balances come with the accounts; postings in the order of the file would overdraw accounts on the way.
  await client.query('alter table ledger_postings disable trigger ledger_postings_apply')
  for (const table of manifest.tables) await loadTable(client, directory, table)
  for (const [sql, problem] of LEDGER_CHECKS) {
    const { rows } = await client.query<{ what: string }>(sql)
    if (rows[0]) throw corruptBackup(`In the backup ${problem} ${rows[0].what}`)
  }
  await client.query('alter table ledger_postings enable trigger ledger_postings_apply')
}

async function loadTable(client: pg.PoolClient, directory: string, table: BackupTable): Promise<void> {
  const name = client.escapeIdentifier(table.name)
  const { rows: columns } = await client.query<{ name: string; type: string; identity: boolean }>(COLUMNS, [name])
  if (columns.map(column => column.name).join() !== table.columns.join()) throw corruptBackup(`The columns of ${table.name} are other ones`)
  const names = columns.map(column => client.escapeIdentifier(column.name)).join(', ')
  const values = columns.map(({ type }, i) => `(row->>${i})::${type}`).join(', ')
  const insert = `insert into ${name} (${names}) overriding system value select ${values} from json_array_elements($1::json) as row`
  let loaded = 0
  for await (const group of groupsOf(join(directory, table.file))) {
    loaded += (await client.query(insert, [`[${group.join()}]`])).rowCount ?? 0
  }
  if (loaded !== table.rows) throw corruptBackup(`${table.file} has ${loaded} rows, the manifest says ${table.rows}`)
  const identity = columns.find(column => column.identity)
  if (!identity) return
  // The next row must not get a number that was given before.
  const column = client.escapeIdentifier(identity.name)
  await client.query(`select setval(pg_get_serial_sequence($1, $2), max(${column})) from ${name} having max(${column}) is not null`, [
    name,
    identity.name,
  ])
}

async function* groupsOf(path: string): AsyncGenerator<string[]> {
  const unzipped = createReadStream(path).pipe(createGunzip())
  let group: string[] = []
  let characters = 0
  for await (const line of createInterface({ input: unzipped, crlfDelay: Number.POSITIVE_INFINITY })) {
    group.push(line)
    characters += line.length
    if (group.length < ROWS_PER_INSERT && characters < CHARACTERS_PER_INSERT) continue
    yield group
    group = []
    characters = 0
  }
  if (group.length > 0) yield group
}
