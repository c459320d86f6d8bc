import { setTimeout as sleep } from 'node:timers/promises'
import { isHeuristError } from '#protocol'
import { databaseUnavailable, toDatabaseError } from '../errors.ts'

export type GroupCommitOptions = {
  /** Most items of one transaction. */
  readonly maxGroup: number
  /** Transactions under way at once: while one waits for the disk the next is computed. */
  readonly maxFlights: number
  /** How long an item is tried again through an outage before its caller is told, in ms. */
  readonly patienceMs: number
  /** Most items that wait; more are refused at once. */
  readonly maxQueue: number
}

export type GroupCommit<Item> = {
  /** Resolves when the item's transaction is durable. */
  add(item: Item): Promise<void>
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>
  readonly waiting: number
}

type Entry<Item> = { readonly item: Item; readonly untilMs: number; resolve(): void; reject(error: unknown): void }

/**
 * One disk sync for many callers: items that arrive in one tick, or while earlier transactions are under way, are written
 * together (a single commit costs about 2 ms, and so does one of sixty-four). One bad item does not fail its neighbours:
 * a failed group is halved until the bad one stands alone. `write` must be idempotent, because an outage can hide that a
 * transaction was committed.
 */
export function createGroupCommit<Item>(
  options: GroupCommitOptions,
  dependencies: { write: (items: readonly Item[]) => Promise<(Error | null)[]>; monotonicMs: () => number },
): GroupCommit<Item> {
  const { write, monotonicMs } = dependencies
  let queue: Entry<Item>[] = []
  let flights = 0
  let scheduled = false
  const idleWaiters: (() => void)[] = []

  const pump = (): void => {
    scheduled = false
    while (queue.length > 0 && flights < options.maxFlights) {
      const group = queue.slice(0, options.maxGroup)
      queue = queue.slice(options.maxGroup)
      flights++
      void flush(group).finally(() => {
        flights--
        schedule()
        if (flights === 0 && queue.length === 0) for (const wake of idleWaiters.splice(0)) wake()
      })
    }
  }
  const schedule = (): void => {
    if (scheduled || queue.length === 0) return
    scheduled = true
    setImmediate(pump)
  }

  const flush = async (group: readonly Entry<Item>[]): Promise<void> => {
    try {
      const results = await write(group.map(entry => entry.item))
      group.forEach((entry, index) => {
        const failure = results[index]
        failure ? entry.reject(failure) : entry.resolve()
      })
    } catch (cause) {
      const error = toDatabaseError(cause)
      if (isHeuristError(error) && error.retryable) return retry(group, error)
      if (group.length === 1) return group[0]?.reject(error)
      const middle = group.length >> 1
      await flush(group.slice(0, middle))
      await flush(group.slice(middle))
    }
  }

  let pause = 0
  const retry = async (group: readonly Entry<Item>[], error: unknown): Promise<void> => {
    const nowMs = monotonicMs()
    for (const entry of group) if (entry.untilMs <= nowMs) entry.reject(error)
    const rest = group.filter(entry => entry.untilMs > nowMs)
    if (rest.length === 0) return
    pause = Math.min(500, pause * 2 + 20)
    await sleep(pause)
    await flush(rest)
    pause = 0
  }

  return {
    get waiting() {
      return queue.length
    },
    add(item) {
      if (queue.length >= options.maxQueue) return Promise.reject(databaseUnavailable(new Error(`${queue.length} writes are waiting`)))
      return new Promise((resolve, reject) => {
        queue.push({ item, untilMs: monotonicMs() + options.patienceMs, resolve, reject })
        schedule()
      })
    },
    idle() {
      if (flights === 0 && queue.length === 0) return Promise.resolve()
      return new Promise(resolve => idleWaiters.push(resolve))
    },
  }
}
