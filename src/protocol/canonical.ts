import type { Bytes32 } from './ids.ts'
import { keccak256 } from './keccak.ts'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/**
 * One text per JSON value (RFC 8785 manner): keys sorted by UTF-16 code units, no spaces, `undefined` members left out.
 * Bigints are written as decimal strings. Two parties that hold the same value hash the same bytes.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key] // cast: a plain object read by its own keys
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`)
  }
  return `{${members.join(',')}}`
}

/** keccak256 of {@link canonicalJson}: the identity of a request, an output, a manifest or a decision record. */
export function canonicalHash(value: unknown): Bytes32 {
  return keccak256(canonicalJson(value))
}
