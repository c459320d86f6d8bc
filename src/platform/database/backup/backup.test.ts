import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../logger.ts'
import { ASSET, apiKey, batch, failure, jobStart, pod, success, transfer } from '../conformance/fixtures.ts'
import { migrate } from '../migrate.ts'
import { migrations } from '../migrations/index.ts'
import { createPool } from '../pool.ts'
import { asSuperuser, createTestDatabase, type TestDatabase, testServerUrl, withDatabase } from '../testing/index.ts'
import { createBackup, restoreBackup } from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'heurist-backup-'))
let count = 0
const folder = (): string => join(root, `backup-${count++}`)
const backUp = (connectionString: string, directory: string) =>
  createBackup({ connectionString, directory, beside: ['keys/router.json'] }, { clock: systemClock })
const restore = (connectionString: string, directory: string) => restoreBackup({ connectionString, directory }, { logger: silentLogger })

/** Every row of every table as text, sorted: what a backup must bring back. */
async function contentOf({ query }: Pick<TestDatabase, 'query'>): Promise<Record<string, string[]>> {
  const tables = await query(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_version' order by 1`,
  )
  const content: Record<string, string[]> = {}
  for (const { name } of tables)
    content[String(name)] = (await query(`select t::text as row from ${name} t order by 1`)).map(({ row }) => String(row))
  return content
}

async function fill({ database }: TestDatabase): Promise<void> {
  await database.ledger.append([transfer('vault', 'credits:rich', 10n ** 70n)])
  await database.ledger.append([transfer('credits:rich', 'credits:poor', 7n)])
  const weird = 'quote " backslash \\ line\nbreak, tab\t, Grüße 世界 🎉, null-like \\N'
  for (let i = 0; i < 30; i++) await database.jobs.finish(success(jobStart({ model: `${weird} ${i}` })))
  await database.jobs.finish(failure(jobStart(), { errorMessage: weird }))
  await database.jobs.start(jobStart())
  await database.keys.create(apiKey({ name: weird }))
  const [receipt] = await database.batches.unsettled(1)
  await database.batches.form(batch(1), [receipt?.sequence ?? 0])
  await database.pods.put(pod('chat'))
  await database.settings.put('cursor', { text: weird, list: [1, null, { deep: true }] })
}

async function emptyDatabase(): Promise<{ connectionString: string; query: TestDatabase['query']; drop(): Promise<unknown> }> {
  const server = await testServerUrl()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asSuperuser(server, admin => admin.query(`create database ${name}`))
  const connectionString = withDatabase(server, name)
  return {
    connectionString,
    query: (sql, values) => asSuperuser(connectionString, async client => (await client.query(sql, values)).rows),
    drop: () => asSuperuser(server, admin => admin.query(`drop database ${name} with (force)`)),
  }
}

