import { type Chain, type Clock, type EventStore, type IndexedEvent, type Logger, repeat } from '#platform'
import { messageOf } from '#protocol'
import type { Indexer } from './indexer.ts'

export type EventFollowerDependencies = {
  readonly chain: Pick<Chain, 'head'>
  readonly events: EventStore
  readonly clock: Clock
  readonly logger: Logger
}

/** What an indexer tells, in a process that has none: another one reads the chain into the database that both share. */
export type EventFollower = Pick<Indexer, 'onEvents' | 'caughtUp'> & { start(): Promise<void>; stop(): void }

const POLL_MS = 500
/** Pause between two looks of somebody who waits. */
const WAIT_MS = 50

export function createEventFollower({ chain, events, clock, logger }: EventFollowerDependencies): EventFollower {
  const listeners = new Set<(stored: readonly IndexedEvent[] | null) => void>()
  let block = -1
  let stop = (): void => undefined
  let isStopped = false

  const blockOf = async (): Promise<number> => ((await events.cursor())?.from ?? 0) - 1
  async function look(): Promise<void> {
    const before = block
    const now = await blockOf()
    if (now === before) return
    block = now
    const stored = now < before ? null : await events.list({ fromBlock: before + 1 })
    if (stored === null || stored.length > 0) for (const listener of listeners) listener(stored)
  }
  return {
    onEvents(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async caughtUp() {
      const { number } = await chain.head()
      while (!isStopped && (await blockOf()) < number) await new Promise<void>(resolve => clock.after(WAIT_MS, resolve))
    },
    async start() {
      block = await blockOf()
      stop = repeat(clock, POLL_MS, look, error =>
        logger.warn({ reason: messageOf(error) }, 'the chain events could not be read; it is tried again'),
      )
    },
    stop() {
      isStopped = true
      stop()
    },
  }
}
