import type { TokenLogprob } from '#protocol'

/**
 * The likeliest next tokens, best first (equal logits by id), with their raw logits. `totalWeight` is the sum of
 * exp(logit - best) over the WHOLE vocabulary; it is there when log probabilities were asked for.
 */
export type Candidates = {
  readonly ids: readonly number[]
  readonly logits: readonly number[]
  readonly totalWeight: number | null
}

/** What the runtime is asked for after a token. */
export type CandidatesWanted = {
  /** How many, at most the vocabulary. */
  readonly top: number
  /** Tokens that must be in the list although they may be unlikely. */
  readonly also: readonly number[]
  /** With the exact `totalWeight`; costs a sort of the whole vocabulary. */
  readonly exact: boolean
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
  readonly vocabularySize: number
}

type Weighted = { id: number; logit: number }

/** Candidates beyond this are fetched only when a draw or a grammar needs them: a vocabulary may have 200,000 tokens. */
export const MAX_CANDIDATES = 4096

function isAdjusted({ logitBias, frequencyPenalty, presencePenalty }: SamplingSettings): boolean {
  return logitBias.size > 0 || frequencyPenalty !== 0 || presencePenalty !== 0
}

/** How many candidates a request needs per step. */
export function candidatesNeeded(
  settings: SamplingSettings,
  options: { grammar: boolean; topLogprobs: number; vocabularySize: number },
): number {
  const { vocabularySize } = options
  // Hot sampling reaches so far down the list that a short one would nearly always have to be fetched again.
  if (settings.temperature > 1 && settings.topK === 0) return vocabularySize
  if (settings.temperature === 0 && !options.grammar && !isAdjusted(settings))
    return Math.min(vocabularySize, Math.max(1, options.topLogprobs))
  return Math.min(vocabularySize, Math.max(MAX_CANDIDATES, settings.topK))
}

function adjust(candidates: Candidates, { settings, counts }: PickContext): Weighted[] {
  const { logitBias, frequencyPenalty, presencePenalty } = settings
  const list = candidates.ids.map((id, i) => ({ id, logit: candidates.logits[i]! }))
  if (!isAdjusted(settings)) return list
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

/**
 * Weight that the tokens outside a short list have at most: none of them is likelier than the last listed one. With a bias or
 * penalties that no longer holds; such requests draw from the listed tokens alone.
 */
function tailBound(list: readonly Weighted[], { settings, vocabularySize }: PickContext): number {
  const truncated = settings.topK > 0 || settings.topP < 1 || settings.minP > 0 || isAdjusted(settings)
  const missing = vocabularySize - list.length
  if (missing <= 0 || truncated) return 0
  return missing * Math.exp((list.at(-1)!.logit - list[0]!.logit) / settings.temperature)
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function drawFrom(list: readonly Weighted[], weights: readonly number[], uniform: number): number {
  let rest = uniform * sum(weights)
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i]!
    if (rest < 0) return list[i]!.id
  }
  return list[weights.length - 1]!.id
}

/**
 * The draw fell behind a short list, and now the whole vocabulary is here. What the bound gave too much to the tail goes back to
 * the listed tokens, so that every token keeps exactly its probability: P(tail) = T (L + B) / (B (L + T)).
 */
function drawWidened(list: readonly Weighted[], context: PickContext, listed: number): number {
  const weights = truncate(list, context.settings)
  const listedWeight = sum(weights.slice(0, listed))
  const tailWeight = sum(weights.slice(listed))
  const bound = tailBound(list.slice(0, listed), context)
  const tailShare = (tailWeight * (listedWeight + bound)) / (bound * (listedWeight + tailWeight))
  const inTail = context.draw(2) < tailShare
  return inTail
    ? drawFrom(list.slice(listed), weights.slice(listed), context.draw(3))
    : drawFrom(list, weights.slice(0, listed), context.draw(3))
}

function pickFree(list: readonly Weighted[], context: PickContext, listedBefore: number): number | 'widen' {
  if (listedBefore > 0) return drawWidened(list, context, listedBefore)
  const weights = truncate(list, context.settings)
  const listedWeight = sum(weights)
  const bound = tailBound(list, context)
  const uniform = context.draw(0)
  if (bound === 0) return drawFrom(list, weights, uniform)
  const scaled = (uniform * (listedWeight + bound)) / listedWeight
  return scaled < 1 ? drawFrom(list, weights, scaled) : 'widen'
}

/** A check walks the grammar's whole state and blocks the thread: after so many refusals in a row all candidates are checked at once. */
const MAX_REDRAWS = 24

/**
 * Draws among the candidates that the grammar allows: a refused one is taken out and the draw repeated, which gives every
 * allowed token its share of the allowed weight while few tokens are checked. Draws 4 and following.
 */
function pickAllowed(list: readonly Weighted[], context: PickContext, allows: (id: number) => boolean): number | null {
  let rest = [...list]
  for (let attempt = 0; attempt < MAX_REDRAWS && rest.length > 0; attempt++) {
    const id = drawFrom(rest, truncate(rest, context.settings), context.draw(4 + attempt))
    if (allows(id)) return id
    rest = rest.filter(entry => entry.id !== id)
  }
  const allowed = rest.filter(({ id }) => allows(id))
  return allowed.length === 0 ? null : drawFrom(allowed, truncate(allowed, context.settings), context.draw(1))
}

/**
 * Picks the next token. Temperature 0 takes the best one. With a grammar the unconstrained pick is kept when it is
 * allowed, else the draw is made again among the allowed tokens (llama.cpp's rule).
 * `'widen'`: the list is too short; call again with the whole vocabulary and the length of this list as `listedBefore`.
 * `null`: the grammar allows no token at all.
 */
export function pickToken(candidates: Candidates, context: PickContext, listedBefore = 0): number | 'widen' | null {
  const { settings, allows } = context
  const complete = candidates.ids.length >= context.vocabularySize
  const list = adjust(candidates, context)
  if (settings.temperature === 0) {
    const first = allows ? list.find(({ id }) => allows(id)) : list[0]
    return first?.id ?? (complete ? null : 'widen')
  }
  // After a widening that the grammar asked for, the free pick is known to be refused and made the same again.
  const free = pickFree(list, context, allows ? 0 : listedBefore)
  if (!allows || free === 'widen') return free
  if (allows(free)) return free
  const others = list.filter(({ id }) => id !== free)
  return pickAllowed(others, context, allows) ?? (complete ? null : 'widen')
}

/** Log probability under the raw model (temperature 1, before any truncation, bias or grammar), as OpenAI defines it. */
export function logprobOf(candidates: Candidates, id: number): number {
  const index = candidates.ids.indexOf(id)
  if (index < 0 || candidates.totalWeight === null) return MISSING_LOGPROB
  return candidates.logits[index]! - candidates.logits[0]! - Math.log(candidates.totalWeight)
}

/** What OpenAI writes for a token too unlikely to have a figure. */
const MISSING_LOGPROB = -9999

export type LogprobOptions = { readonly top: number; bytesOf(id: number): Uint8Array }

/** One entry of OpenAI's `logprobs.content`. */
export function tokenLogprob(candidates: Candidates, id: number, options: LogprobOptions): TokenLogprob {
  const entry = (token: number): Omit<TokenLogprob, 'top_logprobs'> => {
    const bytes = options.bytesOf(token)
    return { token: Buffer.from(bytes).toString('utf8'), logprob: logprobOf(candidates, token), bytes: [...bytes] }
  }
  return { ...entry(id), top_logprobs: candidates.ids.slice(0, options.top).map(entry) }
}
