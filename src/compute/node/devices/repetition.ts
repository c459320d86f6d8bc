import type { Clock, Random } from '#platform'

export type RepetitionDependencies = {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  /** No lease runs and nothing loads: a figure of a busy machine says nothing. */
  isIdle(): boolean
  /** Measures one thing again. */
  measure(): Promise<void>
  failed(error: unknown): void
}

/** Mean time between two measurements. Times are drawn so that the last one says nothing about the next. */
const MEAN_MS = 3_600_000
const MAX_MS = 4 * MEAN_MS
/** A busy node is looked at again after this. */
const BUSY_MS = 60_000

/** Measures again and again until `signal`, at times that nobody knows before. */
export function measureAgain(dependencies: RepetitionDependencies): void {
  const { clock, random, signal, isIdle, measure, failed } = dependencies
  const later = (delayMs: number): void => {
    const cancel = clock.after(delayMs, run)
    signal.addEventListener('abort', cancel, { once: true })
  }
  const run = async (): Promise<void> => {
    if (signal.aborted) return
    if (!isIdle()) return later(BUSY_MS)
    await measure().catch(failed)
    if (!signal.aborted) later(pauseMs(random))
  }
  later(pauseMs(random))
}

function pauseMs(random: Random): number {
  return Math.min(MAX_MS, -Math.log(1 - random()) * MEAN_MS)
}
