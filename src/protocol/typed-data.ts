import { type Address, type Bytes32, type JobId, jobIdToBytes32 } from './ids.ts'
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

const encodedTypes = new WeakMap<StructType, Uint8Array>()

/** The struct's `encodeType` text, e.g. `Decision(bytes32 jobId,uint32 attempt,bytes32 recordHash)`. */
export function encodeType(type: StructType): string {
  return `${type.name}(${type.fields.map(([name, kind]) => `${kind} ${name}`).join(',')})`
}

function typeHash(type: StructType): Uint8Array {
  let hash = encodedTypes.get(type)
  if (!hash) {
    hash = keccakBytes(Buffer.from(encodeType(type)))
    encodedTypes.set(type, hash)
  }
  return hash
}

function writeField(target: Buffer, offset: number, kind: FieldType, value: unknown): void {
  if (kind === 'string') target.set(keccakBytes(Buffer.from(String(value))), offset)
  else if (kind === 'bytes32') target.write(String(value).slice(2), offset, 32, 'hex')
  else if (kind === 'address') target.write(String(value).slice(2), offset + 12, 20, 'hex')
  else writeUint(target, offset, BigInt(value as bigint | number)) // cast: the struct types below only hold bigint or number here
}

function writeUint(target: Buffer, offset: number, value: bigint): void {
  if (value < 0n) throw new RangeError('typed data: an unsigned field can not be negative')
  target.write(value.toString(16).padStart(64, '0'), offset, 32, 'hex')
}

/** hashStruct of EIP-712. */
export function hashStruct(type: StructType, message: Readonly<Record<string, unknown>>): Uint8Array {
  const buffer = Buffer.alloc(32 * (type.fields.length + 1))
  buffer.set(typeHash(type), 0)
  let offset = 32
  for (const [name, kind] of type.fields) {
    writeField(buffer, offset, kind, message[name])
    offset += 32
  }
  return keccakBytes(buffer)
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
