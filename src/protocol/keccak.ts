import { createKeccak } from 'hash-wasm'
import type { Bytes32, Hex } from './ids.ts'

// WebAssembly keccak: the pure-JS one costs 21 µs for 200 bytes, and every job hashes several structs.
const hasher = await createKeccak(256)

/** keccak256 of bytes, as bytes. */
export function keccakBytes(data: Uint8Array): Uint8Array {
  return hasher.init().update(data).digest('binary')
}

/** keccak256 of bytes or UTF-8 text, as 0x hex. */
export function keccak256(data: Uint8Array | string): Bytes32 {
  return `0x${hasher.init().update(data).digest('hex')}`
}

export function hexToBytes(hex: Hex): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex')
}

export function bytesToHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}
