import type { Clock, Logger } from '#platform'
import { becomeLeader, type Leadership } from '#platform/database'

export type NameOptions = {
  readonly instance: string
  readonly databaseUrl: string
  /** How long the name may be lost, with the connection that holds it, before another may have taken up what was under it. */
  readonly gatewayRetireMs: number
  /** Ends the wait for another process of the name. */
  readonly signal?: AbortSignal
}
type Dependencies = { readonly clock: Clock; readonly logger: Logger }

/** The right to be the only gateway of a name: leased credits and open jobs stand under it. */
export type HeldName = {
  /** Resolves with the reason when the name could not be had again in time: stop and start anew. */
  readonly lost: Promise<string>
  release(): Promise<void>
}

/** What is locked in the database for a gateway's name. */
const lockOf = (instance: string): string => `gateway/${instance}`
const SAY_AFTER_MS = 1_000

/** Waits until no other process has the name. @throws Error when `signal` ended the wait */
export async function holdName(
  { instance, databaseUrl, gatewayRetireMs, signal }: NameOptions,
  dependencies: Dependencies,
): Promise<HeldName> {
  const { clock, logger } = dependencies
  const stop = new AbortController()
  const lost = Promise.withResolvers<string>()
  const take = (signal: AbortSignal) => becomeLeader({ connectionString: databaseUrl, name: lockOf(instance), signal }, dependencies)
  const again = async (reason: string): Promise<Leadership | null> => {
    logger.warn({ instance, reason }, 'the hold on the name of this gateway broke; it is taken again')
    // Half of the time: nobody has touched what stands under the name by then.
    const late = new AbortController()
    const cancel = clock.after(gatewayRetireMs / 2, () => late.abort())
    return take(AbortSignal.any([stop.signal, late.signal])).finally(cancel)
  }
  const keep = async (first: Leadership): Promise<void> => {
    for (let held: Leadership | null = first; held; ) {
      const current: Leadership = held
      const reason = await Promise.race([current.lost, stopped])
      await current.release()
      if (reason === null) return
      held = await again(reason)
    }
    if (!stop.signal.aborted) lost.resolve(`the name ${instance} could not be held, and another process may have taken up what is under it`)
  }
  const stopped = new Promise<null>(resolve => stop.signal.addEventListener('abort', () => resolve(null)))
  const cancelSaying = clock.after(SAY_AFTER_MS, () =>
    logger.warn({ instance }, 'another gateway of this name runs; this one waits for its end'),
  )
  const first = await take(signal ?? stop.signal).finally(cancelSaying)
  if (!first) throw new Error(`Stopped while it waited for another gateway named ${instance} to end.`)
  const kept = keep(first)
  return {
    lost: lost.promise,
    release: () => {
      stop.abort()
      return kept
    },
  }
}

/** Runs `act` under the name if no process has it now; answers whether it did. */
export async function underFreeName(
  instance: string,
  databaseUrl: string,
  dependencies: Dependencies,
  act: () => Promise<void>,
): Promise<boolean> {
  const signal = AbortSignal.timeout(SAY_AFTER_MS)
  const held = await becomeLeader({ connectionString: databaseUrl, name: lockOf(instance), signal }, dependencies)
  if (!held) return false
  try {
    await act()
  } finally {
    await held.release()
  }
  return true
}
