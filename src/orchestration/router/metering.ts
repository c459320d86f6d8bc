import type { Tokenizer } from '#platform'
import {
  bytesToHex,
  type ChoiceOutput,
  commandOutputUnits,
  type Delta,
  type FinishReason,
  type JobRequest,
  keccakBytes,
  type ToolCallDelta,
} from '#protocol'

/** What a job may produce at most; everything beyond is a flood. */
export type OutputLimits = {
  /** Tokens over all choices. */
  readonly maxTokens: number
  /** Choices, or vectors of an embedding. */
  readonly maxChoices: number
  /** Width of each vector; null when the manifest does not say. */
  readonly dimensions: number | null
}

type Choice = { text: string; toolCalls: Map<number, { id: string; name: string; arguments: string }>; embedding: Float32Array | null }

/** The router's own count and copy of one attempt's output. The node's figures are advisory. */
export type Meter = {
  /** Takes one frame in; a text when it breaks a limit. */
  accept(delta: Delta): string | null
  tokens(): number
  /** Output as `outputHash` commits to it. Null when the finish list does not match what was sent. */
  choices(finish: readonly { readonly index: number; readonly reason: FinishReason }[]): ChoiceOutput[] | null
}

// A token of text has about 4 bytes and rarely more than 64; a frame without tokens carries the rest of a character.
const BYTES_PER_TOKEN = 64
const FREE_BYTES = 64 * 1024
const FREE_FRAMES = 1024
// Enough for any tool list; a hostile index would otherwise grow the map.
const MAX_TOOL_CALLS = 128

function positiveInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null
}

function countOf(list: unknown): number {
  // A list of numbers is one prompt given as token ids.
  return Array.isArray(list) && typeof list[0] !== 'number' ? Math.max(1, list.length) : 1
}

type Bounds = {
  readonly model: { readonly contextLength: number; readonly dimensions?: number | undefined }
  readonly command?: { readonly maxOutputBytes: number } | undefined
}

/** Limits that follow from the user's own request, and the model's context or the program's bound. */
export function limitsOf(request: JobRequest, { model, command }: Bounds): OutputLimits {
  const { body, kind } = request
  if (kind === 'command') {
    const maxBytes = Math.min(positiveInteger(body.max_output_bytes) ?? Number.POSITIVE_INFINITY, command?.maxOutputBytes ?? 0)
    return { maxTokens: commandOutputUnits(maxBytes), maxChoices: 1, dimensions: null }
  }
  if (kind === 'embedding') return { maxTokens: 0, maxChoices: countOf(body.input), dimensions: model.dimensions ?? null }
  const perChoice = positiveInteger(body.max_completion_tokens) ?? positiveInteger(body.max_tokens) ?? model.contextLength
  const maxChoices = (positiveInteger(body.n) ?? 1) * (kind === 'completion' ? countOf(body.prompt) : 1)
  return { maxTokens: Math.min(perChoice, model.contextLength) * maxChoices, maxChoices, dimensions: null }
}

function newChoice(): Choice {
  return { text: '', toolCalls: new Map(), embedding: null }
}

function addToolCalls(choice: Choice, pieces: readonly ToolCallDelta[]): void {
  for (const piece of pieces) {
    const call = choice.toolCalls.get(piece.index) ?? { id: '', name: '', arguments: '' }
    if (piece.id !== undefined) call.id = piece.id
    if (piece.name !== undefined) call.name = piece.name
    call.arguments += piece.arguments ?? ''
    choice.toolCalls.set(piece.index, call)
  }
}

function bytesOf(delta: Delta): number {
  let bytes = delta.text.length
  for (const call of delta.toolCalls ?? []) bytes += (call.arguments?.length ?? 0) + (call.name?.length ?? 0) + (call.id?.length ?? 0)
  return bytes
}

