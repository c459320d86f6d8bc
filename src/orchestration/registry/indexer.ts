import type { Chain, ChainWatch, Clock, EventStore, IndexedEvent, Logger, Metrics } from '#platform'
import { messageOf } from '#protocol'

export type IndexerOptions = {
  /** Block of the deployment: there is nothing of ours before it. */
  readonly fromBlock: number
  /** How often new blocks are looked for, in ms (default 500). */
  readonly pollMs?: number
}
export type IndexerDependencies = {
  readonly chain: Pick<Chain, 'index' | 'head'>
  readonly events: EventStore
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}
export type Indexer = {
  start(): void
  /** The newest block whose events are in the store; below the first when nothing was read. */
  block(): number
  /** Resolves when everything up to the chain's present head is in the store. @throws HeuristError CHAIN_UNAVAILABLE */
  caughtUp(): Promise<void>
  /** Calls `listener` after events were stored; `null` after a re-org took some away. The returned function ends it. */
  onEvents(listener: (events: readonly IndexedEvent[] | null) => void): () => void
  stop(): Promise<void>
}

const DEFAULT_POLL_MS = 500

/**
 * Keeps the chain's history in the database: every event of every contract, re-orgs taken back. Deleting the rows and the
 * cursor and starting again gives the same rows.
 */
export function createIndexer(options: IndexerOptions, dependencies: IndexerDependencies): Indexer {
  const { chain, events, logger } = dependencies
  const listeners = new Set<(events: readonly IndexedEvent[] | null) => void>()
  const waiting = new Set<{ block: number; done: () => void }>()
  const metrics = indexerMetrics(dependencies.metrics)
  let block = options.fromBlock - 1
  let watch: ChainWatch | null = null

  const tell = (stored: readonly IndexedEvent[] | null): void => {
    for (const listener of listeners) {
      try {
        listener(stored)
      } catch (error) {
        logger.error({ err: messageOf(error) }, 'a listener of chain events failed')
      }
    }
  }
  const reached = (number: number): void => {
    block = number
    metrics.block.set(number)
    for (const entry of waiting) {
      if (entry.block > number) continue
      waiting.delete(entry)
      entry.done()
    }
  }
  return {
    start() {
      const { fromBlock, pollMs = DEFAULT_POLL_MS } = options
      watch ??= chain.index({ load: events.cursor, fromBlock, pollMs }, async range => {
        await events.apply(range)
        metrics.events.inc(range.events.length)
        if (range.rewoundTo !== null) metrics.reorganisations.inc()
        reached(range.cursor.from - 1)
        if (range.rewoundTo !== null) tell(null)
        if (range.events.length > 0) tell(range.events)
      })
    },
    block: () => block,
    async caughtUp() {
      const { number } = await chain.head()
      const cursor = await events.cursor()
      if (number <= Math.max(block, (cursor?.from ?? 0) - 1)) return
      await new Promise<void>(done => waiting.add({ block: number, done }))
    },
    onEvents(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      await watch?.stop()
      for (const entry of waiting) entry.done()
      waiting.clear()
    },
  }
}

function indexerMetrics(metrics: Metrics) {
  return {
    block: metrics.gauge('heurist_indexer_block', 'Newest block whose events are in the database.'),
    events: metrics.counter('heurist_indexer_events_total', 'Chain events stored.'),
    reorganisations: metrics.counter('heurist_indexer_reorganisations_total', 'Times that the chain took blocks back.'),
  }
}
