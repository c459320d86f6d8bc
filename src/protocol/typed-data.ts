import { type Address, type Bytes32, type Hex, type JobId, jobIdToBytes32 } from './ids.ts'
import { bytesToHex, keccakBytes } from './keccak.ts'
import type { DiscardReceipt, Receipt } from './receipt.ts'

/**
 * EIP-712 for the messages this network signs. Written out because it stands on the path of every job:
 * type hashes are computed once, and a struct is one buffer and one hash (a general library needs about 140 µs).
 */
type FieldType = 'address' | 'bytes32' | 'uint256' | 'uint64' | 'uint32' | 'uint8' | 'string'
export type StructType<Name extends string = string> = { readonly name: Name; readonly fields: readonly (readonly [string, FieldType])[] }

export type Domain = { readonly name: string; readonly version: string; readonly chainId: number; readonly verifyingContract: Address }

export const RECEIPT_TYPE: StructType = {
  name: 'Receipt',
  fields: [
    ['jobId', 'bytes32'],
    ['podId', 'bytes32'],
    ['manifestHash', 'bytes32'],
    ['requestHash', 'bytes32'],
    ['outputHash', 'bytes32'],
    ['seedCommitment', 'bytes32'],
    ['decisionHash', 'bytes32'],
    ['inputUnits', 'uint64'],
    ['outputUnits', 'uint64'],
    ['asset', 'address'],
    ['price', 'uint256'],
    ['payer', 'address'],
    ['frontend', 'address'],
    ['node', 'address'],
    ['leaseId', 'bytes32'],
    ['attempt', 'uint32'],
    ['fencingToken', 'uint64'],
    ['startedAtMs', 'uint64'],
    ['finishedAtMs', 'uint64'],
    ['routeClass', 'uint8'],
    ['computeUnits', 'uint64'],
  ],
}

export const DISCARD_RECEIPT_TYPE: StructType = {
  name: 'DiscardReceipt',
  fields: [
    ['jobId', 'bytes32'],
    ['podId', 'bytes32'],
    ['requestHash', 'bytes32'],
    ['decisionHash', 'bytes32'],
    ['payer', 'address'],
    ['attempts', 'uint32'],
    ['reason', 'string'],
    ['discardedAtMs', 'uint64'],
  ],
}

export const DECISION_TYPE: StructType = {
  name: 'Decision',
  fields: [
    ['jobId', 'bytes32'],
    ['attempt', 'uint32'],
    ['recordHash', 'bytes32'],
  ],
}

/** A part of a router's journal of a pod's hosts; `head` is the hash of the segment up to the part's end. */
export const JOURNAL_TYPE: StructType = {
  name: 'Journal',
  fields: [
    ['segment', 'bytes32'],
    ['number', 'uint32'],
    ['head', 'bytes32'],
  ],
}

/** What a node signs to prove that it holds its key; `nonce` and `expiresAtMs` come from the router, so it can not be replayed. */
export const NODE_CHALLENGE_TYPE: StructType = {
  name: 'NodeChallenge',
  fields: [
    ['node', 'address'],
    ['router', 'address'],
    ['role', 'string'],
    ['nonce', 'bytes32'],
    ['expiresAtMs', 'uint64'],
    ['session', 'string'],
    ['generation', 'uint64'],
  ],
}

/** What a router signs in its welcome, so that the node knows whom it talks to. */
export const ROUTER_WELCOME_TYPE: StructType = {
  name: 'RouterWelcome',
  fields: [
    ['node', 'address'],
    ['router', 'address'],
    ['nonce', 'bytes32'],
    ['expiresAtMs', 'uint64'],
  ],
}

/** Hash of a type's text, as hex without 0x. */
const typeHashes = new WeakMap<StructType, string>()

/** The struct's `encodeType` text, e.g. `Decision(bytes32 jobId,uint32 attempt,bytes32 recordHash)`. */
export function encodeType(type: StructType): string {
  return `${type.name}(${type.fields.map(([name, kind]) => `${kind} ${name}`).join(',')})`
}

