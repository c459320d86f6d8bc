import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import pg from 'pg'
import { HeuristError } from '#protocol'
import type { Clock } from '../../clock.ts'
import { translated } from '../errors.ts'
import { type BackupErrorCode, type BackupManifest, type BackupTable, MANIFEST, manifestOf } from './format.ts'

export type BackupOptions = {
  readonly connectionString: string
  /** Made here; must be absent or empty. */
  readonly directory: string
  /** Files to save beside it, for the manifest. */
  readonly beside: readonly string[]
}

const ROWS_PER_FETCH = 2_000

const TABLES = `
select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_version'
group by c.relname order by c.relname`

/**
 * Copies every table as of one moment, while the network runs, and writes the manifest last: a folder without one is no backup.
 * @throws HeuristError BACKUP_EXISTS, DATABASE_UNAVAILABLE
 * @example
 * await createBackup({ connectionString, directory: '/backups/monday', beside: [] }, { clock: systemClock })
 */
export async function createBackup(options: BackupOptions, { clock }: { clock: Clock }): Promise<BackupManifest> {
  const directory = resolve(options.directory)
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new HeuristError<BackupErrorCode>('BACKUP_EXISTS', `${directory} is not empty. Name a new folder; a backup never replaces one.`)
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return translated(async () => {
    const client = new pg.Client({ connectionString: options.connectionString, application_name: 'heurist backup' })
    client.on('error', () => undefined) // The query that waits rejects with the same reason.
    await client.connect()
    try {
      await client.query('begin isolation level repeatable read read only')
      const manifest = await copyAll(client, directory, { createdAtMs: clock.now(), beside: [...options.beside] })
      await client.query('commit')
      await writeManifest(directory, manifest)
      return manifest
    } finally {
      await client.end()
    }
  })
}

async function copyAll(
  client: pg.Client,
  directory: string,
  facts: Pick<BackupManifest, 'createdAtMs' | 'beside'>,
): Promise<BackupManifest> {
  const { rows: versions } = await client.query('select max(version)::integer as version from schema_version')
  const { rows: ledger } = await client.query('select asset, sum(balance)::text as sum from ledger_accounts group by asset order by asset')
  const { rows: found } = await client.query<Pick<BackupTable, 'name' | 'columns'>>(TABLES)
  const tables: BackupTable[] = []
  for (const table of found) tables.push(await copyTable(client, directory, table))
  return manifestOf({ ...facts, schemaVersion: versions[0].version, ledger, tables })
}

async function copyTable(client: pg.Client, directory: string, table: Pick<BackupTable, 'name' | 'columns'>): Promise<BackupTable> {
  const quote = (name: string): string => client.escapeIdentifier(name)
  // Every value as the text that its type writes and reads, so that nothing is rounded or reformatted on the way.
  const values = table.columns.map(column => `${quote(column)}::text`).join(', ')
  await client.query(`declare rows no scroll cursor for select json_build_array(${values})::text as row from ${quote(table.name)}`)
  const file = `${table.name}.jsonl.gz`
  const hash = createHash('sha256')
  let rows = 0
  let bytes = 0
  async function* lines(): AsyncGenerator<string> {
    for (;;) {
      const page = await client.query<{ row: string }>(`fetch ${ROWS_PER_FETCH} from rows`)
      if (page.rows.length === 0) return
      rows += page.rows.length
      yield page.rows.map(({ row }) => `${row}\n`).join('')
    }
  }
  const handle = await open(join(directory, file), 'wx', 0o600)
  try {
    await pipeline(lines, createGzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
        await handle.writeFile(chunk)
      }
    })
    await handle.sync()
  } finally {
    await handle.close()
  }
  await client.query('close rows')
  return { ...table, rows, file, bytes, sha256: hash.digest('hex') }
}

async function writeManifest(directory: string, manifest: BackupManifest): Promise<void> {
  const partial = join(directory, `${MANIFEST}.partial`)
  await rm(partial, { force: true })
  await writeFile(partial, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true })
  await rename(partial, join(directory, MANIFEST))
  for (const folder of [directory, dirname(directory)]) await syncFolder(folder)
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}
