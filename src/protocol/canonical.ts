import type { Bytes32 } from './ids.ts'
import { keccak256 } from './keccak.ts'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/**
 * One text per JSON value (RFC 8785 manner): keys sorted by UTF-16 code units, no spaces, `undefined` members left out.
 * Bigints are written as decimal strings. Two parties that hold the same value hash the same bytes.
 */
export function canonicalJson(value: unknown): string {
  // Every request, output and decision is hashed, so this is a hot path: native JSON for strings, plain concatenation for the rest.
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value === 'bigint') return `"${value}"`
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value as Record<string, unknown>) // cast: a plain object read by its own keys
}

function canonicalArray(items: readonly unknown[]): string {
  let text = ''
  for (const item of items) text += text === '' ? canonicalJson(item) : `,${canonicalJson(item)}`
  return `[${text}]`
}

function canonicalObject(object: Readonly<Record<string, unknown>>): string {
  let text = ''
  for (const key of sortedKeys(object)) {
    const member = object[key]
    if (member === undefined) continue
    const quoted = /^\w*$/.test(key) ? `"${key}"` : JSON.stringify(key)
    text += text === '' ? `${quoted}:${canonicalJson(member)}` : `,${quoted}:${canonicalJson(member)}`
  }
  return `{${text}}`
}

/** Most objects of ours are written in order already; looking is cheaper than sorting. */
function sortedKeys(object: Readonly<Record<string, unknown>>): string[] {
  const keys = Object.keys(object)
  for (let i = 1; i < keys.length; i++) if (keys[i]! < keys[i - 1]!) return keys.sort()
  return keys
}

/** keccak256 of {@link canonicalJson}: the identity of a request, an output, a manifest or a decision record. */
export function canonicalHash(value: unknown): Bytes32 {
  return keccak256(canonicalJson(value))
}
