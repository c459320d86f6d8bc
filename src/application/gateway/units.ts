import type { Tokenizer } from '#platform'
import type { JobKind, PodRecord } from '#protocol'
import { gatewayError } from './errors.ts'
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

function contextExceeded(pod: PodRecord, used: number, wanted: number | null): Error {
  const limit = pod.manifest.spec.model.contextLength
  const asked =
    wanted === null ? `your input has ${used} tokens` : `you asked for ${used + wanted} tokens (${used} of input, ${wanted} of output)`
  return gatewayError(
    'context_length_exceeded',
    `The maximum context length of "${pod.name}" is ${limit} tokens, and ${asked}. Shorten the input${wanted === null ? '' : ' or lower max_tokens'}.`,
    { param: wanted === null ? 'messages' : 'max_tokens' },
  )
}

/** Output units of one sequence: what was asked for, or what is left of the context. @throws HeuristError context_length_exceeded */
function outputBound(pod: PodRecord, inputUnits: number, wanted: number | null): number {
  const left = pod.manifest.spec.model.contextLength - inputUnits
  if (wanted === null ? left < 1 : wanted > left) throw contextExceeded(pod, inputUnits, wanted)
  return wanted ?? left
}

export function chatBounds(request: ChatRequest, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds {
  const tools = request.tools ?? undefined
  const inputUnits = tokenizer
    ? tokenizer.countChat(request.messages, tools)
    : countBytes(JSON.stringify(request.messages) + (tools ? JSON.stringify(tools) : ''))
  const wanted = request.max_completion_tokens ?? request.max_tokens ?? null
  return { inputUnits, maxOutputUnits: outputBound(pod, inputUnits, wanted) * (request.n ?? 1) }
}

export function completionBounds(request: CompletionRequest, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds {
  let inputUnits = 0
  let maxOutputUnits = 0
  for (const prompt of listOfPrompts(request.prompt)) {
    const units = countPrompt(prompt, tokenizer)
    inputUnits += units
    maxOutputUnits += outputBound(pod, units, request.max_tokens ?? null) * (request.n ?? 1)
  }
  return { inputUnits, maxOutputUnits }
}

export function embeddingBounds(request: EmbeddingRequest, pod: PodRecord, tokenizer: Tokenizer | null): UnitBounds {
  let inputUnits = 0
  for (const [index, text] of listOfPrompts(request.input).entries()) {
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

/** Which runtimes answer which kind of job. */
const RUNTIMES: Readonly<Record<JobKind, readonly string[]>> = { chat: ['llm', 'agent'], completion: ['llm'], embedding: ['embedding'] }

/** @throws HeuristError unsupported_model */
export function refuseWrongRuntime(kind: JobKind, pod: PodRecord): void {
  const { runtime } = pod.manifest.spec
  if (RUNTIMES[kind].includes(runtime)) return
  throw gatewayError('unsupported_model', `The model "${pod.name}" is of the kind "${runtime}" and does not answer ${kind} requests.`, {
    param: 'model',
  })
}
