import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HeuristError } from '#protocol'
import { freePort } from '../../free-port.ts'
import { databaseFull } from '../errors.ts'
import type { DatabaseErrorCode } from '../port.ts'
import type { Binaries } from './binaries.ts'
import { corrupt, type Layout } from './data-directory.ts'
import { launchAs, type ServerUser } from './privileges.ts'

export type ServerOptions = {
  /** 0: any. A taken port is replaced by a free one, unless it is the one that clients know already: that is waited for. */
  readonly port: number
  readonly isPortKnown: boolean
  readonly settings: Readonly<Record<string, string>>
  readonly predecessorPatienceMs: number
}
export type RunningServer = { readonly child: ChildProcess; readonly pid: number; readonly port: number }

// Small on purpose: one machine's worth of roles (DESIGN §3). Durability settings are said, not left to defaults.
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '32MB',
  max_wal_size: '512MB',
  // A new WAL segment is not filled with zeros first: that stalled every commit for 80 ms, once a second under load. Syncs stay.
  wal_init_zero: 'off',
  jit: 'off',
  lc_messages: 'C',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Backends find out that a client is gone even while they compute.
  client_connection_check_interval: '2s',
}

const START_PATIENCE_MS = 60_000
const PORT_ATTEMPTS = 5
/** Backends of a killed server end by themselves, within moments; one that waits for another's lock may never. */
const LEFT_BEHIND_MS = 2_000

type StartFailure = 'port' | 'busy' | 'full' | 'corrupt'

/**
 * Starts the server and resolves when it accepts connections.
 * @throws HeuristError DATABASE_CORRUPT, DATABASE_FULL, DATABASE_UNAVAILABLE
 */
export async function startServer(
  layout: Layout,
  options: ServerOptions,
  dependencies: { binaries: Binaries; user: ServerUser | null },
): Promise<RunningServer> {
  const startedMs = performance.now()
  const isPatient = (): boolean => performance.now() - startedMs < options.predecessorPatienceMs
  let port = options.port === 0 ? await freePort() : options.port
  for (let replaced = 0; ; ) {
    removeStalePidFile(layout)
    const logOffset = existsSync(layout.log) ? statSync(layout.log).size : 0
    const child = spawnServer(layout, port, options.settings, dependencies)
    if (await isReady(layout, child)) return { child, pid: child.pid as number, port } // cast: a ready server has a pid
    const failure = classify(logSince(layout, logOffset))
    if (failure.kind === 'port' && !options.isPortKnown && replaced++ < PORT_ATTEMPTS) port = await freePort()
    else if ((failure.kind === 'port' || failure.kind === 'busy') && isPatient()) {
      if (failure.kind === 'busy' && performance.now() - startedMs > LEFT_BEHIND_MS) endLeftBehind(layout)
      await sleep(200)
    } else throw startError(layout, failure, port)
  }
}

function spawnServer(
  layout: Layout,
  port: number,
  settings: Readonly<Record<string, string>>,
  dependencies: { binaries: Binaries; user: ServerUser | null },
): ChildProcess {
  const flags = Object.entries({ ...SETTINGS, port: String(port), ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const launch = launchAs(dependencies.user, dependencies.binaries.postgres, ['-D', layout.data, ...flags], [layout.root])
  const log = openSync(layout.log, 'a', 0o600)
  try {
    return spawn(launch.command, [...launch.args], {
      cwd: '/',
      // Its own session: Ctrl-C reaches us first, and we stop it after the last commit.
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
      ...(launch.uid !== undefined && { uid: launch.uid, gid: launch.gid }),
    })
  } finally {
    closeSync(log)
  }
}

/** True when the server says `ready` in its pid file; false when it ended first. */
async function isReady(layout: Layout, child: ChildProcess): Promise<boolean> {
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  child.once('error', () => {
    ended = true
  })
  const untilMs = performance.now() + START_PATIENCE_MS
  while (!ended) {
    const lines = readPidFile(layout)
    if (Number(lines?.[0]) === child.pid && lines?.[7]?.trim() === 'ready') return true
    if (performance.now() > untilMs) {
      child.kill('SIGKILL')
      return false
    }
    await sleep(10)
  }
  return false
}

/** Port of the server that runs on the directory now; null when none does. */
export function runningPort(layout: Layout): number | null {
  const lines = readPidFile(layout)
  if (lines?.[7]?.trim() !== 'ready') return null
  try {
    process.kill(Number(lines[0]), 0)
    return Number(lines[3])
  } catch {
    return null
  }
}

function readPidFile(layout: Layout): string[] | null {
  try {
    return readFileSync(join(layout.data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return null
  }
}

/**
 * After kill -9 and a reboot the pid in the file may belong to a stranger, at which PostgreSQL would refuse to start for ever.
 * In every other case the file stays: by it a new server finds out that backends of a killed one still write.
 */
function removeStalePidFile(layout: Layout): void {
  const pid = Number(readPidFile(layout)?.[0])
  if (process.platform !== 'linux' || !Number.isInteger(pid) || pid <= 0) return
  const command = readOrNull(`/proc/${pid}/cmdline`)
  const isStranger = command !== null && command !== '' && !command.includes('postgres')
  if (isStranger && workersIn(layout.data).length === 0) rmSync(join(layout.data, 'postmaster.pid'), { force: true })
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** Every process of a PostgreSQL server has the data directory as its working directory. */
function workersIn(directory: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === directory
      } catch {
        return false
      }
    })
}

/** Ends what a dead server left behind. What they had committed is in the log of writes; the rest was never acknowledged. */
function endLeftBehind(layout: Layout): void {
  if (process.platform !== 'linux') return
  const workers = workersIn(layout.data)
  if (workers.includes(Number(readPidFile(layout)?.[0]))) return // The server itself lives: it is being stopped, or is another's.
  for (const pid of workers) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

function logSince(layout: Layout, offset: number): string {
  return existsSync(layout.log) ? readFileSync(layout.log).subarray(offset).toString('utf8') : ''
}

function classify(log: string): { kind: StartFailure; line: string } {
  const line = log.split('\n').findLast(text => /FATAL|PANIC/.test(text)) ?? log.trim().split('\n').at(-1) ?? 'it ended without a word'
  const said = line.replace(/^.*?(FATAL|PANIC): +/, '')
  if (/could not bind|could not create any TCP\/IP sockets|Address already in use/.test(log)) return { kind: 'port', line: said }
  if (/lock file ".*" already exists|pre-existing shared memory block/.test(log)) return { kind: 'busy', line: said }
  if (/No space left on device|disk quota/i.test(log)) return { kind: 'full', line: said }
  return { kind: 'corrupt', line: said }
}

function startError(layout: Layout, failure: { kind: StartFailure; line: string }, port: number): HeuristError<DatabaseErrorCode> {
  if (failure.kind === 'corrupt')
    return corrupt(layout, `PostgreSQL does not start on ${layout.data}: ${failure.line} (more in ${layout.log}).`)
  if (failure.kind === 'full') return databaseFull(new Error(failure.line))
  return new HeuristError<DatabaseErrorCode>(
    'DATABASE_UNAVAILABLE',
    failure.kind === 'busy'
      ? `Another PostgreSQL runs on ${layout.data}: is the network already running here? Stop it, or set HEURIST_HOME to another directory.`
      : `PostgreSQL can not listen on port ${port} of 127.0.0.1: ${failure.line}. Stop the program that uses it, then start again.`,
    { retryable: true },
  )
}
