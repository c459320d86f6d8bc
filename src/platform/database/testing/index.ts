import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import pg from 'pg'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../logger.ts'
import { createDatabase, type DatabaseOptions } from '../database.ts'
import type { Database } from '../port.ts'

/**
 * Real databases for tests. One server serves a whole test run: the first worker that needs it starts it in a process of its own,
 * which ends when the runner has gone. Each test database is a copy of a template that was migrated once (about 30 ms).
 * The server runs without fsync; a test about durability starts its own with `startEmbeddedPostgres`.
 */
export type TestDatabase = {
  readonly connectionString: string
  readonly database: Database
  /** A further client of the same database, as another process would be. Stop it yourself. */
  open(options?: Partial<DatabaseOptions>): Promise<Database>
  /** Runs SQL as the superuser: for looking behind the port and for breaking things on purpose. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Closes everything and drops the database. */
  stop(): Promise<void>
}

export const TEMPLATE_DATABASE = 'heurist_template'

/**
 * @example
 * const test = await createTestDatabase()
 * afterAll(() => test.stop())
 */
export async function createTestDatabase(options: Partial<DatabaseOptions> & { serverUrl?: string } = {}): Promise<TestDatabase> {
  const server = options.serverUrl ?? (await testServerUrl())
  const name = `test_${randomBytes(6).toString('hex')}`
  // A server that was given from outside has no template of ours: there the schema is made step by step.
  const template = options.serverUrl === undefined ? `template ${TEMPLATE_DATABASE}` : ''
  await asSuperuser(server, admin => admin.query(`create database ${name} ${template}`))
  const connectionString = withDatabase(server, name)
  const open = (more: Partial<DatabaseOptions> = {}): Promise<Database> =>
    createDatabase({ connectionString, maxConnections: 4, ...options, ...more }, { logger: silentLogger, clock: systemClock })
  const database = await open()
  return {
    connectionString,
    database,
    open,
    query: (sql, values) =>
      asSuperuser(connectionString, async client => {
        const { rows } = await client.query(sql, values)
        return rows
      }),
    async stop() {
      await database.stop()
      await asSuperuser(server, admin => admin.query(`drop database if exists ${name} with (force)`))
    },
  }
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.toString()
}

export async function asSuperuser<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Address of the server that this test run shares, started when needed. */
export async function testServerUrl(): Promise<string> {
  // Workers are children of the runner; as threads they are in it.
  const runner = isMainThread ? process.ppid : process.pid
  const directory = join(tmpdir(), `heurist-test-postgres-${runner}`)
  const addressFile = join(directory, 'address')
  if (claim(directory)) startHost(directory, runner)
  const untilMs = performance.now() + 60_000
  while (!existsSync(addressFile)) {
    const failure = join(directory, 'failure')
    if (existsSync(failure)) throw new Error(`The test database server did not start: ${readFileSync(failure, 'utf8')}`)
    if (performance.now() > untilMs) throw new Error(`The test database server did not come up in 60 s; remove ${directory} and run again.`)
    await sleep(25)
  }
  return readFileSync(addressFile, 'utf8')
}

/** The first to make the directory starts the server. One left by a killed run of the same number is recognised by its dead host. */
function claim(directory: string): boolean {
  if (existsSync(directory) && isAbandoned(directory)) rmSync(directory, { recursive: true, force: true })
  try {
    mkdirSync(directory, { mode: 0o711 })
    return true
  } catch {
    return false
  }
}

function isAbandoned(directory: string): boolean {
  try {
    return !isAlive(Number(readFileSync(join(directory, 'host'), 'utf8')))
  } catch {
    // Its maker is between two lines, or died there.
    return performance.timeOrigin + performance.now() - statSync(directory).mtimeMs > 10_000
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function startHost(directory: string, runner: number): void {
  const log = openSync(join(directory, 'host.log'), 'a')
  const host = spawn(process.execPath, [fileURLToPath(new URL('./host.ts', import.meta.url)), directory, String(runner)], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  closeSync(log)
  writeFileSync(join(directory, 'host'), String(host.pid))
  host.once('exit', code => {
    // A host that dies before its first line (a broken import) can not say so itself.
    if (code !== 0 && existsSync(directory)) copyFileSync(join(directory, 'host.log'), join(directory, 'failure'))
  })
  host.unref()
}
