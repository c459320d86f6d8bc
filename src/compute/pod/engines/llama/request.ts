import type { ChatRenderer } from '#platform/tokenizer'
import type { JobRequest } from '#protocol'
import { type Body, badRequest, booleanOf, isObject, listOf, numberOf, objectOf, textOrTokens } from '../body.ts'
import { forcedCallGrammar, jsonObjectGrammar, jsonSchemaGrammar } from './json-grammar.ts'
import type { SamplingSettings } from './sampler.ts'
import { toolPlan } from './tool-calls.ts'

/** A request after validation, in the engine's own terms. */
export type Plan = {
  /** One list of token ids per prompt; a chat has one. */
  readonly prompts: readonly (readonly number[])[]
  /** Prompt texts to repeat before the output (`echo`), or null. */
  readonly echo: readonly string[] | null
  readonly choicesPerPrompt: number
  readonly maxTokens: number | null
  readonly stops: readonly string[]
  readonly sampling: SamplingSettings
  /** Number of alternatives per token, or null without log probabilities. */
  readonly topLogprobs: number | null
  /** GBNF, or null when the model is free. */
  readonly grammar: string | null
  readonly forcedCall: boolean
  readonly kind: 'chat' | 'completion'
}

export type PlanDeps = {
  readonly encode: (text: string) => number[]
  readonly decode: (ids: readonly number[]) => string
  readonly renderChat: ChatRenderer
  readonly vocabularySize: number
  readonly randomSeed: () => bigint
}

const MAX_CHOICES = 16
const MAX_PROMPTS = 64
const MAX_STOPS = 16
/** OpenAI's documented default of the legacy endpoint. */
const COMPLETION_DEFAULT_TOKENS = 16

function stopsOf(body: Body): string[] {
  const { stop } = body
  if (stop === undefined || stop === null) return []
  const list = Array.isArray(stop) ? stop : [stop]
  if (list.length > MAX_STOPS || !list.every(item => typeof item === 'string')) {
    return badRequest('stop', `"stop" must be a string or a list of at most ${MAX_STOPS} strings.`)
  }
  return list.filter(item => item !== '')
}

function biasOf(body: Body, vocabularySize: number): Map<number, number> {
  const bias = new Map<number, number>()
  for (const [key, value] of Object.entries(objectOf(body, 'logit_bias') ?? {})) {
    const id = Number(key)
    const known = Number.isInteger(id) && id >= 0 && id < vocabularySize
    if (!known || typeof value !== 'number' || !(Math.abs(value) <= 100)) {
      return badRequest('logit_bias', `"logit_bias" must map token ids (0 to ${vocabularySize - 1}) to numbers from -100 to 100.`)
    }
    bias.set(id, value)
  }
  return bias
}

function samplingOf(body: Body, deps: PlanDeps): SamplingSettings {
  // All that 64 bits hold, as OpenAI documents it: a large one arrives as the nearest number that JSON readers know.
  const seed = numberOf(body, 'seed', { min: -(2 ** 63), max: 2 ** 63, integer: true })
  return {
    temperature: numberOf(body, 'temperature', { min: 0, max: 2 }) ?? 1,
    topP: numberOf(body, 'top_p', { min: 0, max: 1 }) ?? 1,
    topK: Math.max(0, numberOf(body, 'top_k', { min: -1, max: 1_000_000, integer: true }) ?? 0),
    minP: numberOf(body, 'min_p', { min: 0, max: 1 }) ?? 0,
    frequencyPenalty: numberOf(body, 'frequency_penalty', { min: -2, max: 2 }) ?? 0,
    presencePenalty: numberOf(body, 'presence_penalty', { min: -2, max: 2 }) ?? 0,
    logitBias: biasOf(body, deps.vocabularySize),
    seed: seed === undefined ? deps.randomSeed() : BigInt.asUintN(64, BigInt(seed)),
  }
}

function formatGrammar(body: Body): string | null {
  const format = objectOf(body, 'response_format')
  if (!format || format.type === 'text') return null
  if (format.type === 'json_object') return jsonObjectGrammar()
  if (format.type !== 'json_schema' || !isObject(format.json_schema)) {
    return badRequest('response_format', '"response_format.type" must be "text", "json_object" or "json_schema" with "json_schema".')
  }
  const { schema, strict } = format.json_schema
  return jsonSchemaGrammar(schema, { strict: strict === true, param: 'response_format.json_schema.schema' })
}

