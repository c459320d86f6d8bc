import type { Bytes32, Hex } from './ids.ts'
import type { FinishReason } from './job.ts'

/**
 * The two messages that every job brings, judged by hand: the schema takes a multiple of the time. Whatever is not exactly of
 * their shape goes to the schema, which says what is wrong; a test holds both against each other.
 */
type Done = {
  readonly type: 'done'
  readonly leaseId: Bytes32
  readonly fencingToken: number
  readonly outputHash: Bytes32
  readonly inputUnits: number
  readonly outputUnits: number
  finish: { readonly index: number; readonly reason: FinishReason }[]
}
type SignedLease = { readonly leaseId: Bytes32; readonly fencingToken: number; readonly digest: Bytes32 }
type Signed = { readonly type: 'signed'; leases: SignedLease[]; readonly signature: Hex }
type Fields = Readonly<Record<string, unknown>>

const WORD = /^0x[0-9a-f]{64}$/
const SIGNATURE = /^0x[0-9a-f]{130}$/
const REASONS: ReadonlySet<unknown> = new Set(['stop', 'length', 'content_filter', 'tool_calls'])
/** Most leases that one `signed` may name. */
export const MAX_SIGNED_LEASES = 256

const isWord = (value: unknown): value is `0x${string}` => typeof value === 'string' && WORD.test(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0 // cast: an integer, just checked
const isToken = (value: unknown): value is number => isCount(value) && value > 0

function isFinish(value: unknown): value is Done['finish'][number] {
  if (typeof value !== 'object' || value === null) return false
  const { index, reason } = value as Fields // cast: any object may be read by key
  return isCount(index) && REASONS.has(reason)
}

function isSignedLease(value: unknown): value is SignedLease {
  if (typeof value !== 'object' || value === null) return false
  const { leaseId, fencingToken, digest } = value as Fields // cast: any object may be read by key
  return isWord(leaseId) && isToken(fencingToken) && isWord(digest)
}

function doneOf(message: Fields): Done | null {
  const { leaseId, fencingToken, outputHash, inputUnits, outputUnits, finish } = message
  if (!isWord(leaseId) || !isToken(fencingToken) || !isWord(outputHash) || !isCount(inputUnits) || !isCount(outputUnits)) return null
  // One choice is the usual case; more go the long way.
  if (!Array.isArray(finish) || finish.length !== 1 || !isFinish(finish[0])) return null
  const [{ index, reason }] = finish
  return { type: 'done', leaseId, fencingToken, outputHash, inputUnits, outputUnits, finish: [{ index, reason }] }
}

function signedOf(message: Fields): Signed | null {
  const { leases, signature } = message
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) return null
  if (!Array.isArray(leases) || leases.length === 0 || leases.length > MAX_SIGNED_LEASES || !leases.every(isSignedLease)) return null
  return {
    type: 'signed',
    leases: leases.map(({ leaseId, fencingToken, digest }) => ({ leaseId, fencingToken, digest })),
    signature: signature as `0x${string}`, // cast: the pattern is checked above
  }
}

/** The message when it is one of the two and well-formed, as the schema would read it; else null. */
export function readHotMessage(value: unknown): Done | Signed | null {
  if (typeof value !== 'object' || value === null) return null
  const message = value as Fields // cast: any object may be read by key
  if (message.type === 'done') return doneOf(message)
  return message.type === 'signed' ? signedOf(message) : null
}
