import type { AbiParameter } from 'viem'
import { HeuristError } from '#protocol'
import type { ChainErrorCode } from './port.ts'

/**
 * One argument of a call as a person types it: plain text where the contract takes one word or a text, JSON where it takes a
 * struct (`{"name": …}`, every member) or a list (`[…]`). Whole numbers beyond 2^53 go into quotes, as JSON would round them.
 * @throws HeuristError CHAIN_BAD_CALL naming the member that is wrong
 */
export function valueFromText(text: string, parameter: AbiParameter): unknown {
  const name = parameter.name || parameter.type
  return isNested(parameter) ? jsonValueOf(jsonOf(text, name, parameter), parameter, name) : wordOf(text, parameter, name)
}

/** What a parameter is to be given as, in words: `shares_ ({"deployerBps": uint16, …})`. */
export function wantedOf(parameter: AbiParameter): string {
  return `${parameter.name || 'value'} (${shapeOf(parameter)})`
}

export function badCall(message: string): HeuristError<ChainErrorCode> {
  return new HeuristError<ChainErrorCode>('CHAIN_BAD_CALL', message)
}

type Members = { readonly components?: readonly AbiParameter[] }
const LIST = /^(.*)\[(\d*)\]$/

function isNested({ type }: AbiParameter): boolean {
  return type.startsWith('tuple') || LIST.test(type)
}

function membersOf(parameter: AbiParameter): readonly AbiParameter[] {
  return (parameter as Members).components ?? [] // cast: of tuples, which have them
}

function shapeOf(parameter: AbiParameter): string {
  const list = LIST.exec(parameter.type)
  if (list) return `[${shapeOf({ ...parameter, type: list[1] ?? '' })}, …]`
  if (parameter.type !== 'tuple') return parameter.type
  return `{${membersOf(parameter)
    .map(member => `"${member.name}": ${shapeOf(member)}`)
    .join(', ')}}`
}

function jsonOf(text: string, name: string, parameter: AbiParameter): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badCall(`${name} must be JSON like ${shapeOf(parameter)}, not "${text}".`)
  }
}

function jsonValueOf(json: unknown, parameter: AbiParameter, path: string): unknown {
  const list = LIST.exec(parameter.type)
  if (list) return listOf(json, { element: { ...parameter, type: list[1] ?? '' }, length: list[2] ?? '' }, path)
  if (parameter.type === 'tuple') return structOf(json, parameter, path)
  if (typeof json === 'number' && !Number.isSafeInteger(json))
    throw badCall(`${path} (${parameter.type}): JSON would round ${json}. Write whole numbers, the long ones in quotes.`)
  if (!['string', 'number', 'boolean'].includes(typeof json)) throw badCall(`${path} must be ${shapeOf(parameter)}.`)
  return wordOf(String(json), parameter, path)
}

function listOf(json: unknown, { element, length }: { element: AbiParameter; length: string }, path: string): unknown[] {
  if (!Array.isArray(json)) throw badCall(`${path} must be a list: [${shapeOf(element)}, …].`)
  if (length !== '' && json.length !== Number(length)) throw badCall(`${path} must have ${length} values, not ${json.length}.`)
  return json.map((item, index) => jsonValueOf(item, element, `${path}[${index}]`))
}

function structOf(json: unknown, parameter: AbiParameter, path: string): Record<string, unknown> {
  const members = membersOf(parameter)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw badCall(`${path} must be ${shapeOf(parameter)}.`)
  const given = json as Record<string, unknown> // cast: just checked
  const extra = Object.keys(given).find(key => !members.some(({ name }) => name === key))
  if (extra !== undefined) throw badCall(`${path} has no member "${extra}". It is ${shapeOf(parameter)}.`)
  const missing = members.find(({ name }) => !Object.hasOwn(given, name ?? ''))
  if (missing) throw badCall(`${path} lacks "${missing.name}". It is ${shapeOf(parameter)}.`)
  return Object.fromEntries(members.map(member => [member.name, jsonValueOf(given[member.name ?? ''], member, `${path}.${member.name}`)]))
}

const PATTERNS: readonly (readonly [type: RegExp, text: RegExp, words: string])[] = [
  [/^u?int\d*$/, /^-?\d{1,78}$/, "a whole number in the contract's unit"],
  [/^bool$/, /^(?:true|false)$/, 'true or false'],
  [/^address$/, /^0x[0-9a-fA-F]{40}$/, 'an address'],
  [/^bytes\d*$/, /^0x(?:[0-9a-fA-F]{2})*$/, 'hex digits after 0x'],
  [/^string$/, /^/, 'a text'],
]

function wordOf(text: string, { type }: AbiParameter, path: string): unknown {
  const pattern = PATTERNS.find(([known]) => known.test(type))
  if (!pattern) throw badCall(`${path} has the type ${type}, which cannot be given as text.`)
  if (!pattern[1].test(text)) throw badCall(`${path} (${type}) must be ${pattern[2]}, not "${text}".`)
  if (type === 'bool') return text === 'true'
  if (/^u?int/.test(type)) return integerOf(text, type, path)
  const bytes = /^bytes(\d+)$/.exec(type)
  if (bytes && text.length !== 2 + 2 * Number(bytes[1])) throw badCall(`${path} (${type}) must have ${bytes[1]} bytes, not "${text}".`)
  return text
}

function integerOf(text: string, type: string, path: string): bigint {
  const value = BigInt(text)
  const bits = BigInt(/\d+$/.exec(type)?.[0] ?? 256)
  const [low, high] = type.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  if (value < low || value > high) throw badCall(`${path} (${type}) must be from ${low} to ${high}, not ${text}.`)
  return value
}
