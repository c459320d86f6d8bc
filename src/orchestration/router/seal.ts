import { type Signer, signGroup } from '#platform'
import {
  type Address,
  type DecisionRecord,
  type DiscardReceipt,
  decisionDigest,
  decisionHash,
  discardReceiptDigest,
  type Hex,
  type Receipt,
  type SignedDecision,
  type SignedDiscardReceipt,
  type SignedReceipt,
} from '#protocol'

/** A promise to sign: reading it for the first time signs everything that was promised meanwhile, with one signature. */
export type Seal = () => Hex
export type Sealer = {
  readonly router: Address
  /** Promises the router's signature over a digest. */
  seal(digest: Uint8Array): Seal
}
export type SealContext = { readonly separator: Uint8Array; readonly sealer: Sealer }

/** Members of one group at most: their proofs have six words, and a signature costs each a 64th of 40 µs. */
const GROUP = 64

/**
 * The router signs decisions, receipts and discards as late as it can: when the first of them is read, which is when the
 * database writes them. So all that one group commit holds costs one signature (signed-group.ts), and nothing waits for it.
 */
export function createSealer(signer: Signer, separator: Uint8Array): Sealer {
  let promised: { readonly digest: Uint8Array; signature: Hex | null }[] = []

  function signAll(): void {
    const group = promised
    promised = []
    const signatures = signGroup(
      signer,
      separator,
      group.map(({ digest }) => digest),
    )
    for (const [position, member] of group.entries()) member.signature = signatures[position]!
  }

  const seal = (digest: Uint8Array): Seal => {
    const member: (typeof promised)[number] = { digest, signature: null }
    if (promised.push(member) === GROUP) signAll()
    return () => {
      if (member.signature === null) signAll()
      return member.signature!
    }
  }
  return { router: signer.address, seal }
}

/** Signed when its signature is first read. */
export function sealDecision(record: DecisionRecord, context: SealContext): SignedDecision {
  const { separator, sealer } = context
  const recordHash = decisionHash(record)
  const seal = sealer.seal(decisionDigest(separator, record.jobId, record.attempt, recordHash))
  return {
    record,
    recordHash,
    router: sealer.router,
    get routerSignature() {
      return seal()
    },
  }
}

/** Signed when its signature is first read. */
export function sealReceipt(
  draft: { readonly receipt: Receipt; readonly digest: Uint8Array },
  nodeSignature: Hex,
  sealer: Sealer,
): SignedReceipt {
  const seal = sealer.seal(draft.digest)
  return {
    receipt: draft.receipt,
    nodeSignature,
    router: sealer.router,
    get routerSignature() {
      return seal()
    },
  }
}

/** Signed when its signature is first read. */
export function sealDiscard(discard: DiscardReceipt, { separator, sealer }: SealContext): SignedDiscardReceipt {
  const seal = sealer.seal(discardReceiptDigest(separator, discard))
  return {
    discard,
    router: sealer.router,
    get routerSignature() {
      return seal()
    },
  }
}
