import type { Bytes32 } from './ids.ts'
import { bytesToHex, hexToBytes, keccakBytes } from './keccak.ts'

/**
 * The tree of OpenZeppelin's `SimpleMerkleTree` (sorted leaves, sorted pairs), whose proofs the contracts check; a test holds
 * it against the library. Our own because the library needs 150 µs per leaf: 150 ms of the event loop for 1,000 receipts.
 */
export type MerkleTree = {
  readonly root: Bytes32
  /** The nodes beside the path from the leaf to the root; null when the leaf is not in the tree. */
  proof(leaf: Bytes32): Bytes32[] | null
}

const WORD_BYTES = 32
const pair = Buffer.alloc(2 * WORD_BYTES)

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const ordered = Buffer.compare(left, right) <= 0
  pair.set(ordered ? left : right, 0)
  pair.set(ordered ? right : left, WORD_BYTES)
  return keccakBytes(pair)
}

/** All nodes, the root first; node i has the children 2i + 1 and 2i + 2, and leaf i of n is node 2n - 2 - i. @throws RangeError without leaves */
export function merkleNodes(leaves: readonly Uint8Array[]): readonly Uint8Array[] {
  const count = leaves.length
  if (count === 0) throw new RangeError('a Merkle tree needs at least one leaf')
  const nodes: Uint8Array[] = new Array(2 * count - 1)
  for (let i = 0; i < count; i++) nodes[2 * count - 2 - i] = leaves[i]!
  for (let i = count - 2; i >= 0; i--) nodes[i] = hashPair(nodes[2 * i + 1]!, nodes[2 * i + 2]!)
  return nodes
}

/** The nodes beside the path from leaf `position` up to the root. */
export function merklePath(nodes: readonly Uint8Array[], position: number): Uint8Array[] {
  const path: Uint8Array[] = []
  for (let i = nodes.length - 1 - position; i > 0; i = (i - 1) >> 1) path.push(nodes[i % 2 === 1 ? i + 1 : i - 1]!)
  return path
}

/** The root that a leaf and its proof lead to. */
export function merkleRootOf(leaf: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  return proof.reduce(hashPair, leaf)
}

/** @throws RangeError without leaves */
export function merkleTree(leaves: readonly Bytes32[]): MerkleTree {
  const sorted = leaves.toSorted()
  const nodes = merkleNodes(sorted.map(hexToBytes))
  return {
    root: bytesToHex(nodes[0]!),
    proof(leaf) {
      const position = sorted.indexOf(leaf)
      return position < 0 ? null : merklePath(nodes, position).map(bytesToHex)
    },
  }
}

/** Inclusion proof of a receipt in a batch with these digests; null when it is not among them. */
export function receiptProof(digests: readonly Bytes32[], digest: Bytes32): Bytes32[] | null {
  return digests.length === 0 ? null : merkleTree(digests).proof(digest)
}
