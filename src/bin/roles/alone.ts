import { join } from 'node:path'
import { type Clock, createLogger, createMetrics, type Logger, type Metrics, systemClock } from '#platform'
import type { Config } from '../config.ts'
import { type Home, openHome } from '../home.ts'
import { type Joined, joinNetwork } from '../network/join.ts'
import { serveMetrics } from '../network/metrics-server.ts'
import { onStopSignals } from '../signals.ts'
import { stopAll } from '../stop-all.ts'

/** What a role that runs alone starts from. */
export type Alone = {
  readonly config: Config
  readonly home: Home
  readonly joined: Joined
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly signal: AbortSignal
  /** How to end what was started, in the opposite order. */
  readonly undo: (() => Promise<unknown>)[]
}

export type RoleOptions = { readonly name?: string }

/**
 * Joins the network, starts the role, says `ready`, and runs it until a signal or until the role says why it can not go on. Resolves
 * with the exit code: 0 after a signal, else 1, so that whoever supervises the process starts it again.
 */
export async function runAlone(
  role: string,
  given: Config,
  options: RoleOptions,
  start: (alone: Alone) => Promise<{ readonly says: string; readonly lost?: Promise<string> } | null>,
): Promise<number> {
  const stopSignal = onStopSignals()
  const config: Config = { ...given, instance: options.name ?? (given.instance === 'gateway-0' ? `${role}-0` : given.instance) }
  const home = openHome(config.home)
  const [clock, metrics] = [systemClock, createMetrics()]
  const logger = createLogger({ level: config.logLevel, role: config.instance, file: join(home.logs, `${config.instance}.log`) })
  const undo: (() => Promise<unknown>)[] = []
  try {
    const joined = await joinNetwork(config, { home, clock, logger, metrics })
    undo.push(() => joined.stop())
    const metricsServer = await serveMetrics(config, metrics)
    undo.push(() => new Promise(resolve => metricsServer.close(resolve)))
    const running = await start({ config, home, joined, clock, logger, metrics, signal: stopSignal.signal, undo })
    if (running === null) return 0
    process.stdout.write(`${running.says}\nready\n`)
    const why = await Promise.race([stopSignal.received, ...(running.lost ? [running.lost] : [])])
    process.stderr.write(`\n${why}: draining …\n`)
    return stopSignal.signal.aborted ? 0 : 1
  } finally {
    await stopAll(undo, logger)
  }
}
