import type { Tokenizer } from '#platform'
import { commandOutputUnits, type JobKind, type PodRecord } from '#protocol'
import type { CommandRequest } from './command/request.ts'
import { type GatewayError, gatewayError } from './errors.ts'
import { type ChatRequest, type CompletionRequest, type EmbeddingRequest, listOfPrompts } from './openai/requests.ts'

/** Prompt units and the most output units that a request may produce, over all its choices. */
export type UnitBounds = { readonly inputUnits: number; readonly maxOutputUnits: number }

/**
 * Pods without a tokenizer are metered at one input unit per four UTF-8 bytes, rounded up: a published rule of the price,
 * not a guess at the engine's own count.
 */
const BYTES_PER_UNIT = 4

function countBytes(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_UNIT)
}

function countInput(text: string | readonly number[], tokenizer: Tokenizer | null): number {
  if (typeof text !== 'string') return text.length
  return tokenizer ? tokenizer.encode(text).length : countBytes(text)
}

function countPrompt(prompt: string | readonly number[], tokenizer: Tokenizer | null): number {
  if (typeof prompt !== 'string') return prompt.length
  return tokenizer ? tokenizer.encodePrompt(prompt).length : countBytes(prompt)
}

type Overrun = {
  /** The member that holds the input. */
  readonly param: string
  /** Counted input; a lower bound when `isPartial`. */
  readonly used: number
  readonly isPartial?: boolean
  /** Explicitly asked output, or null. */
  readonly wanted: number | null
}

function contextExceeded(pod: PodRecord, { param, used, isPartial, wanted }: Overrun): GatewayError {
  const limit = pod.manifest.spec.model.contextLength
  const input = `your input has ${isPartial ? 'at least ' : ''}${used} tokens`
  const asked = wanted === null ? input : `you asked for ${used + wanted} tokens (${used} of input, ${wanted} of output)`
  return gatewayError(
    'context_length_exceeded',
    `The maximum context length of "${pod.name}" is ${limit} tokens, and ${asked}. Shorten the input${wanted === null ? '' : ' or lower max_tokens'}.`,
    { param: wanted === null ? param : 'max_tokens' },
  )
}

/** Characters per token of context from which on a text is looked at in pieces first: ordinary text has about four. */
const SURE_CHARACTERS_PER_TOKEN = 8
const PIECE_CHARACTERS = 4096

/**
 * Refuses a text that is far over the context after counting only as much of it as that takes: counting four megabytes in one go would hold up
 * every other request for two seconds. Pieces count a little more than the whole, hence the margin; what passes is counted exactly afterwards.
 */
function refuseEndless(param: string, texts: readonly string[], pod: PodRecord, tokenizer: Tokenizer | null): void {
  const limit = pod.manifest.spec.model.contextLength
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  if (!tokenizer || characters <= limit * SURE_CHARACTERS_PER_TOKEN) return
  let counted = 0
  for (const text of texts) {
    for (let start = 0; start < text.length; start += PIECE_CHARACTERS) {
      counted += tokenizer.encode(text.slice(start, start + PIECE_CHARACTERS).toWellFormed()).length
      if (counted > limit * 1.25 + 64) throw contextExceeded(pod, { param, used: counted, isPartial: true, wanted: null })
    }
  }
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap(part => (typeof part.text === 'string' ? [part.text] : []))
}

/** Output units of one sequence: what was asked for, or what is left of the context. @throws HeuristError context_length_exceeded */
function outputBound(pod: PodRecord, used: number, wanted: number | null, param: string): number {
  const left = pod.manifest.spec.model.contextLength - used
  if (wanted === null ? left < 1 : wanted > left) throw contextExceeded(pod, { param, used, wanted })
  return wanted ?? left
}

export function chatBounds(request: ChatRequest, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds {
  const tools = request.tools ?? undefined
  const toolText = tools ? [JSON.stringify(tools)] : []
  refuseEndless('messages', [...request.messages.flatMap(message => textsOf(message.content)), ...toolText], pod, tokenizer)
  const inputUnits = tokenizer
    ? tokenizer.countChat(request.messages, tools)
    : countBytes(JSON.stringify(request.messages) + toolText.join(''))
  const wanted = request.max_completion_tokens ?? request.max_tokens ?? null
  return { inputUnits, maxOutputUnits: outputBound(pod, inputUnits, wanted, 'messages') * (request.n ?? 1) }
}

export function completionBounds(request: CompletionRequest, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds {
  let inputUnits = 0
  let maxOutputUnits = 0
  for (const prompt of listOfPrompts(request.prompt)) {
    if (typeof prompt === 'string') refuseEndless('prompt', [prompt], pod, tokenizer)
    const units = countPrompt(prompt, tokenizer)
    inputUnits += units
    maxOutputUnits += outputBound(pod, units, request.max_tokens ?? null, 'prompt') * (request.n ?? 1)
  }
  return { inputUnits, maxOutputUnits }
}

export function embeddingBounds(request: EmbeddingRequest, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds {
  let inputUnits = 0
  for (const [index, text] of listOfPrompts(request.input).entries()) {
    if (typeof text === 'string') refuseEndless('input', [text], pod, tokenizer)
    const units = countInput(text, tokenizer)
    if (units > pod.manifest.spec.model.contextLength) {
      throw gatewayError(
        'context_length_exceeded',
        `The maximum input of "${pod.name}" is ${pod.manifest.spec.model.contextLength} tokens, and input ${index} has ${units}. Split it.`,
        { param: 'input' },
      )
    }
    inputUnits += units
  }
  return { inputUnits, maxOutputUnits: 0 }
}

/** A program's job is one input unit; its output is bounded by the manifest and, when that is less, by the request. */
export function commandBounds(request: CommandRequest, pod: PodRecord): UnitBounds {
  const allowed = pod.manifest.spec.command?.maxOutputBytes ?? 0
  return { inputUnits: 1, maxOutputUnits: commandOutputUnits(Math.min(request.max_output_bytes ?? allowed, allowed)) }
}

/** Which runtimes answer which kind of job. */
const RUNTIMES: Readonly<Record<JobKind, readonly string[]>> = {
  chat: ['llm', 'agent'],
  completion: ['llm'],
  embedding: ['embedding'],
  command: ['command'],
}

/** @throws HeuristError unsupported_model */
export function refuseWrongRuntime(kind: JobKind, pod: PodRecord): void {
  const { runtime } = pod.manifest.spec
  if (RUNTIMES[kind].includes(runtime)) return
  throw gatewayError('unsupported_model', `The model "${pod.name}" is of the kind "${runtime}" and does not answer ${kind} requests.`, {
    param: 'model',
  })
}