export function createMeter(limits: OutputLimits, slackTokens: number): Meter {
  const outputs = new Map<number, Choice>()
  let tokens = 0
  let bytes = 0
  let frames = 0

  function limitBroken(delta: Delta): string | null {
    if (delta.choice >= limits.maxChoices) return `output for choice ${delta.choice} of ${limits.maxChoices}`
    if (tokens > limits.maxTokens + slackTokens) return `${tokens} tokens where at most ${limits.maxTokens} were asked for`
    if (bytes > FREE_BYTES + BYTES_PER_TOKEN * tokens) return `${bytes} bytes of text for ${tokens} tokens`
    if (frames > FREE_FRAMES + limits.maxChoices + 4 * tokens) return `${frames} frames for ${tokens} tokens`
    return null
  }

  function embed(choice: Choice, vector: Float32Array): string | null {
    if (choice.embedding) return 'a second vector for the same input'
    if (limits.dimensions !== null && vector.length !== limits.dimensions)
      return `a vector of ${vector.length} instead of ${limits.dimensions}`
    choice.embedding = vector
    return null
  }

  return {
    accept(delta) {
      tokens += delta.tokens
      bytes += bytesOf(delta)
      frames += 1
      const broken = limitBroken(delta)
      if (broken !== null) return broken
      let choice = outputs.get(delta.choice)
      if (!choice) {
        choice = newChoice()
        outputs.set(delta.choice, choice)
      }
      choice.text += delta.text
      if (delta.toolCalls) addToolCalls(choice, delta.toolCalls)
      if (choice.toolCalls.size > MAX_TOOL_CALLS) return `more than ${MAX_TOOL_CALLS} tool calls`
      return delta.embedding ? embed(choice, delta.embedding) : null
    },
    tokens: () => tokens,
    choices(finish) {
      const reasons = new Map(finish.map(({ index, reason }) => [index, reason]))
      if (reasons.size !== finish.length || reasons.size > limits.maxChoices) return null
      for (const index of outputs.keys()) if (!reasons.has(index)) return null
      // A choice may end without output (an immediate stop), but not outside the request.
      if ([...reasons.keys()].some(index => index >= limits.maxChoices)) return null
      return [...reasons]
        .sort(([a], [b]) => a - b)
        .map(([index, finishReason]) => outputOf(index, outputs.get(index) ?? newChoice(), finishReason))
    },
  }
}

function outputOf(index: number, choice: Choice, finishReason: FinishReason): ChoiceOutput {
  const toolCalls = [...choice.toolCalls].sort(([a], [b]) => a - b).map(([, call]) => call)
  const { embedding } = choice
  if (!embedding) return { index, text: choice.text, toolCalls, finishReason }
  const bytes = new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength)
  return { index, text: choice.text, toolCalls, finishReason, embeddingHash: bytesToHex(keccakBytes(bytes)) }
}

// Wire form of a call around its name and arguments, in tokens; chat templates need 10 to 15.
const TOOL_CALL_TOKENS = 16

/**
 * Tokens to charge: what was counted from frames, or what the final text re-tokenises to when that is less
 * (padding with empty tokens earns nothing). Runs after the last token was passed on.
 */
export function chargedTokens(counted: number, choices: readonly ChoiceOutput[], tokenizer: Pick<Tokenizer, 'encode'> | null): number {
  if (!tokenizer || counted === 0) return counted
  let retokenized = 0
  for (const { text, toolCalls } of choices) {
    // One more per choice: the end-of-text token is generated and has no text.
    retokenized += 1 + (text === '' ? 0 : tokenizer.encode(text).length)
    for (const call of toolCalls) retokenized += TOOL_CALL_TOKENS + tokenizer.encode(`${call.name}${call.arguments}`).length
  }
  return Math.min(counted, retokenized)
}

/** What a program's output measures, whatever its node counted: its bytes are here. */
export function chargedPieces(counted: number, choices: readonly ChoiceOutput[]): number {
  return Math.min(counted, commandOutputUnits(choices.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)))
}

/** Re-tokenising may split text differently from how it was generated: this much above is honest. */
export function isOverclaim(claimed: number, charged: number, choices: number): boolean {
  return claimed > charged + Math.max(8 + 2 * choices, Math.ceil(charged / 10))
}
