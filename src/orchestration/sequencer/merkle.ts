import { type Bytes32, bytesToHex, hexToBytes, keccakBytes } from '#protocol'

/**
 * The tree of OpenZeppelin's `SimpleMerkleTree` (sorted leaves, sorted pairs), whose proofs the contract checks; a test holds
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

/** @throws RangeError without leaves */
export function merkleTree(leaves: readonly Bytes32[]): MerkleTree {
  if (leaves.length === 0) throw new RangeError('a Merkle tree needs at least one leaf')
  const sorted = leaves.toSorted()
  // Node i has the children 2i + 1 and 2i + 2; the leaves stand at the end, the last one first.
  const nodes: Uint8Array[] = new Array(2 * sorted.length - 1)
  for (const [index, leaf] of sorted.entries()) nodes[nodes.length - 1 - index] = hexToBytes(leaf)
  for (let index = sorted.length - 2; index >= 0; index--) nodes[index] = hashPair(nodes[2 * index + 1]!, nodes[2 * index + 2]!)
  return {
    root: bytesToHex(nodes[0]!),
    proof(leaf) {
      const position = sorted.indexOf(leaf)
      if (position < 0) return null
      const path: Bytes32[] = []
      for (let index = nodes.length - 1 - position; index > 0; index = (index - 1) >> 1) {
        path.push(bytesToHex(nodes[index % 2 === 1 ? index + 1 : index - 1]!))
      }
      return path
    },
  }
}

/** Inclusion proof of a receipt in a batch with these digests; null when it is not among them. */
export function receiptProof(digests: readonly Bytes32[], digest: Bytes32): Bytes32[] | null {
  return digests.length === 0 ? null : merkleTree(digests).proof(digest)
}
