import { randomBytes } from 'node:crypto'
import type { Random } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { busUnavailable } from './errors.ts'
import { createFace } from './face.ts'
import { createHub } from './hub.ts'
import { busCounts, createOutbox } from './outbox.ts'
import type { Bus } from './port.ts'
import { openPostgresLink } from './postgres-link.ts'

export type PostgresBusOptions = {
  readonly connectionString: string
  /** Pause between two questions whether an idle connection still lives, in ms (default 15,000). */
  readonly pingEveryMs?: number
  /** Longest wait for an answer of the server, in ms (default 5,000). */
  readonly answerTimeoutMs?: number
}
export type BusDependencies = { readonly logger: Logger; readonly clock: Clock; readonly random?: Random; readonly metrics?: Metrics }

// Notifications stay inside one database, and a database holds one network: the name needs nothing more.
const CHANNEL = 'heurist_bus'
const SEND = `select pg_notify('${CHANNEL}', message) from unnest($1::text[]) as message`

/**
 * The bus on the database that several processes share: LISTEN/NOTIFY on one connection of its own. What is published in one tick
 * goes out in one round trip; while the connection is broken, messages are dropped and counted.
 * @throws HeuristError BUS_UNAVAILABLE when the first connection fails; later ones are tried until `stop`
 * @example
 * const bus = await createPostgresBus({ connectionString }, { logger, clock: systemClock })
 */
export async function createPostgresBus(options: PostgresBusOptions, dependencies: BusDependencies): Promise<Bus> {
  const { logger, clock, random = Math.random } = dependencies
  const counts = busCounts(dependencies.metrics)
  const hub = createHub({}, { logger })
  const self = randomBytes(6).toString('hex')
  let sequence = 0

  const link = await openPostgresLink(
    {
      connectionString: options.connectionString,
      channel: CHANNEL,
      pingEveryMs: options.pingEveryMs ?? 15_000,
      answerTimeoutMs: options.answerTimeoutMs ?? 5_000,
    },
    { logger, clock, random, onNotification: text => receive(text, self, hub.deliver), onConnected: counts.connected },
  ).catch(error => {
    throw busUnavailable('DATABASE_URL', error)
  })
  const outbox = createOutbox<string>({ ready: link.connected, send: group => link.query(SEND, [group]), counts })

  return createFace(hub, {
    // The number matters: PostgreSQL delivers equal notifications of one transaction once.
    send: (topic, payload) => outbox.add(`${self} ${sequence++} ${topic}\n${payload}`),
    flush: outbox.flush,
    close: () => link.stop(),
  })
}

/** This process has had its own messages already. */
function receive(text: string, self: string, deliver: (topic: string, payload: string) => void): void {
  const end = text.indexOf('\n')
  const [sender, , topic] = text.slice(0, end).split(' ')
  if (end < 0 || topic === undefined || sender === self) return
  deliver(topic, text.slice(end + 1))
}
