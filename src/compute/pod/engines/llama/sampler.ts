import type { TokenLogprob } from '#protocol'

/**
 * The likeliest next tokens, best first, with their raw logits; `totalWeight` is the sum of exp(logit - best) over the
 * WHOLE vocabulary, so probabilities are exact although the list may be shorter than the vocabulary.
 */
export type Candidates = {
  readonly ids: readonly number[]
  readonly logits: readonly number[]
  readonly totalWeight: number
  /** Every token of the vocabulary is in the list. */
  readonly complete: boolean
}

export type SamplingSettings = {
  readonly temperature: number
  readonly topP: number
  /** 0 = off. */
  readonly topK: number
  readonly minP: number
  readonly frequencyPenalty: number
  readonly presencePenalty: number
  readonly logitBias: ReadonlyMap<number, number>
  readonly seed: bigint
}

export type PickContext = {
  readonly settings: SamplingSettings
  /** How often each token was generated so far in this choice (for the penalties). */
  readonly counts: ReadonlyMap<number, number>
  /** Grammar: may this token come next? */
  readonly allows: ((id: number) => boolean) | null
  /** The draw-th uniform number of this position. */
  readonly draw: (index: number) => number
}

type Weighted = { id: number; logit: number }

/** Candidates beyond this are fetched only when a draw or a grammar needs them: a vocabulary may have 200,000 tokens. */
export const MAX_CANDIDATES = 4096
/** A tail lighter than this share of the weight is left out of the draw. */
const NEGLIGIBLE_TAIL = 1e-9

/** How many candidates a request needs per step. */
export function candidatesNeeded(
  settings: SamplingSettings,
  options: { grammar: boolean; topLogprobs: number; vocabularySize: number },
): number {
  const { vocabularySize } = options
  const adjusted = settings.logitBias.size > 0 || settings.frequencyPenalty !== 0 || settings.presencePenalty !== 0
  if (settings.temperature > 1 && settings.topK === 0) return vocabularySize
  if (settings.temperature === 0 && !options.grammar && !adjusted) return Math.min(vocabularySize, Math.max(1, options.topLogprobs))
  return Math.min(vocabularySize, Math.max(MAX_CANDIDATES, settings.topK))
}

function adjust(candidates: Candidates, { settings, counts }: PickContext): Weighted[] {
  const { logitBias, frequencyPenalty, presencePenalty } = settings
  const list = candidates.ids.map((id, i) => ({ id, logit: candidates.logits[i]! }))
  if (logitBias.size === 0 && frequencyPenalty === 0 && presencePenalty === 0) return list
  for (const entry of list) {
    const count = counts.get(entry.id) ?? 0
    entry.logit += (logitBias.get(entry.id) ?? 0) - count * frequencyPenalty - (count > 0 ? presencePenalty : 0)
  }
  // A stable sort: equal logits keep their order, so the pick is reproducible.
  return list.sort((a, b) => b.logit - a.logit)
}

/** Temperature, then top_k, min_p and top_p, in this order. Returns unnormalised weights, best first. */
function truncate(list: readonly Weighted[], settings: SamplingSettings): number[] {
  const best = list[0]!.logit
  const limit = settings.topK > 0 ? Math.min(settings.topK, list.length) : list.length
  const weights: number[] = []
  let total = 0
  for (let i = 0; i < limit; i++) {
    const weight = Math.exp((list[i]!.logit - best) / settings.temperature)
    if (i > 0 && weight < settings.minP) break
    weights.push(weight)
    total += weight
  }
  if (settings.topP >= 1) return weights
  let sum = 0
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!
    if (sum >= settings.topP * total) return weights.slice(0, i + 1)
  }
  return weights
}

/** Upper bound of the weight that the tokens outside the list can have; meant for temperature ≤ 1, where cooling only shrinks them. */
function tailWeight(candidates: Candidates, settings: SamplingSettings): number {
  const truncated = settings.topK > 0 || settings.topP < 1 || settings.minP > 0
  if (candidates.complete || truncated) return 0
  const best = candidates.logits[0]!
  let listed = 0
  for (const logit of candidates.logits) listed += Math.exp(logit - best)
  return Math.max(0, candidates.totalWeight - listed)
}

function drawFrom(list: readonly Weighted[], weights: readonly number[], options: { uniform: number; tail: number }): number | 'widen' {
  let total = 0
  for (const weight of weights) total += weight
  const tail = options.tail > NEGLIGIBLE_TAIL * total ? options.tail : 0
  let rest = options.uniform * (total + tail)
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i]!
    if (rest < 0) return list[i]!.id
  }
  return tail > 0 ? 'widen' : list[weights.length - 1]!.id
}

/**
 * Picks the next token. Temperature 0 takes the best one. With a grammar the unconstrained pick is kept when it is
 * allowed, else the choice is made again among the allowed tokens only (llama.cpp's rule).
 * `'widen'`: the list is too short for this draw; call again with the whole vocabulary.
 * `null`: the grammar allows no token at all.
 */
export function pickToken(candidates: Candidates, context: PickContext): number | 'widen' | null {
  const { settings, allows } = context
  const list = adjust(candidates, context)
  if (settings.temperature === 0) {
    const first = allows ? list.find(({ id }) => allows(id)) : list[0]
    return first?.id ?? (candidates.complete ? null : 'widen')
  }
  const tail = tailWeight(candidates, settings)
  const free = drawFrom(list, truncate(list, settings), { uniform: context.draw(0), tail })
  if (!allows || free === 'widen' || allows(free)) return free
  const allowed = list.filter(({ id }) => allows(id))
  if (allowed.length === 0) return candidates.complete ? null : 'widen'
  return drawFrom(allowed, truncate(allowed, settings), { uniform: context.draw(1), tail: 0 })
}

/** Log probability under the raw model (temperature 1, before any truncation, bias or grammar), as OpenAI defines it. */
export function logprobOf(candidates: Candidates, id: number): number {
  const index = candidates.ids.indexOf(id)
  return index < 0 ? MISSING_LOGPROB : candidates.logits[index]! - candidates.logits[0]! - Math.log(candidates.totalWeight)
}

/** What OpenAI writes for a token too unlikely to have a figure. */
const MISSING_LOGPROB = -9999

export function tokenLogprob(
  candidates: Candidates,
  id: number,
  options: { top: number; bytesOf: (id: number) => Uint8Array },
): TokenLogprob {
  const entry = (token: number): Omit<TokenLogprob, 'top_logprobs'> => {
    const bytes = options.bytesOf(token)
    return { token: Buffer.from(bytes).toString('utf8'), logprob: logprobOf(candidates, token), bytes: [...bytes] }
  }
  return { ...entry(id), top_logprobs: candidates.ids.slice(0, options.top).map(entry) }
}
