import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../logger.ts'
import { startWatchdog, type Watchdog } from '../../watchdog.ts'
import { ASSET, success } from '../conformance/fixtures.ts'
import { createDatabase } from '../database.ts'
import type { Database } from '../port.ts'
import { asSuperuser, isAlive } from '../testing/index.ts'
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './index.ts'

let root: string
let watchdog: Watchdog
const running = new Set<EmbeddedPostgres>()

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'heurist-embedded-'))
  watchdog = startWatchdog()
  await (await start('pristine')).stop()
})
afterAll(async () => {
  await Promise.all([...running].map(server => server.stop()))
  await watchdog.stop()
  rmSync(root, { recursive: true, force: true })
})

async function start(name: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory: join(root, name), ...options }, { logger: silentLogger, watchdog })
  running.add(server)
  return server
}

function connect(server: EmbeddedPostgres, finishPatienceMs = 15_000): Promise<Database> {
  return createDatabase(
    { connectionString: server.connectionString, maxConnections: 4, finishPatienceMs },
    { logger: silentLogger, clock: systemClock },
  )
}

/** A stopped cluster of its own to break. */
function copy(name: string): string {
  cpSync(join(root, 'pristine'), join(root, name), { recursive: true, preserveTimestamps: true })
  const { uid, gid } = statSync(join(root, 'pristine', 'data'))
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', `${uid}:${gid}`, join(root, name, 'data')])
  chmodSync(join(root, name, 'data'), 0o700)
  return join(root, name, 'data')
}

/** Listens on `port` as soon as it is let go. */
async function takePort(port: number): Promise<Server> {
  for (;;) {
    const squatter = createServer().listen(port, '127.0.0.1')
    if (await once(squatter, 'listening').catch(() => null)) return squatter
  }
}

describe('startEmbeddedPostgres', () => {
  test('default: made once, with progress; the second start finds everything', async () => {
    const steps: string[] = []
    const first = await start('fresh', { onProgress: step => steps.push(step) })
    const database = await connect(first)
    const outcome = success()
    await database.jobs.finish(outcome)
    await database.stop()
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)

    const second = await start('fresh', { onProgress: step => steps.push(step) })
    expect(steps).toEqual(['creating', 'starting', 'ready', 'starting', 'ready'])
    const again = await connect(second)
    expect((await again.jobs.get(outcome.start.jobId))?.state).toBe('succeeded')
    await again.stop()
    await second.stop()
  })

  test('behavior: commits are synchronous, only loopback listens, and only with the password', async () => {
    const server = await start('pristine')
    const shown = await asSuperuser(server.connectionString, async client => {
      const { rows } = await client.query(`select name, setting from pg_settings where name = any($1)`, [
        ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses', 'unix_socket_directories'],
      ])
      return Object.fromEntries(rows.map(row => [row.name, row.setting]))
    })
    const on = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', data_checksums: 'on' }
    expect(shown).toEqual({ ...on, listen_addresses: '127.0.0.1', unix_socket_directories: '' })
    const wrong = new URL(server.connectionString)
    wrong.password = 'guess'
    await expect(asSuperuser(wrong.toString(), client => client.query('select 1'))).rejects.toThrow(/password authentication failed/)
    expect(statSync(join(root, 'pristine/data/heurist.password')).mode & 0o777).toBe(0o600)
    expect(statSync(join(root, 'pristine/data')).mode & 0o777).toBe(0o700)
    await server.stop()
  })

  test('behavior: a taken port is replaced', async () => {
    const one = await start('pristine')
    const port = Number(new URL(one.connectionString).port)
    copy('neighbour-copy')
    rmSync(join(root, 'neighbour-copy/data/postmaster.pid'), { force: true })
    const two = await start('neighbour-copy', { port })
    expect(Number(new URL(two.connectionString).port)).not.toBe(port)
    await Promise.all([one.stop(), two.stop()])
  })

  test.runIf(process.getuid?.() === 0)('behavior: root may keep the project in a private directory', async () => {
    mkdirSync(join(root, 'private'), { mode: 0o700 })
    const server = await start('private/postgres')
    await asSuperuser(server.connectionString, client => client.query('create table t as select 1 as a'))
    expect(statSync(join(root, 'private')).mode & 0o777).toBe(0o700)
    await server.stop()
  })

  test('error: two on one directory', async () => {
    const server = await start('pristine')
    await expect(start('pristine', { predecessorPatienceMs: 500 })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('already running'),
    })
    await asSuperuser(server.connectionString, client => client.query('select 1'))
    await server.stop()
  })
})

