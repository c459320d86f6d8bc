import type { Metrics } from '../metrics.ts'

/** What a process has published and not yet handed to the server: one group per round trip, and a bound. */
export type Outbox<T> = {
  /** Takes a message for the end of this tick; drops it when the server is away or too slow. */
  add(item: T): void
  /** Sends what waits; resolves when nothing does. */
  flush(): Promise<void>
}

// A group of 500 messages is at most 4 MB: one packet train, not a pause.
const MAX_GROUP = 500
// A server that is slower than its publishers costs at most 80 MB here, then messages.
const MAX_WAITING = 10_000

export type BusCounts = { sent(count: number): void; dropped(count: number): void; connected(yes: boolean): void }

export function createOutbox<T>(options: {
  /** Whether the server can be reached now. */
  ready(): boolean
  send(group: readonly T[]): Promise<void>
  readonly counts: BusCounts
}): Outbox<T> {
  const { counts } = options
  let waiting: T[] = []
  let flushing: Promise<void> | null = null

  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting.slice(0, MAX_GROUP)
      waiting = waiting.slice(MAX_GROUP)
      try {
        await options.send(group)
        counts.sent(group.length)
      } catch {
        // The link's own log line says why; a message that may have arrived is not sent again.
        counts.dropped(group.length)
      }
    }
  }
  const flush = (): Promise<void> => {
    flushing ??= sendAll().finally(() => {
      flushing = null
    })
    return flushing
  }

  return {
    flush,
    add(item) {
      if (!options.ready() || waiting.length >= MAX_WAITING) return counts.dropped(1)
      if (waiting.push(item) === 1 && !flushing) setImmediate(flush)
    },
  }
}

export function busCounts(metrics: Metrics | undefined): BusCounts {
  if (!metrics) return { sent: () => undefined, dropped: () => undefined, connected: () => undefined }
  const sent = metrics.counter('heurist_bus_sent_total', 'Messages that this process handed to the server of the bus.')
  const dropped = metrics.counter(
    'heurist_bus_dropped_total',
    'Messages that were not sent because the server of the bus was away or too slow.',
  )
  const connected = metrics.gauge('heurist_bus_connected', '1 while this process is connected to the server of the bus.')
  return {
    sent: count => sent.inc(count),
    dropped: count => dropped.inc(count),
    connected: yes => connected.set(yes ? 1 : 0),
  }
}
