import type { Delta, TokenLogprob } from '#protocol'
import type { FinishedJob } from './job.ts'

/** What stays constant over an answer and its chunks. */
export type AnswerHead = { readonly id: string; readonly createdSeconds: number; readonly model: string; readonly fingerprint: string }

/** Everything of an answer that the completion itself does not repeat. */
export type Collected = {
  /** Per choice. */
  readonly logprobs: ReadonlyMap<number, readonly TokenLogprob[]>
  /** Per input. */
  readonly vectors: ReadonlyMap<number, Float32Array>
}

export type Collector = Collected & { add(delta: Delta): void }

/** Gathers the parts of deltas that only they carry: log probabilities and vectors. The final text comes with the completion. */
export function createCollector(): Collector {
  const logprobs = new Map<number, TokenLogprob[]>()
  const vectors = new Map<number, Float32Array>()
  return {
    logprobs,
    vectors,
    add({ choice, logprobs: entries, embedding }) {
      if (embedding) vectors.set(choice, embedding)
      if (!entries) return
      const known = logprobs.get(choice)
      if (known) known.push(...entries)
      else logprobs.set(choice, [...entries])
    },
  }
}

/** The stream form of an answer: texts of whole server-sent events. */
export type ChunkFormat = {
  piece(delta: Delta): string
  /** Finish reasons and, where asked for, usage. Comes after the receipt is on disk; `[DONE]` follows. */
  tail(job: FinishedJob): string
}

export type Usage = { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }

export function usageOf({ units }: FinishedJob): Usage {
  return { prompt_tokens: units.inputUnits, completion_tokens: units.outputUnits, total_tokens: units.inputUnits + units.outputUnits }
}
