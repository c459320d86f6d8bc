import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import type { Candidates } from './sampler.ts'

/** Prompt tokens per evaluation: between two of them a cancel is seen. */
const PREFILL_CHUNK_TOKENS = 128

/** One running text on one sequence of the shared context. Nothing of an earlier request is kept: tenants never share a prefix. */
export type Session = {
  /** Tokens fed so far. */
  length(): number
  /** Feeds tokens and returns the likeliest next ones. */
  feed(tokens: readonly number[], options: { top: number; also: readonly number[]; signal: AbortSignal }): Promise<Candidates>
  /** The candidates after the last fed token again, over the whole vocabulary. */
  widen(): Promise<Candidates>
  /** Forgets everything after the first `length` tokens. */
  rewind(length: number): Promise<void>
}

export function createSession(sequence: LlamaContextSequence, vocabularySize: number): Session {
  let last: Token | null = null
  const evaluate = async (token: Token, top: number, also: readonly number[]): Promise<Candidates> => {
    const filter = { includeTop: top, tokens: also as readonly Token[] } // cast: token ids are branded numbers
    const [output] = await sequence.controlledEvaluate([[token, { generateNext: { logits: { filter }, totalLogitWeight: true } }]])
    const logits = output?.next.logits
    const totalWeight = output?.next.totalLogitWeight
    if (!logits || logits.size === 0 || totalWeight === undefined) throw new Error('the runtime returned no logits')
    return { ids: [...logits.keys()], logits: [...logits.values()], totalWeight, complete: logits.size >= vocabularySize }
  }
  return {
    length: () => sequence.nextTokenIndex,
    async feed(tokens, { top, also, signal }) {
      const ids = tokens as readonly Token[] // cast: token ids are branded numbers
      const end = ids.length - 1
      for (let i = 0; i < end; i += PREFILL_CHUNK_TOKENS) {
        signal.throwIfAborted()
        await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(i, Math.min(i + PREFILL_CHUNK_TOKENS, end)))
      }
      signal.throwIfAborted()
      last = ids[end]!
      return evaluate(last, top, also)
    },
    async widen() {
      if (last === null) throw new Error('nothing was fed')
      await sequence.eraseContextTokenRanges([{ start: sequence.nextTokenIndex - 1, end: sequence.nextTokenIndex }])
      return evaluate(last, vocabularySize, [])
    },
    async rewind(length) {
      last = sequence.contextTokens[length - 1] ?? null
      if (length === 0) await sequence.clearHistory()
      else if (sequence.nextTokenIndex > length) await sequence.eraseContextTokenRanges([{ start: length, end: sequence.nextTokenIndex }])
    },
  }
}
