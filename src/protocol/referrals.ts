import type { Address, Bytes32, NodeId } from './ids.ts'
import { ZERO_BYTES32 } from './ids.ts'
import { bytesToHex, hexToBytes, keccakBytes } from './keccak.ts'
import { merkleTree } from './merkle.ts'

/** A leaf of a frontend's referral tree: keccak256(keccak256(abi.encode(hotKey))). */
export function referralLeaf(nodeId: NodeId): Bytes32 {
  const word = Buffer.alloc(32)
  word.set(hexToBytes(nodeId), 12)
  return bytesToHex(keccakBytes(keccakBytes(word)))
}

/** The root by which `FrontendRegistry` knows a list of referred nodes; zero for an empty list. */
export function referralRoot(nodeIds: readonly NodeId[]): Bytes32 {
  const leaves = new Set(nodeIds.map(referralLeaf))
  return leaves.size === 0 ? ZERO_BYTES32 : merkleTree([...leaves]).root
}

/** A frontend as the chain has it. `referred`: the nodes behind `referralRoot`; null while nobody has told this gateway. */
export type FrontendView = {
  readonly frontendId: Bytes32
  readonly name: string
  readonly owner: Address
  readonly payout: Address
  readonly feeBps: number
  readonly referralRoot: Bytes32
  readonly referred: readonly NodeId[] | null
}
