import { TextDecoder } from 'node:util'
import type { Delta, FinishReason } from '#protocol'
import { taken } from '../back-pressure.ts'
import { engineError } from '../engine.ts'
import { uniform } from './philox.ts'
import type { Plan } from './request.ts'
import { type Candidates, type CandidatesWanted, candidatesNeeded, pickToken, tokenLogprob } from './sampler.ts'
import type { Session } from './session.ts'
import { createStopScanner } from './stop.ts'
import { createCallParser } from './tool-calls.ts'

export type GrammarState = {
  allows(id: number): boolean
  accept(id: number): void
}

export type Vocabulary = {
  readonly size: number
  /** Bytes that a token stands for; none for control tokens. */
  bytesOf(id: number): Uint8Array
  isEnd(id: number): boolean
}

export type GenerateOptions = {
  readonly plan: Plan
  readonly contextTokens: number
  readonly vocabulary: Vocabulary
  readonly signal: AbortSignal
  readonly newGrammar: (() => Promise<GrammarState>) | null
  readonly newCallId: () => string
  emit(delta: Delta): void | Promise<void>
}

export type Generated = { finish: { index: number; reason: FinishReason }[]; inputUnits: number; outputUnits: number }

type Choice = {
  readonly index: number
  readonly counts: Map<number, number>
  readonly grammar: GrammarState | null
  readonly decoder: TextDecoder
  readonly stops: ReturnType<typeof createStopScanner>
  readonly parseCall: ReturnType<typeof createCallParser> | null
  produced: number
}

async function newChoice(index: number, options: GenerateOptions): Promise<Choice> {
  const { plan } = options
  return {
    index,
    counts: new Map(),
    grammar: options.newGrammar ? await options.newGrammar() : null,
    decoder: new TextDecoder('utf-8', { ignoreBOM: true }),
    stops: createStopScanner(plan.forcedCall ? [] : plan.stops),
    parseCall: plan.forcedCall ? createCallParser(options.newCallId()) : null,
    produced: 0,
  }
}

async function nextToken(
  session: Session,
  choice: Choice,
  options: GenerateOptions & { candidates: Candidates },
): Promise<{ id: number; candidates: Candidates }> {
  const { sampling } = options.plan
  const { grammar, counts, produced: position } = choice
  const context = {
    settings: sampling,
    counts,
    allows: grammar ? (id: number) => grammar.allows(id) : null,
    draw: (draw: number) => uniform(sampling.seed, { choice: choice.index, position, draw }),
    vocabularySize: options.vocabulary.size,
  }
  const picked = pickToken(options.candidates, context)
  if (typeof picked === 'number') return { id: picked, candidates: options.candidates }
  const whole = picked === 'widen' ? await session.widen() : options.candidates
  const again = picked === 'widen' ? pickToken(whole, context, options.candidates.ids.length) : null
  if (typeof again !== 'number')
    throw engineError('ENGINE_FAILED', 'The grammar of this request allows no further token of this model. Simplify the schema.')
  return { id: again, candidates: whole }
}

function deltaOf(choice: Choice, options: { id: number; text: string; plan: Plan; candidates: Candidates; vocabulary: Vocabulary }): Delta {
  const { id, text, plan, candidates, vocabulary } = options
  const toolCalls = choice.parseCall?.(text)
  return {
    choice: choice.index,
    tokens: 1,
    tokenIds: [id],
    text: toolCalls ? '' : text,
    ...(toolCalls && toolCalls.length > 0 && { toolCalls }),
    ...(plan.topLogprobs !== null && {
      logprobs: [tokenLogprob(candidates, id, { top: plan.topLogprobs, bytesOf: token => vocabulary.bytesOf(token) })],
    }),
  }
}

