import type { z } from 'zod'
import { type GatewayErrorCode, gatewayError } from './errors.ts'

/** `["messages", 0, "role"]` as OpenAI writes it: `messages[0].role`. */
export function paramOf(path: readonly PropertyKey[]): string {
  let text = ''
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : text === '' ? String(key) : `.${String(key)}`
  return text
}

function codeOf(issue: z.core.$ZodIssue, value: unknown): GatewayErrorCode {
  if (issue.code === 'custom') return 'invalid_value'
  if (value === undefined) return 'missing_required_parameter'
  return issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value'
}

function memberAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<PropertyKey, unknown>)[key] // cast: an object or array read by the path that zod walked
  }
  return value
}

/** Checks `body` and answers the typed view of it. @throws HeuristError with `param` and a message that says what is wrong there */
export function validate<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  if (!issue) throw gatewayError('invalid_value', 'The request body is not valid.')
  const param = paramOf(issue.path)
  const code = codeOf(issue, memberAt(body, issue.path))
  const said = issue.message.replace(/^Invalid input: /, '')
  const text = code === 'missing_required_parameter' ? `Missing required parameter: "${param}".` : `Invalid "${param}": ${said}.`
  throw gatewayError(code, text, param === '' ? {} : { param })
}