describe('kill -9', () => {
  test('behavior: of the server: it comes back on its port; what was acknowledged is there, once and whole (L5)', async () => {
    const server = await start('killed')
    const database = await connect(server)
    const acknowledged = new Set<string>()
    const unknown = new Set<string>()
    const before = server.pid
    let stop = false
    const caller = async (): Promise<void> => {
      while (!stop) {
        const outcome = success()
        await database.jobs.finish(outcome).then(
          () => acknowledged.add(outcome.start.jobId),
          () => unknown.add(outcome.start.jobId),
        )
      }
    }
    const callers = Array.from({ length: 8 }, caller)
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(100), 20_000)
    process.kill(before, 'SIGKILL')
    const atKill = acknowledged.size
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(atKill + 100), 30_000)
    stop = true
    await Promise.all(callers)
    expect(server.pid).not.toBe(before)
    expect(unknown.size).toBe(0)

    const { rows } = await asSuperuser(server.connectionString, client =>
      client.query(`select j.job_id, r.job_id is not null and e.business_id is not null as whole from jobs j
        left join receipts r using (job_id) left join ledger_events e on e.business_id = 'capture:' || j.job_id`),
    )
    expect(rows.every(row => row.whole)).toBe(true)
    expect(new Set(rows.map(row => row.job_id))).toEqual(acknowledged)
    const [total] = await database.ledger.totals()
    expect(total).toEqual({ asset: ASSET, sum: 0n })
    expect(await database.ledger.balance('vault', ASSET)).toBe(-10n * BigInt(acknowledged.size))
    await database.stop()
    await server.stop()
  })

  test('behavior: of the server, whose port a stranger takes: it is waited for', async () => {
    const server = await start('squatted')
    const before = server.pid
    const port = Number(new URL(server.connectionString).port)
    process.kill(before, 'SIGKILL')
    const squatter = await takePort(port)
    await vi.waitFor(() => expect(readFileSync(join(root, 'squatted/server.log'), 'utf8')).toContain('Address already in use'), 20_000)
    expect(server.pid).toBe(before)
    squatter.close()
    await vi.waitFor(() => asSuperuser(server.connectionString, client => client.query('select 1')), 20_000)
    await server.stop()
  })

  test.runIf(process.platform === 'linux')('behavior: of the server, whose backend does not end by itself: it is ended', async () => {
    const server = await start('left-behind')
    const before = server.pid
    const client = new pg.Client({ connectionString: server.connectionString })
    client.on('error', () => undefined)
    await client.connect()
    const { rows } = await client.query('select pg_backend_pid() as pid')
    // Stopped, it is deaf to the death of its server, like one that waits for a lock that nobody gives back any more.
    process.kill(rows[0].pid, 'SIGSTOP')
    process.kill(before, 'SIGKILL')
    await vi.waitFor(() => asSuperuser(server.connectionString, again => again.query('select 1')), 20_000)
    expect(server.pid).not.toBe(before)
    await client.end().catch(() => undefined)
    await server.stop()
  })

  test('behavior: during an outage calls fail as retryable, and a finish is given up after its time', async () => {
    const server = await start('outage')
    const database = await connect(server, 300)
    await server.stop()
    await expect(database.ping()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true })
    await expect(database.jobs.finish(success())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true })
    await expect(connect(server)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await database.stop()
  })

  test('behavior: of the parent: the server ends, and the next start needs no help', async () => {
    const script = `
      import { startEmbeddedPostgres, startWatchdog } from ${JSON.stringify(fileURLToPath(new URL('../index.ts', import.meta.url)))}
      import { silentLogger } from ${JSON.stringify(fileURLToPath(new URL('../../logger.ts', import.meta.url)))}
      const server = await startEmbeddedPostgres({ directory: ${JSON.stringify(join(root, 'orphan'))} }, { logger: silentLogger, watchdog: startWatchdog() })
      console.log(server.pid)
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>(resolve => parent.stdout?.once('data', data => resolve(Number(data))))
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    const server = await start('orphan')
    expect(server.pid).not.toBe(pid)
    // Ended; its entry may wait a moment for init to collect it.
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 20_000)
    await server.stop()
  })

  test('behavior: a pid file of the dead, whose number a stranger has now', async () => {
    const data = copy('stale')
    const { uid, gid } = statSync(data)
    writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n  0  0\nready   \n`, {
      mode: 0o600,
    })
    if (process.getuid?.() === 0) execFileSync('chown', [`${uid}:${gid}`, join(data, 'postmaster.pid')])
    await (await start('stale')).stop()
  })
})

