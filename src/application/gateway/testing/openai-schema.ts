import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

/** The shapes of answers as OpenAI publishes them: its API document with all that this gateway answers, at a fixed version. */
const DOCUMENT = JSON.parse(readFileSync(new URL('openai-document.json', import.meta.url), 'utf8')) as object // cast: a file of this folder

export type OpenAiSchema =
  | 'CreateChatCompletionResponse'
  | 'CreateChatCompletionStreamResponse'
  | 'CreateCompletionResponse'
  | 'CreateEmbeddingResponse'
  | 'Model'
  | 'ListModelsResponse'
  | 'ErrorResponse'

/** OpenAPI's older `nullable: true`, which the document still uses in places, as JSON Schema. */
function withNulls(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withNulls)
  if (node === null || typeof node !== 'object') return node
  const { nullable, ...rest } = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withNulls(value)]))
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest
}

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
ajv.addSchema(withNulls(DOCUMENT) as object, 'openai') // cast: an object goes in and comes out

/** Says what is wrong with `value` in the words of the schema; an empty list when it is valid. */
function faultsOf(schema: OpenAiSchema, value: unknown): string[] {
  const validate = ajv.compile({ $ref: `openai#/components/schemas/${schema}` })
  return validate(value) ? [] : (validate.errors ?? []).map(error => `${error.instancePath} ${error.message}`)
}

/** Throws when `value` is not what the published document allows; also holds answers to what the document only says in words. */
export function assertOpenAi(schema: OpenAiSchema, value: unknown): void {
  const faults = faultsOf(schema, value)
  const usage = (value as { usage?: { prompt_tokens: number; completion_tokens?: number; total_tokens: number } | null }).usage // cast: checked by the schema above
  if (usage && usage.prompt_tokens + (usage.completion_tokens ?? 0) !== usage.total_tokens) faults.push('usage does not add up')
  if (faults.length > 0) throw new Error(`not a valid ${schema}: ${faults.join('; ')}\n${JSON.stringify(value).slice(0, 500)}`)
}

type CompletionChunk = { readonly choices: readonly { readonly finish_reason: string | null }[]; readonly usage?: object | null }

/**
 * A streamed text completion. The document has one shape for it and the whole answer, in which no reason and no usage can be null; in words it
 * says that usage is null before the last chunk, and OpenAI's own streams have no reason before a choice ends.
 */
export function assertCompletionChunk(value: unknown): void {
  const { usage, choices, ...rest } = value as CompletionChunk // cast: checked by the schema below
  const ended = choices.map(choice => ({ ...choice, finish_reason: choice.finish_reason ?? 'stop' }))
  assertOpenAi('CreateCompletionResponse', { ...rest, choices: ended, ...(usage && { usage }) })
}
