import type { Hex } from './ids.ts'
import { bytesToHex, hexToBytes } from './keccak.ts'
import { merkleNodes, merklePath, merkleRootOf } from './merkle.ts'
import { type StructType, typedDataDigest } from './typed-data.ts'

/**
 * One signature for many messages. A group is a Merkle tree over EIP-712 digests; what is signed is its root and its size, in the
 * same domain as the messages. Each member carries the signature and its own proof, so it is checked alone, by anyone:
 * digest → root → group digest → signer. Signing each of three messages of a job took a third of the router's time (ADR 0006).
 *
 * A digest can not pass for an inner node: it hashes 66 bytes, a node 64.
 */
export const GROUP_TYPE: StructType = {
  name: 'Group',
  fields: [
    ['root', 'bytes32'],
    ['count', 'uint32'],
  ],
}

/** Largest group; its proofs have 12 words. */
export const MAX_GROUP = 4096

const SIGNATURE_BYTES = 65
const COUNT_BYTES = 4
const HEAD_BYTES = SIGNATURE_BYTES + COUNT_BYTES
const WORD_BYTES = 32

/** A group before it is signed. */
export type Group = {
  /** What the signer signs. */
  readonly digest: Uint8Array
  /** Member `position`'s part of the group's signature: r ‖ s ‖ v (65 bytes) ‖ count (u32, big-endian) ‖ proof words. */
  member(position: number, signature: Hex): Hex
}

function groupDigest(separator: Uint8Array, root: Uint8Array, count: number): Uint8Array {
  return typedDataDigest(separator, GROUP_TYPE, { root: bytesToHex(root), count })
}

/** @throws RangeError without digests, or with more than {@link MAX_GROUP} */
export function groupOf(separator: Uint8Array, digests: readonly Uint8Array[]): Group {
  if (digests.length > MAX_GROUP) throw new RangeError(`a group has at most ${MAX_GROUP} members`)
  const nodes = merkleNodes(digests)
  const count = digests.length.toString(16).padStart(2 * COUNT_BYTES, '0')
  return {
    digest: groupDigest(separator, nodes[0]!, digests.length),
    member(position, signature) {
      let text = `${signature}${count}`
      for (const word of merklePath(nodes, position)) text += bytesToHex(word).slice(2)
      return text as Hex // cast: hex to which hex was added
    },
  }
}

/** Every leaf of a tree of `count` lies at one of two depths. */
function isDepthOf(count: number, depth: number): boolean {
  const shallow = Math.floor(Math.log2(count))
  return depth === shallow || (depth === shallow + 1 && 2 ** shallow !== count)
}

/** The group's digest as this member proves it, and the signature over it; null when the member's part is malformed. */
export function openMember(separator: Uint8Array, digest: Uint8Array, member: Hex): { digest: Uint8Array; signature: Hex } | null {
  const bytes = Buffer.from(hexToBytes(member))
  const proofBytes = bytes.length - HEAD_BYTES
  if (member.length !== 2 + 2 * bytes.length || proofBytes < 0 || proofBytes % WORD_BYTES !== 0) return null
  const count = bytes.readUInt32BE(SIGNATURE_BYTES)
  if (count < 1 || count > MAX_GROUP || !isDepthOf(count, proofBytes / WORD_BYTES)) return null
  const proof: Uint8Array[] = []
  for (let at = HEAD_BYTES; at < bytes.length; at += WORD_BYTES) proof.push(bytes.subarray(at, at + WORD_BYTES))
  return { digest: groupDigest(separator, merkleRootOf(digest, proof), count), signature: bytesToHex(bytes.subarray(0, SIGNATURE_BYTES)) }
}
