import { gatewayError } from './errors.ts'

export type JsonObject = { readonly [key: string]: unknown }

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch {
    throw gatewayError('invalid_json', 'The request body is not valid UTF-8. Encode the JSON as UTF-8.')
  }
}

/**
 * Nesting depth by one pass over the text, before any parser recurses into it.
 * Brackets inside strings do not count.
 */
export function exceedsDepth(text: string, maxDepth: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 92) i++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 91 || code === 123) {
      if (++depth > maxDepth) return true
    } else if (code === 93 || code === 125) depth--
  }
  return false
}

function pathOf(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`
  return parent === '' ? key : `${parent}.${key}`
}

/** First member at which `accuse` finds a fault, depth first. The depth is bounded by {@link exceedsDepth}. */
function findMember(value: unknown, accuse: (key: string | number, member: unknown) => boolean, path = ''): string | null {
  if (value === null || typeof value !== 'object') return null
  const entries: Iterable<[string | number, unknown]> = Array.isArray(value) ? value.entries() : Object.entries(value)
  for (const [key, member] of entries) {
    const here = pathOf(path, key)
    if (accuse(key, member)) return here
    const found = findMember(member, accuse, here)
    if (found !== null) return found
  }
  return null
}

function illFormed(value: unknown): boolean {
  return typeof value === 'string' && !value.isWellFormed()
}

/**
 * `__proto__` (which a careless merge would turn into a prototype) and halves of surrogate pairs (which are no text: a tokenizer can not
 * count them). Both are looked for only where the raw text hints at them: the walk stays off the usual path.
 */
function refuseTraps(value: unknown, text: string): void {
  // Any of its letters may be written as an escape.
  if (text.includes('__proto__') || text.includes('\\u00')) {
    const path = findMember(value, key => key === '__proto__')
    if (path !== null) throw gatewayError('invalid_value', `The member "${path}" is not accepted. Remove it.`, { param: path })
  }
  if (text.includes('\\ud') || text.includes('\\uD')) {
    const path = findMember(value, (key, member) => illFormed(key) || illFormed(member))
    if (path !== null) {
      throw gatewayError(
        'invalid_value',
        `"${path.toWellFormed()}" holds half of a surrogate pair, which is not text. Send whole characters.`,
        {
          param: path.toWellFormed(),
        },
      )
    }
  }
}

/** A request body as a JSON object. @throws HeuristError invalid_json, invalid_type, invalid_value */
export function parseJsonObject(body: Buffer, maxDepth: number): JsonObject {
  const text = decodeUtf8(body)
  if (text.trim() === '') throw gatewayError('invalid_json', 'The request body is empty. Send a JSON object.')
  if (exceedsDepth(text, maxDepth)) {
    throw gatewayError('invalid_json', `The request body is nested deeper than ${maxDepth} levels. Send a flatter JSON object.`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw gatewayError('invalid_json', 'The request body is not valid JSON. Check for missing quotes, commas or a cut-off end.')
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
    throw gatewayError('invalid_type', `The request body must be a JSON object, not ${found}.`)
  }
  refuseTraps(value, text)
  return value as JsonObject // cast: an object that is neither null nor an array, checked above
}
