import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

/**
 * The response shapes of OpenAI's published API document that this gateway answers, written down again in short: required keys, enums and
 * what may be null. Extra members are allowed there, and so they are here. `HEURIST_OPENAI_OPENAPI` names a copy of the document itself to check against instead.
 */
const STRING = { type: 'string' }
const INTEGER = { type: 'integer' }
const NUMBER = { type: 'number' }
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] })
const list = (items: object) => ({ type: 'array', items })
const one = (...values: string[]) => ({ type: 'string', enum: values })
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
function shape(required: Record<string, object>, optional: Record<string, object> = {}) {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } }
}

const REASONS = one('stop', 'length', 'tool_calls', 'content_filter', 'function_call')
const bytes = orNull(list(INTEGER))
const topLogprob = shape({ token: STRING, logprob: NUMBER, bytes })
const tokenLogprob = shape({ token: STRING, logprob: NUMBER, bytes, top_logprobs: list(topLogprob) })
const logprobs = orNull(shape({ content: orNull(list(tokenLogprob)), refusal: orNull(list(tokenLogprob)) }))
const toolCall = shape({ id: STRING, type: one('function'), function: shape({ name: STRING, arguments: STRING }) })
const message = shape({ role: one('assistant'), content: orNull(STRING), refusal: orNull(STRING) }, { tool_calls: list(toolCall) })
const toolCallChunk = shape(
  { index: INTEGER },
  { id: STRING, type: one('function'), function: shape({}, { name: STRING, arguments: STRING }) },
)
const delta = shape(
  {},
  {
    role: one('developer', 'system', 'user', 'assistant', 'tool'),
    content: orNull(STRING),
    refusal: orNull(STRING),
    tool_calls: list(toolCallChunk),
  },
)
const head = { id: STRING, created: INTEGER, model: STRING }
const legacyLogprobs = orNull(
  shape(
    {},
    {
      text_offset: list(INTEGER),
      token_logprobs: list(NUMBER),
      tokens: list(STRING),
      top_logprobs: list({ type: 'object', additionalProperties: NUMBER }),
    },
  ),
)

const COMPACT_DOCUMENT = {
  components: {
    schemas: {
      CompletionUsage: shape({ prompt_tokens: INTEGER, completion_tokens: INTEGER, total_tokens: INTEGER }),
      CreateChatCompletionResponse: shape(
        { ...head, object: one('chat.completion'), choices: list(shape({ index: INTEGER, message, logprobs, finish_reason: REASONS })) },
        { usage: ref('CompletionUsage'), system_fingerprint: STRING },
      ),
      CreateChatCompletionStreamResponse: shape(
        {
          ...head,
          object: one('chat.completion.chunk'),
          choices: list(shape({ index: INTEGER, delta, finish_reason: orNull(REASONS) }, { logprobs })),
        },
        { usage: orNull(ref('CompletionUsage')), system_fingerprint: STRING },
      ),
      CreateCompletionResponse: shape(
        {
          ...head,
          object: one('text_completion'),
          choices: list(
            shape({ index: INTEGER, text: STRING, logprobs: legacyLogprobs, finish_reason: one('stop', 'length', 'content_filter') }),
          ),
        },
        { usage: ref('CompletionUsage'), system_fingerprint: STRING },
      ),
      CreateEmbeddingResponse: shape({
        object: one('list'),
        model: STRING,
        data: list(shape({ index: INTEGER, object: one('embedding'), embedding: list(NUMBER) })),
        usage: shape({ prompt_tokens: INTEGER, total_tokens: INTEGER }),
      }),
      Model: shape({ id: STRING, object: one('model'), created: INTEGER, owned_by: STRING }),
      ListModelsResponse: shape({ object: one('list'), data: list(ref('Model')) }),
      ErrorResponse: shape({ error: shape({ type: STRING, message: STRING, param: orNull(STRING), code: orNull(STRING) }) }),
    },
  },
}

export type OpenAiSchema = keyof (typeof COMPACT_DOCUMENT)['components']['schemas']

/** OpenAPI's older `nullable: true`, which the document still uses in places, as JSON Schema. */
function withNulls(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withNulls)
  if (node === null || typeof node !== 'object') return node
  const { nullable, ...rest } = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withNulls(value)]))
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest
}

export type OpenAiCheck = (schema: OpenAiSchema, value: unknown) => string[]

/** Says what is wrong with `value` in the words of the schema; an empty list when it is valid. */
export function createOpenAiCheck(document: object): OpenAiCheck {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema(withNulls(document) as object, 'openai') // cast: an object goes in and comes out
  return (schema, value) => {
    const validate = ajv.compile({ $ref: `openai#/components/schemas/${schema}` })
    return validate(value) ? [] : (validate.errors ?? []).map(error => `${error.instancePath} ${error.message}`)
  }
}

export const compactCheck = createOpenAiCheck(COMPACT_DOCUMENT)

const documentPath = process.env.HEURIST_OPENAI_OPENAPI
/** The published document's own check, or null when no copy is at hand. */
export const publishedCheck = documentPath ? createOpenAiCheck(JSON.parse(readFileSync(documentPath, 'utf8'))) : null

/** Throws when `value` is not what the published document allows; also holds answers to what the document only says in words. */
export function assertOpenAi(schema: OpenAiSchema, value: unknown): void {
  const faults = [...compactCheck(schema, value), ...(publishedCheck?.(schema, value) ?? [])]
  const usage = (value as { usage?: { prompt_tokens: number; completion_tokens?: number; total_tokens: number } | null }).usage // cast: checked by the schema above
  if (usage && usage.prompt_tokens + (usage.completion_tokens ?? 0) !== usage.total_tokens) faults.push('usage does not add up')
  if (faults.length > 0) throw new Error(`not a valid ${schema}: ${faults.join('; ')}\n${JSON.stringify(value).slice(0, 500)}`)
}
