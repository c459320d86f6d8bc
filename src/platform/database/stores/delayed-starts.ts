import type { JobId } from '#protocol'
import type { Clock } from '../../clock.ts'
import type { JobStart } from '../port.ts'

/**
 * How long a job may run before its start is written down, in ms. Most jobs of a small model end sooner, and their end carries
 * the start; a row that is inserted only to be deleted again costs both sides a fifth of what the end costs. A process that dies
 * leaves no trace of the jobs of its last moments: their clients saw the connection break before they were told an id, and nothing
 * was charged (law L5). A stream tells the id with its first token, so its start is written then, however young it is.
 */
const START_DELAY_MS = 50

type Waiting = { readonly start: JobStart; readonly dueAtMs: number; resolve(): void; reject(error: unknown): void }

/** Starts that wait for their jobs to last. */
export type DelayedStarts = {
  /** Resolves when the start is durable, or when its job has ended and needs it no more. */
  add(start: JobStart): Promise<void>
  /** The job's client is told its id: what waits of it is written now. */
  hasten(jobId: JobId): void
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

  function writeNow({ start, resolve, reject }: Waiting): void {
    waiting.delete(start.jobId)
    write(start).then(resolve, reject)
  }
  function writeUntil(nowMs: number): void {
    for (const item of waiting.values()) {
      if (item.dueAtMs > nowMs) return
      writeNow(item)
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
    hasten(jobId) {
      const item = waiting.get(jobId)
      if (item) writeNow(item)
    },
    drop(jobId) {
      waiting.get(jobId)?.resolve()
      waiting.delete(jobId)
    },
    flush: () => writeUntil(Number.POSITIVE_INFINITY),
  }
}
