import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { messageOf } from '#protocol'
import { fullJitterMs } from '../backoff.ts'
import type { Logger } from '../logger.ts'
import { busUnavailable } from './errors.ts'
import { createFace } from './face.ts'
import { createHub } from './hub.ts'
import { busCounts, createOutbox } from './outbox.ts'
import type { Bus } from './port.ts'
import type { BusDependencies } from './postgres.ts'

export type NatsBusOptions = {
  /** `nats://[user:password@|token@]host:port`, several servers of one cluster joined by commas. */
  readonly url: string
  /** Longest wait for the first connection, in ms (default 5,000). */
  readonly connectTimeoutMs?: number
}

const SUBJECT = 'heurist.bus.'
const RECONNECT = { baseMs: 100, maxMs: 10_000 }

/**
 * The bus of a large fleet, on NATS: plain subjects, no JetStream, since nothing that matters rests on a message. A server or
 * account of NATS holds one network. While it is away, messages are dropped and counted.
 * @throws HeuristError BUS_UNAVAILABLE when the first connection fails; later ones are tried until `stop`
 * @example
 * const bus = await createNatsBus({ url: 'nats://127.0.0.1:4222' }, { logger, clock: systemClock })
 */
export async function createNatsBus(options: NatsBusOptions, dependencies: BusDependencies): Promise<Bus> {
  const { logger } = dependencies
  const counts = busCounts(dependencies.metrics)
  const { random = Math.random } = dependencies
  let failures = 0
  // Asked several times for one attempt: the attempts themselves are counted below.
  const connection = await open(options, () => fullJitterMs(failures, RECONNECT, random))
  const line = followLine(connection, {
    logger,
    onChange: counts.connected,
    onFailures: count => {
      failures = count
    },
  })
  const subscriptions = new Map<string, Subscription>()
  const hub = createHub(
    {
      onFirst(topic) {
        if (connection.isClosed()) return
        const callback = (error: Error | null, message: { string(): string }): void => {
          if (!error) hub.deliver(topic, message.string())
        }
        subscriptions.set(topic, connection.subscribe(SUBJECT + topic, { callback }))
      },
      onLast(topic) {
        subscriptions.get(topic)?.unsubscribe()
        subscriptions.delete(topic)
      },
    },
    { logger },
  )
  const outbox = createOutbox<readonly [topic: string, payload: string]>({
    ready: line.connected,
    async send(group) {
      for (const [topic, payload] of group) connection.publish(SUBJECT + topic, payload)
      await connection.flush()
    },
    counts,
  })
  return createFace(hub, { send: (topic, payload) => outbox.add([topic, payload]), flush: outbox.flush, close: () => connection.close() })
}

async function open(options: NatsBusOptions, reconnectDelayHandler: () => number): Promise<NatsConnection> {
  // Loaded only where it is used: a network on one machine has no NATS.
  const { connect } = await import('@nats-io/transport-node')
  const { servers, credentials } = readUrl(options.url)
  try {
    return await connect({
      servers,
      ...credentials,
      name: 'heurist',
      timeout: options.connectTimeoutMs ?? 5_000,
      // This process has had its own messages already.
      noEcho: true,
      maxReconnectAttempts: -1,
      // Also when a password was changed on the server first.
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler,
      // A line that broke without a word is found after at most half a minute.
      pingInterval: 10_000,
      maxPingOut: 2,
    })
  } catch (error) {
    throw busUnavailable(servers.join(', '), error)
  }
}

function readUrl(text: string): { servers: string[]; credentials: { user: string; pass: string } | { token: string } | undefined } {
  const urls = text.split(',').map(part => new URL(part.trim()))
  const first = urls.find(({ username }) => username !== '')
  const [user, pass] = [decodeURIComponent(first?.username ?? ''), decodeURIComponent(first?.password ?? '')]
  return {
    servers: urls.map(({ host, port }) => (port === '' ? `${host}:4222` : host)),
    credentials: first ? (pass === '' ? { token: user } : { user, pass }) : undefined,
  }
}

/** Knows whether the line is up, and tells when that changes. */
function followLine(
  connection: NatsConnection,
  { logger, onChange, onFailures }: { logger: Logger; onChange: (up: boolean) => void; onFailures: (count: number) => void },
): { connected(): boolean } {
  let up = true
  let attempts = 0
  onChange(up)
  const set = (now: boolean): void => {
    if (up === now) return
    up = now
    onChange(up)
    onFailures(0)
    attempts = 0
    if (connection.isClosed()) return
    if (up) logger.info('the connection of the bus is back')
    else logger.warn('the connection of the bus broke; messages are dropped until it is back')
  }
  const follow = async (): Promise<void> => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') set(false)
      if (status.type === 'reconnecting') onFailures(attempts++)
      if (status.type === 'reconnect') set(true)
      if (status.type === 'error') logger.warn({ reason: messageOf(status.error) }, 'the server of the bus refused something')
    }
    set(false)
  }
  void follow()
  return { connected: () => up && !connection.isClosed() }
}
