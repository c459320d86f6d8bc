import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import type { Candidates, CandidatesWanted } from './sampler.ts'

/** Prompt tokens per evaluation: between two of them a cancel is seen. */
const PREFILL_CHUNK_TOKENS = 128

/** One running text on one sequence of the shared context. Nothing of an earlier request is kept: tenants never share a prefix. */
export type Session = {
  /** Tokens fed so far. */
  length(): number
  /** Feeds tokens and returns the likeliest next ones. */
  feed(tokens: readonly number[], options: { wanted: CandidatesWanted; signal: AbortSignal }): Promise<Candidates>
  /** The candidates after the last fed token again, over the whole vocabulary. */
  widen(): Promise<Candidates>
  /** Forgets everything after the first `length` tokens. */
  rewind(length: number): Promise<void>
}

/** Equal logits in the order of their ids: the runtime's sorts leave their order open, and a seed must give one text. */
function orderTies(ids: number[], logits: readonly number[]): void {
  for (let start = 0; start < ids.length; ) {
    let end = start + 1
    while (end < ids.length && logits[end] === logits[start]) end++
    if (end - start > 1) ids.splice(start, end - start, ...ids.slice(start, end).sort((a, b) => a - b))
    start = end
  }
}

/**
 * The cheapest question that gives what is wanted. Without exact weights the runtime's own top-k (a partial sort) or its greedy pick
 * is enough; both leave the logits raw. Sorting a vocabulary of 150,000 whole takes some 10 ms.
 */
function questionFor({ top, also, exact }: CandidatesWanted) {
  if (!exact && also.length === 0) {
    if (top === 1) return { logits: { filter: { tokens: [], includeSelected: true } }, options: { temperature: 0 } }
    return { logits: true, options: { temperature: 1, topK: top, topP: 1, minP: 0, seed: 0 } }
  }
  const tokens = also as readonly Token[] // cast: token ids are branded numbers
  return { logits: { filter: { includeTop: top, tokens } }, totalLogitWeight: true, options: { temperature: 0 } }
}

export function createSession(sequence: LlamaContextSequence, vocabularySize: number): Session {
  let last: Token | null = null
  const evaluate = async (token: Token, wanted: CandidatesWanted): Promise<Candidates> => {
    const [output] = await sequence.controlledEvaluate([[token, { generateNext: questionFor(wanted) }]])
    const found = output?.next.logits
    if (!found || found.size === 0) throw new Error('the runtime returned no logits')
    const ids: number[] = [...found.keys()]
    const logits = [...found.values()]
    orderTies(ids, logits)
    return { ids, logits, totalWeight: output.next.totalLogitWeight ?? null }
  }
  return {
    length: () => sequence.nextTokenIndex,
    async feed(tokens, { wanted, signal }) {
      const ids = tokens as readonly Token[] // cast: token ids are branded numbers
      const end = ids.length - 1
      for (let i = 0; i < end; i += PREFILL_CHUNK_TOKENS) {
        signal.throwIfAborted()
        await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(i, Math.min(i + PREFILL_CHUNK_TOKENS, end)))
      }
      signal.throwIfAborted()
      last = ids[end]!
      return evaluate(last, wanted)
    },
    async widen() {
      if (last === null) throw new Error('nothing was fed')
      await sequence.eraseContextTokenRanges([{ start: sequence.nextTokenIndex - 1, end: sequence.nextTokenIndex }])
      return evaluate(last, { top: vocabularySize, also: [], exact: true })
    },
    async rewind(length) {
      last = sequence.contextTokens[length - 1] ?? null
      if (length === 0) await sequence.clearHistory()
      else if (sequence.nextTokenIndex > length) await sequence.eraseContextTokenRanges([{ start: length, end: sequence.nextTokenIndex }])
    },
  }
}
