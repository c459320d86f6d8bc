import pg from 'pg'
import { messageOf } from '#protocol'
import { fullJitterMs, type Random } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'

export type PostgresLinkOptions = {
  readonly connectionString: string
  readonly channel: string
  /** Pause between two questions whether the server still answers, in ms. */
  readonly pingEveryMs: number
  /** Longest wait for any answer, in ms; after it the connection counts as broken. */
  readonly answerTimeoutMs: number
}

/** One connection that listens, and comes back when it breaks. */
export type PostgresLink = {
  connected(): boolean
  /** @throws what the driver throws; a connection that does not answer is given up. */
  query(text: string, values?: unknown[]): Promise<void>
  stop(): Promise<void>
}

// A restart of the server takes a second or two; nobody waits longer than ten seconds for the bus after it.
const RECONNECT = { baseMs: 100, maxMs: 10_000 }

type Dependencies = {
  logger: Logger
  clock: Clock
  random: Random
  onNotification: (payload: string) => void
  onConnected: (yes: boolean) => void
}

/** @throws what the driver throws when the first connection fails */
export async function openPostgresLink(options: PostgresLinkOptions, dependencies: Dependencies): Promise<PostgresLink> {
  const { logger, clock, random, onConnected } = dependencies
  let current: pg.Client | null = null
  let stopped = false
  let cancelTimer = (): void => undefined

  const lost = (client: pg.Client, reason: string): void => {
    if (current !== client) return
    current = null
    client.end().catch(() => undefined)
    onConnected(false)
    logger.warn({ reason }, 'the connection of the bus broke; messages are dropped until it is back')
    reconnectAfter(0)
  }
  const query = async (client: pg.Client, text: string, values: unknown[]): Promise<void> => {
    try {
      await client.query(text, values)
    } catch (error) {
      // An answer with a code is a refusal by a server that lives; anything else is silence or a broken line.
      if (!(error instanceof pg.DatabaseError)) lost(client, messageOf(error))
      throw error
    }
  }
  const pingLater = (client: pg.Client): void => {
    cancelTimer = clock.after(options.pingEveryMs, () => {
      query(client, 'select 1', []).then(
        () => current === client && pingLater(client),
        () => undefined,
      )
    })
  }
  const connect = async (): Promise<void> => {
    const client = await listen(options, { ...dependencies, onLost: lost })
    if (stopped) return void client.end().catch(() => undefined)
    current = client
    onConnected(true)
    pingLater(client)
  }
  const reconnectAfter = (attempt: number): void => {
    if (stopped) return
    cancelTimer()
    cancelTimer = clock.after(fullJitterMs(attempt, RECONNECT, random), () => {
      connect().then(
        () => logger.info('the connection of the bus is back'),
        error => {
          logger.debug({ reason: messageOf(error), attempt }, 'the bus could not connect')
          reconnectAfter(attempt + 1)
        },
      )
    })
  }

  await connect()
  return {
    connected: () => current !== null,
    async query(text, values = []) {
      if (!current) throw new Error('the bus is not connected')
      await query(current, text, values)
    },
    async stop() {
      stopped = true
      cancelTimer()
      const last = current
      current = null
      onConnected(false)
      await last?.end().catch(() => undefined)
    },
  }
}

async function listen(
  options: PostgresLinkOptions,
  { onNotification, onLost }: { onNotification: (payload: string) => void; onLost: (client: pg.Client, reason: string) => void },
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: options.connectionString,
    application_name: 'heurist bus',
    connectionTimeoutMillis: options.answerTimeoutMs,
    query_timeout: options.answerTimeoutMs,
    keepAlive: true,
  })
  client.on('error', error => onLost(client, messageOf(error)))
  client.on('end', () => onLost(client, 'closed by the server'))
  client.on('notification', ({ payload }) => onNotification(payload ?? ''))
  try {
    await client.connect()
    // A notification needs no disk: without this every group would wait for the log's fsync.
    await client.query('set synchronous_commit = off')
    await client.query(`listen ${client.escapeIdentifier(options.channel)}`)
    return client
  } catch (error) {
    client.end().catch(() => undefined)
    throw error
  }
}
