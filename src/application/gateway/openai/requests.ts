import { z } from 'zod'
import { jobPreferencesSchema } from '#protocol'

/**
 * What a request must look like before it is let in. These schemas only judge: the body that reaches the engine is the user's own,
 * unchanged, unknown members included. Every optional member may be an explicit null, as the official clients send it.
 */
const finite = z.number()
const whole = z.number().refine(Number.isInteger, 'must be an integer')
const temperature = finite.min(0).max(2)
const penalty = finite.min(-2).max(2)
/** 64-bit seeds lose their low digits in JSON numbers; that is the client's to know, not an error. */
const seed = whole.min(-(2 ** 63)).max(2 ** 63)
const maxTokens = z.int().min(1)
/** OpenAI takes 4; open models are often called with more. */
const MAX_STOPS = 16
const stop = z.union([z.string(), z.array(z.string()).max(MAX_STOPS)], {
  error: `must be a string or a list of at most ${MAX_STOPS} strings`,
})
const streamOptions = z.looseObject({ include_usage: z.boolean().nullish() })
const metadata = z.record(z.string(), z.string())

/** More choices than this multiply the work of one request beyond what a queue can plan for. */
export const MAX_CHOICES = 8
export const MAX_MESSAGES = 4096
export const MAX_INPUTS = 2048

const shared = {
  model: z.string().min(1).max(200),
  stream: z.boolean().nullish(),
  stream_options: streamOptions.nullish(),
  temperature: temperature.nullish(),
  top_p: finite.min(0).max(1).nullish(),
  top_k: z.int().min(-1).nullish(),
  seed: seed.nullish(),
  stop: stop.nullish(),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  presence_penalty: penalty.nullish(),
  frequency_penalty: penalty.nullish(),
  logit_bias: z.record(z.string(), finite.min(-100).max(100)).nullish(),
  user: z.string().max(512).nullish(),
  metadata: metadata.nullish(),
  heurist: jobPreferencesSchema.nullish(),
}

const contentPart = z
  .looseObject({ type: z.string().min(1), text: z.string().optional() })
  .refine(part => part.type !== 'text' || part.text !== undefined, {
    message: 'a part of type "text" needs "text"',
    path: ['text'],
  })
const content = z.union([z.string(), z.array(contentPart).min(1)], { error: 'must be a string or a non-empty array of content parts' })
const toolCall = z.looseObject({
  id: z.string(),
  type: z.string(),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }).optional(),
})

const message = z.discriminatedUnion(
  'role',
  [
    z.looseObject({ role: z.enum(['system', 'developer', 'user']), content, name: z.string().nullish() }),
    z.looseObject({ role: z.literal('assistant'), content: content.nullish(), tool_calls: z.array(toolCall).nullish() }),
    z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string().min(1) }),
    z.looseObject({ role: z.literal('function'), content: z.string().nullish(), name: z.string() }),
  ],
  { error: issue => (issue.code === 'invalid_union' ? 'must be one of system, developer, user, assistant, tool, function' : undefined) },
)

const tool = z.looseObject({
  type: z.string(),
  function: z
    .looseObject({
      name: z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/, 'must be 1 to 64 letters, digits, "_", "-" or "."'),
      description: z.string().nullish(),
      parameters: z.looseObject({}).nullish(),
      strict: z.boolean().nullish(),
    })
    .optional(),
})

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({ name: z.string().min(1).max(64), schema: z.looseObject({}).nullish(), strict: z.boolean().nullish() }),
  }),
])

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({ type: z.string(), function: z.looseObject({ name: z.string() }).optional() }),
])

type ChatShape = { stream?: boolean | null | undefined; stream_options?: unknown }

function streamOptionsNeedStream(body: ChatShape, context: z.RefinementCtx): void {
  if (body.stream_options != null && body.stream !== true) {
    context.addIssue({ code: 'custom', path: ['stream_options'], message: 'is only allowed when "stream" is true' })
  }
}

export const chatRequestSchema = z
  .looseObject({
    ...shared,
    messages: z.array(message).min(1, 'must hold at least one message').max(MAX_MESSAGES),
    max_tokens: maxTokens.nullish(),
    max_completion_tokens: maxTokens.nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    response_format: responseFormat.nullish(),
    tools: z.array(tool).min(1, 'must hold at least one tool, or be left out').max(128).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
  })
  .superRefine((body, context) => {
    streamOptionsNeedStream(body, context)
    if (body.top_logprobs != null && body.logprobs !== true) {
      context.addIssue({ code: 'custom', path: ['top_logprobs'], message: 'is only allowed when "logprobs" is true' })
    }
    if (body.tool_choice == null) return
    if (!body.tools) {
      context.addIssue({ code: 'custom', path: ['tool_choice'], message: 'is only allowed when "tools" are specified' })
    } else if (typeof body.tool_choice === 'object' && body.tool_choice.function) {
      const { name } = body.tool_choice.function
      if (body.tools.every(entry => entry.function?.name !== name)) {
        context.addIssue({ code: 'custom', path: ['tool_choice'], message: `names the function "${name}", which is not among "tools"` })
      }
    }
  })
export type ChatRequest = z.output<typeof chatRequestSchema>

const tokenIds = z.array(z.int().min(0)).min(1)
/** Text, texts, token ids, or lists of token ids. */
const textOrTokens = z.union([z.string(), z.array(z.string()).min(1).max(MAX_INPUTS), tokenIds, z.array(tokenIds).min(1).max(MAX_INPUTS)], {
  error: `must be a string, a list of at most ${MAX_INPUTS} strings, a list of token ids, or a list of such lists`,
})
export type TextOrTokens = z.output<typeof textOrTokens>

export const completionRequestSchema = z
  .looseObject({
    ...shared,
    prompt: textOrTokens,
    max_tokens: z.int().min(0).nullish(),
    logprobs: z.int().min(0).max(5).nullish(),
    best_of: z.int().min(0).max(20).nullish(),
    echo: z.boolean().nullish(),
    suffix: z.string().nullish(),
  })
  .superRefine((body, context) => {
    streamOptionsNeedStream(body, context)
    if (body.best_of != null && body.best_of !== (body.n ?? 1)) {
      context.addIssue({ code: 'custom', path: ['best_of'], message: 'other than "n" is not supported; leave it out' })
    }
  })
export type CompletionRequest = z.output<typeof completionRequestSchema>

export const embeddingRequestSchema = z.looseObject({
  model: shared.model,
  input: textOrTokens,
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).max(65_536).nullish(),
  user: shared.user,
  heurist: shared.heurist,
})
export type EmbeddingRequest = z.output<typeof embeddingRequestSchema>

/** The members of `textOrTokens` as a list: one entry per prompt. */
export function listOfPrompts(input: TextOrTokens): (string | number[])[] {
  if (typeof input === 'string') return [input]
  if (typeof input[0] === 'number') return [input as number[]] // cast: a list is homogeneous (schema)
  return input as (string | number[])[] // cast: a list is homogeneous (schema)
}