describe('backup', () => {
  let source: TestDatabase
  const good = folder()
  beforeAll(async () => {
    source = await createTestDatabase()
    await fill(source)
    await backUp(source.connectionString, good)
  })
  afterAll(async () => {
    await source.stop()
    rmSync(root, { recursive: true, force: true })
  })

  /** A copy of the good backup with one table's rows changed, and hashes that agree with it. */
  function tampered(table: string, change: (rows: string[][]) => unknown): string {
    const directory = folder()
    const manifest = JSON.parse(readFileSync(join(good, 'manifest.json'), 'utf8'))
    const entry = manifest.tables.find(({ name }: { name: string }) => name === table)
    const rows: string[][] = gunzipSync(readFileSync(join(good, entry.file)))
      .toString()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    change(rows)
    const changed = gzipSync(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    entry.sha256 = createHash('sha256').update(changed).digest('hex')
    entry.rows = rows.length
    copyBackup(directory)
    writeFileSync(join(directory, entry.file), changed)
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest))
    return directory
  }
  function copyBackup(directory: string): void {
    rmSync(directory, { recursive: true, force: true })
    cpSync(good, directory, { recursive: true })
  }

  test('default: every row of every table comes back, and the next process goes on', async () => {
    const target = await emptyDatabase()
    const manifest = await restore(target.connectionString, good)
    expect(manifest).toMatchObject({ beside: ['keys/router.json'], ledger: [{ asset: ASSET, sum: '0' }] })
    expect(await contentOf(target)).toEqual(await contentOf(source))
    expect(manifest.tables.find(({ name }) => name === 'receipts')?.rows).toBe(30)
    await target.drop()
  })

  test('behavior: what is written after a restore gets new numbers, and the laws hold again', async () => {
    const target = await createTestDatabase()
    await restore(target.connectionString, good)
    await target.database.ledger.append([transfer('credits:rich', 'credits:poor', 5n)])
    await target.database.jobs.finish(success())
    expect(await target.database.ledger.balance('credits:poor', ASSET)).toBe(12n)
    expect(await target.database.ledger.balance('credits:rich', ASSET)).toBe(10n ** 70n - 12n)
    await expect(target.database.ledger.append([transfer('credits:poor', 'vault', 13n)])).rejects.toMatchObject({
      code: 'LEDGER_OVERDRAWN',
    })
    await expect(target.query('insert into ledger_postings select 999999, 1, 1')).rejects.toThrow(/sum to zero/)
    await target.stop()
  })

  test('behavior: made while jobs are written, it is one moment', async () => {
    const busy = await createTestDatabase()
    let running = true
    const writing = (async () => {
      for (let i = 0; running; i++) await busy.database.ledger.append([transfer('vault', `earned:node:${i % 7}`, 1n)])
    })()
    const directory = folder()
    await new Promise(resolve => setImmediate(resolve))
    const { ledger } = await backUp(busy.connectionString, directory)
    running = false
    await writing
    expect(ledger.every(({ sum }) => sum === '0')).toBe(true)
    const target = await createTestDatabase()
    await restore(target.connectionString, directory)
    await Promise.all([busy.stop(), target.stop()])
  })

  test('behavior: of an older program: restored into its own schema, then brought up to date', async () => {
    const [old, target] = [await emptyDatabase(), await emptyDatabase()]
    const options = { connectionString: old.connectionString, maxConnections: 1, statementTimeoutMs: 60_000, connectTimeoutMs: 10_000 }
    const pool = createPool(options, silentLogger)
    await migrate(pool, silentLogger, 3)
    await pool.end()
    await old.query(`insert into pods values ('0x01', 1, 'old', '0x02', '{}', '0x03', 1, true)`)
    const directory = folder()
    expect((await backUp(old.connectionString, directory)).schemaVersion).toBe(3)
    await restore(target.connectionString, directory)
    expect(await target.query('select pod_id, name from pods')).toEqual([{ pod_id: '0x01', name: 'old' }])
    expect(await target.query('select max(version) as version from schema_version')).toEqual([{ version: migrations.length }])
    await old.drop()
    await target.drop()
  })

  test('error: a database that holds something is left alone', async () => {
    const before = await contentOf(source)
    await expect(restore(source.connectionString, good)).rejects.toMatchObject({ code: 'RESTORE_NOT_EMPTY' })
    expect(await contentOf(source)).toEqual(before)
    const foreign = await emptyDatabase()
    await foreign.query('create table somebody as select 1 as one')
    await expect(restore(foreign.connectionString, good)).rejects.toThrow(/table somebody has rows/)
    await foreign.drop()
  })

  test('error: a folder that holds something, no backup, an interrupted one, another format', async () => {
    await expect(backUp(source.connectionString, good)).rejects.toMatchObject({ code: 'BACKUP_EXISTS' })
    const target = await emptyDatabase()
    const [interrupted, foreign] = [folder(), folder()]
    copyBackup(interrupted)
    rmSync(join(interrupted, 'manifest.json'))
    copyBackup(foreign)
    writeFileSync(join(foreign, 'manifest.json'), '{"format":"else"}')
    for (const directory of [join(root, 'nowhere'), interrupted, foreign]) {
      await expect(restore(target.connectionString, directory), directory).rejects.toMatchObject({ code: 'BACKUP_UNREADABLE' })
    }
    await target.drop()
  })

  test('error: one flipped bit in any file is found before anything is written', async () => {
    const target = await emptyDatabase()
    const files = readdirSync(good).filter(name => name.endsWith('.gz'))
    expect(files.length).toBeGreaterThan(10)
    for (const file of files) {
      const directory = folder()
      copyBackup(directory)
      const bytes = readFileSync(join(directory, file))
      const at = Math.floor(bytes.length / 2)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(join(directory, file), bytes)
      await expect(restore(target.connectionString, directory), file).rejects.toMatchObject({ code: 'BACKUP_CORRUPT' })
    }
    expect(await contentOf(target)).toEqual({})
    await target.drop()
  })

  test('error: rows that break a law of the ledger, with hashes that agree, are rolled back as a whole', async () => {
    const target = await createTestDatabase()
    const cases: [string, (rows: string[][]) => unknown, RegExp][] = [
      ['ledger_postings', rows => rows.splice(0, 1), /does not sum to zero/],
      ['ledger_postings', rows => rows[0]?.splice(2, 1, '123'), /does not sum to zero/],
      ['ledger_events', rows => rows.splice(0, 1), /no event or no account/],
      ['ledger_accounts', rows => rows[0]?.splice(3, 1, '99'), /not the sum of its postings/],
    ]
    for (const [table, change, reason] of cases) {
      const refused = restore(target.connectionString, tampered(table, change))
      await expect(refused, String(reason)).rejects.toMatchObject({ code: 'BACKUP_CORRUPT', message: expect.stringMatching(reason) })
      expect(Object.values(await contentOf(target)).flat(), String(reason)).toEqual([])
    }
    await restore(target.connectionString, good)
    await target.stop()
  })
})
