import { isHeuristError } from '#protocol'
import { engineError } from './engine.ts'

export type JobRunner = {
  /** Runs work in a free slot. @throws HeuristError ENGINE_OVERLOADED, ENGINE_CANCELLED, ENGINE_FAILED, or what the work throws */
  run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  unload(): Promise<void>
}

export type JobRunnerOptions = {
  readonly slots: number
  /** Makes one of our errors of whatever the runtime threw. */
  asError(error: unknown): Error
  /** Frees the model when nothing runs any more. */
  release(): Promise<void> | void
}

/** What all engines share: slots, cancelling, and an end that waits for what still runs. */
export function createJobRunner(options: JobRunnerOptions): JobRunner {
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  let unloaded: Promise<void> | null = null
  const unloadedError = (cause?: unknown): Error =>
    engineError('ENGINE_FAILED', 'The model was unloaded. Try again, or on another node.', { cause })
  return {
    async run(callerSignal, work) {
      if (callerSignal.aborted) throw engineError('ENGINE_CANCELLED', 'The job was cancelled.')
      if (closing.signal.aborted) throw unloadedError()
      if (running.size >= options.slots) {
        throw engineError('ENGINE_OVERLOADED', `All ${options.slots} slots of this model are busy. Try again, or on another node.`)
      }
      const task = work(AbortSignal.any([callerSignal, closing.signal]))
      running.add(task)
      try {
        return await task
      } catch (error) {
        if (callerSignal.aborted) throw engineError('ENGINE_CANCELLED', 'The job was cancelled.', { cause: error })
        if (closing.signal.aborted) throw unloadedError(error)
        throw isHeuristError(error) ? error : options.asError(error)
      } finally {
        running.delete(task)
      }
    },
    unload() {
      closing.abort()
      unloaded ??= Promise.allSettled([...running]).then(() => options.release())
      return unloaded
    },
  }
}
