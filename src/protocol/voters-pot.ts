import type { Address, PodId } from './ids.ts'
import { bytesToHex, hexToBytes, keccakBytes } from './keccak.ts'

const LABEL = Buffer.from('pod voters')
/** Asked for every job, and pods are few. */
const pots = new Map<PodId, Address>()

/**
 * The account that stands for a pod's voters in splits and batches, as `JobSettlement.potOf` computes it:
 * `keccak256(abi.encode("pod voters", podId))`, the last 20 bytes. Nobody has its key.
 */
export function votersPotOf(podId: PodId): Address {
  let pot = pots.get(podId)
  if (!pot) {
    pot = computePot(podId)
    pots.set(podId, pot)
  }
  return pot
}

function computePot(podId: PodId): Address {
  const encoded = Buffer.alloc(128)
  encoded.writeUInt32BE(64, 28)
  encoded.set(hexToBytes(podId), 32)
  encoded.writeUInt32BE(LABEL.length, 92)
  encoded.set(LABEL, 96)
  return bytesToHex(keccakBytes(encoded).subarray(12))
}