function checkedMessages(body: Body): readonly unknown[] {
  const messages = listOf(body, 'messages')
  if (!messages || messages.length === 0) return badRequest('messages', '"messages" must be a list with at least one message.')
  for (const [i, message] of messages.entries()) {
    if (!isObject(message) || typeof message.role !== 'string')
      badRequest(`messages[${i}]`, `"messages[${i}]" must be an object with a "role".`)
    const parts = isObject(message) && Array.isArray(message.content) ? message.content : []
    const at = parts.findIndex(part => !isObject(part) || (part.type !== 'text' && part.type !== 'refusal'))
    if (at >= 0) badRequest(`messages[${i}].content[${at}]`, `"messages[${i}].content[${at}]": this model reads text parts only.`)
  }
  return messages
}

/** What would change the answer's shape and can not be done. */
function refuseOtherShapes(body: Body): void {
  if (listOf(body, 'functions')?.length) badRequest('functions', '"functions" is the older form of "tools". Send "tools" instead.')
  const modalities = listOf(body, 'modalities') ?? []
  if (modalities.some(modality => modality !== 'text')) badRequest('modalities', 'This model answers in text only.')
}

function chatPlan(body: Body, deps: PlanDeps): Plan {
  refuseOtherShapes(body)
  const messages = checkedMessages(body)
  const { tools, forced } = toolPlan(body)
  const range = { min: 1, max: 10_000_000, integer: true }
  const wantsLogprobs = booleanOf(body, 'logprobs')
  const top = numberOf(body, 'top_logprobs', { min: 0, max: 20, integer: true })
  if (top !== undefined && !wantsLogprobs) badRequest('top_logprobs', '"top_logprobs" needs "logprobs": true.')
  return {
    kind: 'chat',
    prompts: [deps.encode(deps.renderChat(messages, tools))],
    echo: null,
    choicesPerPrompt: numberOf(body, 'n', { min: 1, max: MAX_CHOICES, integer: true }) ?? 1,
    maxTokens: numberOf(body, 'max_completion_tokens', range) ?? numberOf(body, 'max_tokens', range) ?? null,
    stops: stopsOf(body),
    sampling: samplingOf(body, deps),
    topLogprobs: wantsLogprobs ? (top ?? 0) : null,
    grammar: forced ? forcedCallGrammar(forced) : formatGrammar(body),
    forcedCall: forced !== null,
  }
}

function checkedTokens(ids: readonly number[], deps: PlanDeps): readonly number[] {
  return ids.every(id => id < deps.vocabularySize)
    ? ids
    : badRequest('prompt', `"prompt" has a token id beyond the vocabulary of ${deps.vocabularySize}.`)
}

function completionPlan(body: Body, deps: PlanDeps): Plan {
  const prompts = textOrTokens(body.prompt, 'prompt')
  if (prompts.length > MAX_PROMPTS) badRequest('prompt', `"prompt" may have at most ${MAX_PROMPTS} entries.`)
  if (body.suffix !== undefined && body.suffix !== null && body.suffix !== '')
    badRequest('suffix', '"suffix" is not supported by this model.')
  const choices = numberOf(body, 'n', { min: 1, max: MAX_CHOICES, integer: true }) ?? 1
  const bestOf = numberOf(body, 'best_of', { min: 1, max: MAX_CHOICES, integer: true }) ?? choices
  if (bestOf !== choices) badRequest('best_of', '"best_of" other than "n" is not supported by this model.')
  const echo = booleanOf(body, 'echo')
  const topLogprobs = numberOf(body, 'logprobs', { min: 0, max: 20, integer: true }) ?? null
  if (echo && topLogprobs !== null) badRequest('echo', '"echo" together with "logprobs" is not supported by this model.')
  return {
    kind: 'completion',
    prompts: prompts.map(prompt => (typeof prompt === 'string' ? deps.encode(prompt) : checkedTokens(prompt, deps))),
    echo: echo ? prompts.map(prompt => (typeof prompt === 'string' ? prompt : deps.decode(prompt))) : null,
    choicesPerPrompt: choices,
    maxTokens: numberOf(body, 'max_tokens', { min: 0, max: 10_000_000, integer: true }) ?? COMPLETION_DEFAULT_TOKENS,
    stops: stopsOf(body),
    sampling: samplingOf(body, deps),
    topLogprobs,
    grammar: null,
    forcedCall: false,
  }
}

/** Validates an OpenAI body. Unknown members are ignored, null counts as absent. @throws HeuristError ENGINE_BAD_REQUEST */
export function planRequest(request: JobRequest, deps: PlanDeps): Plan {
  if (request.kind === 'chat') return chatPlan(request.body, deps)
  if (request.kind === 'completion') return completionPlan(request.body, deps)
  return badRequest('model', 'This pod generates text; it does not make embeddings. Choose an embedding model.')
}
