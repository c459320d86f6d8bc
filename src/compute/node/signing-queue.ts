import type { Signer } from '#platform'
import { bytesToHex, groupOf, MAX_SIGNED_LEASES, type NodeMessage } from '#protocol'

/** One receipt that the node agrees with. */
export type Agreed = {
  readonly leaseId: `0x${string}`
  readonly fencingToken: number
  readonly digest: Uint8Array
  /** Its signature has left. */
  signed(): void
}

/**
 * Signs all receipts that one turn of the event loop brought with one signature (signed-group.ts): a router that batches what it
 * sends gets one answer for each batch.
 */
export function createSigningQueue(dependencies: {
  readonly signer: Signer
  readonly separator: Uint8Array
  readonly send: (message: NodeMessage) => void
  readonly later: (callback: () => void) => void
}): (agreed: Agreed) => void {
  const { signer, separator, send, later } = dependencies
  let waiting: Agreed[] = []

  function flush(): void {
    const group = waiting
    if (group.length === 0) return
    waiting = []
    const { digest } = groupOf(
      separator,
      group.map(agreed => agreed.digest),
    )
    const leases = group.map(agreed => ({ leaseId: agreed.leaseId, fencingToken: agreed.fencingToken, digest: bytesToHex(agreed.digest) }))
    send({ type: 'signed', leases, signature: signer.signDigest(digest) })
    for (const agreed of group) agreed.signed()
  }

  return agreed => {
    waiting.push(agreed)
    if (waiting.length === 1) later(flush)
    else if (waiting.length === MAX_SIGNED_LEASES) flush()
  }
}
