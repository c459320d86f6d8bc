import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '#protocol'
import type { Logger } from '../../logger.ts'
import type { Watchdog } from '../../watchdog.ts'
import { findBinaries } from './binaries.ts'
import { initialise, layoutOf, needsInitialising, readPassword, SUPERUSER } from './data-directory.ts'
import { serverUser } from './privileges.ts'
import { type RunningServer, runningPort, startServer } from './server.ts'

export type EmbeddedPostgresOptions = {
  /** Holds the cluster, its log and its password. Made when missing. */
  readonly directory: string
  /** 0 or absent: any free port. A taken port is replaced by a free one. */
  readonly port?: number
  /** Further server settings (`name: value`). */
  readonly settings?: Readonly<Record<string, string>>
  /** How long an earlier server on the same directory may take to end, in ms (default 12,000). */
  readonly predecessorPatienceMs?: number
  /** Told what is being done, for a progress display. */
  readonly onProgress?: (step: 'creating' | 'starting' | 'ready') => void
}

export type EmbeddedPostgres = {
  readonly connectionString: string
  /** Process id of the server now; it changes when the server was restarted after a crash. */
  readonly pid: number
  /** Calls `run` when the server is gone for good without `stop` (a crash is first answered by a restart on the same port). */
  onExit(run: (reason: string) => void): void
  /** Fast shutdown: open transactions are rolled back, the rest is flushed. Kills after 8 s. */
  stop(): Promise<void>
}

const STOP_GRACE_MS = 8_000
/** A predecessor whose parent was killed is being ended by its watchdog (grace 8 s, then SIGKILL). */
const PREDECESSOR_PATIENCE_MS = 12_000
const LOG_LIMIT_BYTES = 10_000_000
const RESTART_LIMIT = 20

/**
 * Runs the PostgreSQL that npm brought, as a child that never outlives this process.
 * @throws HeuristError DATABASE_CORRUPT, DATABASE_FULL, DATABASE_UNAVAILABLE
 * @example
 * const server = await startEmbeddedPostgres({ directory: '.heurist/postgres' }, { logger, watchdog: startWatchdog() })
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
  dependencies: { logger: Logger; watchdog: Watchdog },
): Promise<EmbeddedPostgres> {
  const { logger, watchdog } = dependencies
  const layout = layoutOf(resolve(options.directory))
  const binaries = findBinaries()
  mkdirSync(layout.root, { recursive: true })
  const isNew = needsInitialising(layout)
  const user = serverUser(layout.data)
  // The other user must pass through; the files inside keep their own modes.
  chmodSync(layout.root, user ? 0o711 : 0o700)
  if (isNew) {
    options.onProgress?.('creating')
    await initialise(layout, binaries, user, randomBytes(24).toString('hex'))
  }
  if (!existsSync(layout.marker))
    writeFileSync(layout.marker, 'A database lives in data/. Without this file an absent data/ would be made anew.\n')
  if (existsSync(layout.log) && statSync(layout.log).size > LOG_LIMIT_BYTES) truncateSync(layout.log)

  options.onProgress?.('starting')
  const { settings = {}, predecessorPatienceMs = PREDECESSOR_PATIENCE_MS } = options
  const start = async (port: number, isPortKnown: boolean): Promise<RunningServer> => {
    const running = await startServer(layout, { port, isPortKnown, settings, predecessorPatienceMs }, { binaries, user })
    watchdog.watch(running.pid, 'SIGINT')
    return running
  }
  const first = await start(options.port ?? 0, false)
  const password = readPassword(layout)
  options.onProgress?.('ready')
  logger.info({ pid: first.pid, port: first.port, directory: layout.root }, 'database server started')
  return supervise(first, {
    restart: () => start(first.port, true),
    logger,
    watchdog,
    connectionString: urlOf(first.port, password),
  })
}

/** Address of the server that another process runs on `directory`; null when none does. */
export function runningServerUrl(directory: string): string | null {
  const layout = layoutOf(resolve(directory))
  const port = runningPort(layout)
  return port === null ? null : urlOf(port, readPassword(layout))
}

function urlOf(port: number, password: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`
}

type Supervision = {
  readonly restart: () => Promise<RunningServer>
  readonly logger: Logger
  readonly watchdog: Watchdog
  readonly connectionString: string
}

function supervise(first: RunningServer, { restart, logger, watchdog, connectionString }: Supervision): EmbeddedPostgres {
  const listeners: ((reason: string) => void)[] = []
  let running = first
  let stopping = false
  let restarting: Promise<void> = Promise.resolve()
  let ended = Promise.withResolvers<void>()

  const giveUp = (reason: string): void => {
    logger.error({ reason }, 'database server is gone')
    for (const listener of listeners) listener(reason)
  }
  const revive = async (): Promise<void> => {
    for (let attempt = 1; !stopping; attempt++) {
      try {
        running = await restart()
        ended = Promise.withResolvers<void>()
        guard()
        return logger.warn({ pid: running.pid }, 'database server restarted')
      } catch (error) {
        if (attempt >= RESTART_LIMIT) return giveUp(messageOf(error))
        logger.error({ attempt, reason: messageOf(error) }, 'database server does not start again')
        await sleep(Math.min(5_000, 100 * 2 ** attempt))
      }
    }
  }
  const guard = (): void => {
    const { child, pid } = running
    const onEnd = (code: number | null, signal: string | null): void => {
      watchdog.unwatch(pid)
      ended.resolve()
      if (stopping) return
      logger.error({ pid, code, signal }, 'database server ended unexpectedly')
      restarting = revive()
    }
    if (child.exitCode !== null || child.signalCode !== null) onEnd(child.exitCode, child.signalCode)
    else child.once('exit', onEnd)
    child.unref()
  }
  guard()

  return {
    connectionString,
    get pid() {
      return running.pid
    },
    onExit: run => listeners.push(run),
    async stop() {
      stopping = true
      await restarting
      running.child.kill('SIGINT')
      const killer = setTimeout(() => running.child.kill('SIGKILL'), STOP_GRACE_MS)
      running.child.ref()
      await ended.promise
      clearTimeout(killer)
    },
  }
}
