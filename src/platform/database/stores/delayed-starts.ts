import type { JobId } from '#protocol'
import type { Clock } from '../../clock.ts'
import type { JobStart } from '../port.ts'

/**
 * How long a job may run before its start is written down, in ms. Most jobs of a small model end sooner, and their end carries
 * the start; a row that is inserted only to be deleted again costs both sides a fifth of what the end costs. A process that dies
 * leaves no trace of the jobs of its last moments, as it did before: nobody was told of them and nothing was charged (law L5).
 */
const START_DELAY_MS = 50

type Waiting = { readonly start: JobStart; readonly dueAtMs: number; resolve(): void; reject(error: unknown): void }

/** Starts that wait for their jobs to last. */
export type DelayedStarts = {
  /** Resolves when the start is durable, or when its job has ended and needs it no more. */
  add(start: JobStart): Promise<void>
  /** The job has ended. */
  drop(jobId: JobId): void
  /** Writes all that wait. */
  flush(): void
}

export function createDelayedStarts(dependencies: {
  readonly write: (start: JobStart) => Promise<void>
  readonly clock: Clock
}): DelayedStarts {
  const { write, clock } = dependencies
  // In the order of their time: each waits equally long.
  const waiting = new Map<JobId, Waiting>()
  let isScheduled = false

  function writeUntil(nowMs: number): void {
    for (const [jobId, { start, dueAtMs, resolve, reject }] of waiting) {
      if (dueAtMs > nowMs) return
      waiting.delete(jobId)
      write(start).then(resolve, reject)
    }
  }
  function schedule(): void {
    if (isScheduled || waiting.size === 0) return
    isScheduled = true
    clock.after(START_DELAY_MS, () => {
      isScheduled = false
      writeUntil(clock.now())
      schedule()
    })
  }

  return {
    add: start =>
      new Promise((resolve, reject) => {
        waiting.set(start.jobId, { start, dueAtMs: clock.now() + START_DELAY_MS, resolve, reject })
        schedule()
      }),
    drop(jobId) {
      waiting.get(jobId)?.resolve()
      waiting.delete(jobId)
    },
    flush: () => writeUntil(Number.POSITIVE_INFINITY),
  }
}
