import { engineError } from './engine.ts'

/** Reads members of an OpenAI body. Absent and null are the same; a wrong type or range is ENGINE_BAD_REQUEST with the member named. */
export type Body = Readonly<Record<string, unknown>>

export function badRequest(param: string, message: string): never {
  throw engineError('ENGINE_BAD_REQUEST', message, { payload: { param } })
}

export function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function numberOf(body: Body, param: string, range: { min: number; max: number; integer?: boolean }): number | undefined {
  const value = body[param]
  if (value === undefined || value === null) return undefined
  const whole = range.integer !== true || Number.isInteger(value)
  if (typeof value !== 'number' || !whole || !(value >= range.min && value <= range.max)) {
    return badRequest(param, `"${param}" must be ${range.integer ? 'an integer' : 'a number'} from ${range.min} to ${range.max}.`)
  }
  return value
}

export function booleanOf(body: Body, param: string): boolean {
  const value = body[param]
  if (value === undefined || value === null) return false
  return typeof value === 'boolean' ? value : badRequest(param, `"${param}" must be true or false.`)
}

export function objectOf(body: Body, param: string): Body | undefined {
  const value = body[param]
  if (value === undefined || value === null) return undefined
  return isObject(value) ? value : badRequest(param, `"${param}" must be an object.`)
}

export function listOf(body: Body, param: string): readonly unknown[] | undefined {
  const value = body[param]
  if (value === undefined || value === null) return undefined
  return Array.isArray(value) ? value : badRequest(param, `"${param}" must be a list.`)
}

/**
 * `prompt` or `input` in OpenAI's four shapes: a string, a list of strings, one list of tokens, a list of lists of tokens.
 */
export function textOrTokens(value: unknown, param: string): (string | readonly number[])[] {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value) || value.length === 0) {
    return badRequest(param, `"${param}" must be a string, a list of strings, a list of tokens, or a list of lists of tokens; not empty.`)
  }
  if (isTokenList(value)) return [value]
  return value.map((item, i) => {
    if (typeof item === 'string') return item
    return isTokenList(item) && item.length > 0
      ? item
      : badRequest(`${param}[${i}]`, `"${param}[${i}]" must be a string or a list of tokens.`)
  })
}

function isTokenList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(item => Number.isInteger(item) && item >= 0)
}