function typeHash(type: StructType): string {
  let hash = typeHashes.get(type)
  if (hash === undefined) {
    hash = wordOf(bytesToHex(keccakBytes(Buffer.from(encodeType(type)))))
    typeHashes.set(type, hash)
  }
  return hash
}

const ZEROS = '0'.repeat(64)

/** A field as the hex of its 32-byte word. */
function fieldWord(kind: FieldType, value: unknown): string {
  if (kind === 'string') return wordOf(bytesToHex(keccakBytes(Buffer.from(String(value)))))
  if (kind === 'bytes32' || kind === 'address') return wordOf(value as Hex) // cast: the struct types only hold hex here
  return uintWord(value as bigint | number) // cast: the struct types only hold bigint or number here
}

function wordOf(hex: Hex): string {
  return leftPadded(hex.slice(2))
}

function uintWord(value: bigint | number): string {
  if (value < 0) throw new RangeError('typed data: an unsigned field can not be negative')
  if (typeof value === 'number' && !Number.isInteger(value)) throw new RangeError('typed data: a field must be a whole number')
  return leftPadded(value.toString(16))
}

function leftPadded(digits: string): string {
  return digits.length < 64 ? ZEROS.slice(digits.length) + digits : digits
}

/** hashStruct of EIP-712. As one text that is decoded once: field by field into a buffer took a receipt twice as long. */
export function hashStruct(type: StructType, message: Readonly<Record<string, unknown>>): Uint8Array {
  let text = typeHash(type)
  for (const [name, kind] of type.fields) text += fieldWord(kind, message[name])
  return keccakBytes(Buffer.from(text, 'hex'))
}

const DOMAIN_TYPE: StructType = {
  name: 'EIP712Domain',
  fields: [
    ['name', 'string'],
    ['version', 'string'],
    ['chainId', 'uint256'],
    ['verifyingContract', 'address'],
  ],
}

export function domainSeparator(domain: Domain): Uint8Array {
  return hashStruct(DOMAIN_TYPE, domain)
}

/** The one domain of the job messages: the settlement contract that will count them. */
export function jobDomain(chainId: number, settlement: Address): Domain {
  return { name: 'Heurist', version: '1', chainId, verifyingContract: settlement }
}

/** Digest to sign: keccak256(0x1901 ‖ domain ‖ struct). */
export function typedDataDigest(separator: Uint8Array, type: StructType, message: Readonly<Record<string, unknown>>): Uint8Array {
  const buffer = Buffer.alloc(66)
  buffer[0] = 0x19
  buffer[1] = 0x01
  buffer.set(separator, 2)
  buffer.set(hashStruct(type, message), 34)
  return keccakBytes(buffer)
}

export function receiptDigest(separator: Uint8Array, receipt: Receipt): Uint8Array {
  return typedDataDigest(separator, RECEIPT_TYPE, { ...receipt, jobId: jobIdToBytes32(receipt.jobId) })
}

export function discardReceiptDigest(separator: Uint8Array, receipt: DiscardReceipt): Uint8Array {
  return typedDataDigest(separator, DISCARD_RECEIPT_TYPE, { ...receipt, jobId: jobIdToBytes32(receipt.jobId) })
}

export function decisionDigest(separator: Uint8Array, jobId: JobId, attempt: number, recordHash: Bytes32): Uint8Array {
  return typedDataDigest(separator, DECISION_TYPE, { jobId: jobIdToBytes32(jobId), attempt, recordHash })
}

export function journalDigest(separator: Uint8Array, piece: { segment: Bytes32; number: number; head: Bytes32 }): Uint8Array {
  return typedDataDigest(separator, JOURNAL_TYPE, piece)
}

/** The receipt's Merkle leaf: its digest, as hex. */
export function receiptLeaf(separator: Uint8Array, receipt: Receipt): Bytes32 {
  return bytesToHex(receiptDigest(separator, receipt))
}