describe('a broken data directory is said, with the fix, and left as it is', () => {
  const breaks: Record<string, { break: (data: string) => void; says: RegExp }> = {
    gone: { break: data => rmSync(data, { recursive: true }), says: /is gone/ },
    emptied: { break: data => readdirSync(data).map(name => rmSync(join(data, name), { recursive: true })), says: /is empty/ },
    'no version': { break: data => rmSync(join(data, 'PG_VERSION')), says: /no PG_VERSION/ },
    'other version': { break: data => writeFileSync(join(data, 'PG_VERSION'), '16\n'), says: /PostgreSQL 16, this program brings 18/ },
    'no control file': { break: data => rmSync(join(data, 'global/pg_control')), says: /global\/pg_control is missing/ },
    'damaged control file': { break: data => truncateSync(join(data, 'global/pg_control'), 100), says: /does not start.*pg_control/ },
    'no log of writes': {
      break: data => readdirSync(join(data, 'pg_wal')).map(name => rmSync(join(data, 'pg_wal', name), { recursive: true })),
      says: /does not start/,
    },
    'no password': { break: data => rmSync(join(data, 'heurist.password')), says: /heurist.password is missing/ },
  }
  test.each(Object.entries(breaks))('error: %s', async (name, { break: harm, says }) => {
    const data = copy(name)
    harm(data)
    const error = await start(name).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'DATABASE_CORRUPT', message: expect.stringMatching(says) })
    expect(error.message).toContain('Restore')
    expect(error.message).toContain(`mv ${join(root, name)}`)
    // Still broken, never made anew.
    await expect(start(name)).rejects.toMatchObject({ code: 'DATABASE_CORRUPT' })
    expect(existsSync(join(root, name, 'initialised'))).toBe(true)
  })

  test('behavior: a first start that was interrupted begins again', async () => {
    mkdirSync(join(root, 'half/data.new'), { recursive: true })
    writeFileSync(join(root, 'half/data.new/PG_VERSION'), '18\n')
    await (await start('half')).stop()
  })
})

describe('disk full', () => {
  test.runIf(canMount())('error: said as such; nothing acknowledged is lost; room again, work again', async () => {
    const mount = join(root, 'small')
    mkdirSync(mount)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=110m,mode=755', 'tmpfs', mount])
    try {
      const server = await start('small/postgres', { settings: { max_wal_size: '64MB' } })
      const database = await connect(server, 200)
      const before = success()
      await database.jobs.finish(before)
      writeFileSync(join(mount, 'ballast'), Buffer.alloc(1))
      fillDisk(join(mount, 'ballast'))
      const large = { text: 'x'.repeat(500_000) }
      const refusals: unknown[] = []
      for (let i = 0; i < 200 && refusals.length === 0; i++) {
        await database.jobs
          .finish(success(undefined, { timeline: [{ step: 'done', atMs: 1, detail: large }] }))
          .catch(error => refusals.push(error))
      }
      expect(refusals[0]).toMatchObject({ code: expect.stringMatching(/^DATABASE_(FULL|UNAVAILABLE)$/), retryable: true })
      rmSync(join(mount, 'ballast'))
      const after = success()
      await vi.waitFor(() => database.jobs.finish(after), { timeout: 30_000, interval: 200 })
      for (const { start } of [before, after]) expect((await database.jobs.get(start.jobId))?.state).toBe('succeeded')
      await database.stop()
      await server.stop()
    } finally {
      execFileSync('umount', ['-l', mount])
    }
  })
})

function fillDisk(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(1_000_000), { flag: 'a' })
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  }
}

/** A small disk of its own needs root and the right to mount. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false
  const probe = mkdtempSync(join(tmpdir(), 'heurist-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'ignore' })
    execFileSync('umount', [probe])
    return true
  } catch {
    return false
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}