/** One choice from the candidates after its prompt to its finish reason. */
async function generateChoice(
  session: Session,
  choice: Choice,
  options: GenerateOptions & { candidates: Candidates; budget: number },
): Promise<FinishReason> {
  const { plan, vocabulary, signal, budget } = options
  const emit = (delta: Delta) => taken(options.emit(delta), signal)
  let { candidates } = options
  while (choice.produced < budget) {
    signal.throwIfAborted()
    const next = await nextToken(session, choice, { ...options, candidates })
    if (vocabulary.isEnd(next.id)) {
      const rest = choice.stops.flush()
      if (rest !== '') await emit({ choice: choice.index, tokens: 0, text: rest })
      return plan.forcedCall ? 'tool_calls' : 'stop'
    }
    choice.grammar?.accept(next.id)
    choice.counts.set(next.id, (choice.counts.get(next.id) ?? 0) + 1)
    choice.produced++
    const found = choice.stops.push(choice.decoder.decode(vocabulary.bytesOf(next.id), { stream: true }))
    const last = !found.stopped && choice.produced >= budget
    const text = last ? found.text + choice.stops.flush() : found.text
    await emit(deltaOf(choice, { id: next.id, text, plan, candidates: next.candidates, vocabulary }))
    if (found.stopped) return 'stop'
    if (last) break
    candidates = await session.feed([next.id], { wanted: wantedBy(options, choice.counts), signal })
  }
  return 'length'
}

function wantedBy({ plan, vocabulary }: GenerateOptions, counts: ReadonlyMap<number, number>): CandidatesWanted {
  const { logitBias, frequencyPenalty, presencePenalty } = plan.sampling
  // A bias or a negative penalty can lift a token that is far down the list.
  const lifted = frequencyPenalty < 0 || presencePenalty < 0 ? [...counts.keys()] : []
  const options = { grammar: plan.grammar !== null, topLogprobs: plan.topLogprobs ?? 0, vocabularySize: vocabulary.size }
  return { top: candidatesNeeded(plan.sampling, options), also: [...logitBias.keys(), ...lifted], exact: plan.topLogprobs !== null }
}

function checkContext(promptTokens: number, { plan, contextTokens }: GenerateOptions): number {
  if (promptTokens === 0)
    throw engineError('ENGINE_BAD_REQUEST', 'The prompt is empty. Send at least one token.', { payload: { param: 'prompt' } })
  const room = contextTokens - promptTokens
  if (room < 1) {
    throw engineError(
      'ENGINE_CONTEXT_EXCEEDED',
      `This model's context is ${contextTokens} tokens, but the prompt has ${promptTokens}. Shorten the prompt.`,
      { payload: { contextTokens, promptTokens, ...(plan.maxTokens !== null && { requestedTokens: plan.maxTokens }) } },
    )
  }
  return Math.min(room, plan.maxTokens ?? room)
}

/**
 * Runs all prompts and choices of a request, one after the other, on one sequence. A prompt is evaluated once and
 * its choices branch off from it. The output ends with reason `length` at max_tokens or at the end of the context.
 */
export async function generate(session: Session, options: GenerateOptions): Promise<Generated> {
  const { plan, signal } = options
  const budgets = plan.prompts.map(prompt => checkContext(prompt.length, options))
  const result: Generated = { finish: [], inputUnits: 0, outputUnits: 0 }
  for (const [i, prompt] of plan.prompts.entries()) {
    await session.rewind(0)
    result.inputUnits += prompt.length
    const candidates = await session.feed(prompt, { wanted: wantedBy(options, new Map()), signal })
    for (let k = 0; k < plan.choicesPerPrompt; k++) {
      const choice = await newChoice(i * plan.choicesPerPrompt + k, options)
      if (plan.echo) await taken(options.emit({ choice: choice.index, tokens: 0, text: plan.echo[i] ?? '' }), signal)
      await session.rewind(prompt.length)
      const reason = await generateChoice(session, choice, { ...options, candidates, budget: budgets[i]! })
      result.finish.push({ index: choice.index, reason })
      result.outputUnits += choice.produced
    }
  }
  return result
}
