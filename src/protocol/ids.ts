import { z } from 'zod'

/** 0x-prefixed lower-case hex. */
export type Hex = `0x${string}`
/** 20-byte account, lower case. */
export type Address = Hex
/** 32-byte word, lower case. */
export type Bytes32 = Hex

export const addressSchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be a 0x-prefixed 20-byte address')
  .transform(value => value.toLowerCase() as Address) // cast: the pattern is checked above
export const bytes32Schema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, 'must be a 0x-prefixed 32-byte word')
  .transform(value => value.toLowerCase() as Bytes32) // cast: the pattern is checked above
export const signatureSchema = z
  .string()
  .regex(/^0x[0-9a-f]{130}$/, 'must be a 65-byte signature')
  .transform(value => value as Hex) // cast: the pattern is checked above

/** A member's part of a group signature (signed-group.ts): 65 bytes of signature, 4 of count, at most 12 words of proof. */
export const memberSignatureSchema = z
  .string()
  .regex(/^0x[0-9a-f]{138}(?:[0-9a-f]{64}){0,12}$/, 'must be a 65-byte signature, a count and a proof')
  .transform(value => value as Hex) // cast: the pattern is checked above

/** `job_` and 16 random bytes in hex; on chain the bytes stand left-aligned in a word. */
export type JobId = string & { readonly __id?: 'job' }
export type NodeId = Address
export type LeaseId = Bytes32
/** keccak256(abi.encode(deployer, name)) as `PodRegistry` computes it. */
export type PodId = Bytes32

export const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000'
export const ZERO_BYTES32: Bytes32 = '0x0000000000000000000000000000000000000000000000000000000000000000'

export const jobIdSchema = z
  .string()
  .regex(/^job_[0-9a-f]{32}$/, 'must be job_ and 32 hex digits')
  .transform(value => value as JobId) // cast: the pattern is checked above

/** A new job id from 16 random bytes (passed in, so that a simulation can replay it). */
export function jobIdFrom(random: Uint8Array): JobId {
  return `job_${Buffer.from(random.buffer, random.byteOffset, 16).toString('hex')}`
}

/** The job id as the word that stands in receipts. */
export function jobIdToBytes32(jobId: JobId): Bytes32 {
  return `0x${jobId.slice(4).padEnd(64, '0')}`
}
