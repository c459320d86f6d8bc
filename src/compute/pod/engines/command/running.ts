import type { Reply } from './replies.ts'

/** One running program, whatever protocol it speaks. It is over when it breaks that protocol, crashes, or is stopped. */
export type RunningProgram = {
  /** Why it is over; null while it runs. */
  readonly fault: Error | null
  /** Resolves when it takes jobs. @throws HeuristError ENGINE_FAILED */
  ready(): Promise<void>
  /** Asks whether it could take a job now; absent: it could until it is over. @throws why not */
  health?(signal: AbortSignal): Promise<void>
  /** Resolves when no cancelled job holds a place. */
  room(signal: AbortSignal): Promise<void>
  /** Sends a job; its replies come until `done` or `error`. Leaving the loop early cancels it. */
  run(id: string, input: unknown, signal: AbortSignal): AsyncGenerator<Reply>
  /** Kills it and waits until it is gone. */
  stop(): Promise<void>
}

export type ProgramOptions = {
  /** Longest wait until it is ready. */
  readonly readyMs: number
  /** Makes a reader that takes lines of one stream of the program into its log. */
  logReader(): (bytes: Buffer) => void
}
