import { z } from 'zod'
import { type Delta, FINISH_REASONS, type FinishReason, type TokenLogprob, type ToolCallDelta } from '#protocol'
import { upstreamBroken, upstreamError } from './http.ts'

const index = z.number().int().min(0).max(4096)
const chatLogprob = z.looseObject({ token: z.string(), logprob: z.number().nullable(), bytes: z.array(z.number().int()).nullish() })
const toolCall = z.looseObject({
  index: index.nullish(),
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
})
const usageSchema = z.looseObject({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() })

/** Tolerant: members may be missing or null; what is there must have the right type. */
const chunkSchema = z.looseObject({
  error: z.unknown().optional(),
  choices: z
    .array(
      z.looseObject({
        index: index.nullish(),
        text: z.string().nullish(),
        delta: z.looseObject({ content: z.string().nullish(), tool_calls: z.array(toolCall).nullish() }).nullish(),
        finish_reason: z.string().nullish(),
        logprobs: z
          .looseObject({
            content: z.array(chatLogprob.extend({ top_logprobs: z.array(chatLogprob).nullish() })).nullish(),
            tokens: z.array(z.string()).nullish(),
            token_logprobs: z.array(z.number().nullable()).nullish(),
            top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: usageSchema.nullish(),
})
type Chunk = z.output<typeof chunkSchema>
type ChunkChoice = NonNullable<Chunk['choices']>[number]

export type UpstreamUsage = { readonly promptTokens: number; readonly completionTokens: number | null }
export type ParsedChunk = {
  readonly deltas: readonly Delta[]
  readonly finish: readonly { readonly index: number; readonly reason: FinishReason }[]
  readonly usage: UpstreamUsage | null
}

/** OpenAI's figure for "too unlikely to say"; null has no place in a log probability. */
const UNLIKELY = -9999

function entryOf({ token, logprob, bytes }: z.output<typeof chatLogprob>): Omit<TokenLogprob, 'top_logprobs'> {
  return { token, logprob: logprob ?? UNLIKELY, bytes: bytes ?? [...Buffer.from(token)] }
}

function logprobsOf(choice: ChunkChoice): TokenLogprob[] | null {
  const { content, tokens, token_logprobs: values, top_logprobs: top } = choice.logprobs ?? {}
  if (content) return content.map(entry => ({ ...entryOf(entry), top_logprobs: (entry.top_logprobs ?? []).map(entryOf) }))
  if (!tokens) return null
  return tokens.map((token, i) => ({
    ...entryOf({ token, logprob: values?.[i] ?? null }),
    top_logprobs: Object.entries(top?.[i] ?? {}).map(([other, logprob]) => entryOf({ token: other, logprob })),
  }))
}

function toolCallsOf(choice: ChunkChoice): ToolCallDelta[] {
  return (choice.delta?.tool_calls ?? []).map((call, i) => ({
    index: call.index ?? i,
    ...(call.id && { id: call.id }),
    ...(call.function?.name && { name: call.function.name }),
    ...(call.function?.arguments !== undefined && call.function.arguments !== null && { arguments: call.function.arguments }),
  }))
}

/** Tokens are counted by the log probabilities where they come, else one per piece of output; `usage` corrects it at the end. */
function deltaOf(choice: ChunkChoice): Delta | null {
  const text = choice.text ?? choice.delta?.content ?? ''
  const toolCalls = toolCallsOf(choice)
  const logprobs = logprobsOf(choice)
  if (text === '' && toolCalls.length === 0 && !logprobs?.length) return null
  return {
    choice: choice.index ?? 0,
    tokens: logprobs?.length || 1,
    text,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(logprobs && logprobs.length > 0 && { logprobs }),
  }
}

function reasonOf(reason: string): FinishReason {
  if (reason === 'function_call') return 'tool_calls'
  const known = FINISH_REASONS.find(name => name === reason)
  if (!known) throw upstreamBroken(`it finished for the unknown reason ${JSON.stringify(reason.slice(0, 40))}`)
  return known
}

function usageOf(chunk: Chunk, maxPromptTokens: number): UpstreamUsage | null {
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = chunk.usage ?? {}
  if (typeof promptTokens !== 'number') return null
  if (!Number.isInteger(promptTokens) || promptTokens < 0 || promptTokens > maxPromptTokens)
    throw upstreamBroken(`it reports ${promptTokens} prompt tokens`)
  return { promptTokens, completionTokens: Number.isInteger(completionTokens) ? (completionTokens ?? null) : null }
}

/** One event of a stream. @throws HeuristError ENGINE_UPSTREAM_FAILED and the codes that an error event maps to */
export function parseChunk(data: string, limits: { choices: number; maxPromptTokens: number }): ParsedChunk {
  const chunk = readChunk(data)
  const choices = chunk.choices ?? []
  const stray = choices.find(choice => (choice.index ?? 0) >= limits.choices)
  if (stray) throw upstreamBroken(`it sent choice ${stray.index} of ${limits.choices}`)
  return {
    deltas: choices.flatMap(choice => deltaOf(choice) ?? []),
    finish: choices.flatMap(choice => (choice.finish_reason ? [{ index: choice.index ?? 0, reason: reasonOf(choice.finish_reason) }] : [])),
    usage: usageOf(chunk, limits.maxPromptTokens),
  }
}

function readChunk(data: string): Chunk {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (cause) {
    throw upstreamBroken('an event is not JSON', cause)
  }
  const result = chunkSchema.safeParse(value)
  if (!result.success) throw upstreamBroken('an event has a wrong shape', result.error)
  if (result.data.error !== undefined && result.data.error !== null) throw upstreamError(0, data)
  return result.data
}
