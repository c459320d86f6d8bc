import { type Clock, type Signer, signAlone } from '#platform'
import { type DiscardReceipt, discardReceiptDigest, type SignedDiscardReceipt } from '#protocol'

/** Proof, signed with the network's router key, that a job cost nothing: for jobs whose router can not sign it any more. */
export type DiscardSigner = (facts: Omit<DiscardReceipt, 'discardedAtMs'>) => SignedDiscardReceipt

export function createDiscardSigner(router: Signer, separator: Uint8Array, clock: Clock): DiscardSigner {
  return facts => {
    const discard = { ...facts, discardedAtMs: clock.now() }
    return { discard, router: router.address, routerSignature: signAlone(router, separator, discardReceiptDigest(separator, discard)) }
  }
}
