import { computeUnitsOf } from '#economics'
import { recoverMember, type Signer, signAlone } from '#platform'
import {
  type Bytes32,
  type DiscardReceipt,
  discardReceiptDigest,
  type Hex,
  type JobOrder,
  type JobUnits,
  type Receipt,
  receiptDigest,
  type SignedDiscardReceipt,
  type SignedReceipt,
} from '#protocol'
import type { Lease } from './job.ts'

export type ReceiptFacts = {
  readonly order: JobOrder
  readonly lease: Lease
  readonly units: JobUnits
  readonly outputHash: Bytes32
  readonly decisionHash: Bytes32
  readonly finishedAtMs: number
}

/** What node and router are about to sign (DESIGN §4.8). The price follows from counted units alone. */
export function draftReceipt({ order, lease, units, outputHash, decisionHash, finishedAtMs }: ReceiptFacts): Receipt {
  return {
    jobId: order.jobId,
    podId: order.pod.podId,
    manifestHash: order.pod.manifestHash,
    requestHash: order.requestHash,
    outputHash,
    seedCommitment: order.seedCommitment,
    decisionHash,
    inputUnits: units.inputUnits,
    outputUnits: units.outputUnits,
    asset: order.asset,
    price: order.priceOf(units),
    payer: order.payer,
    frontend: order.frontend,
    node: lease.hosting.nodeId,
    leaseId: lease.leaseId,
    attempt: lease.attempt,
    fencingToken: lease.fencingToken,
    startedAtMs: lease.grantedAtMs,
    finishedAtMs,
    routeClass: lease.job.routeClass,
    computeUnits: unitsOfCompute(order, lease, finishedAtMs),
  }
}

function unitsOfCompute({ pod }: JobOrder, { hosting, grantedAtMs }: Lease, finishedAtMs: number): number {
  const { vramBytes, memoryBytes } = pod.manifest.spec.resources
  const slots = Math.max(1, ...hosting.replicas.map(replica => replica.slots))
  return computeUnitsOf({ busyMs: finishedAtMs - grantedAtMs, slots, vramBytes, memoryBytes })
}

/** Countersigns, or null when the node's signature is not over this receipt. */
export function countersign(receipt: Receipt, nodeSignature: Hex, separator: Uint8Array, signer: Signer): SignedReceipt | null {
  const digest = receiptDigest(separator, receipt)
  if (recoverMember(separator, digest, nodeSignature) !== receipt.node) return null
  return { receipt, nodeSignature, routerSignature: signAlone(signer, separator, digest), router: signer.address }
}

export function signDiscard(discard: DiscardReceipt, separator: Uint8Array, signer: Signer): SignedDiscardReceipt {
  return { discard, routerSignature: signAlone(signer, separator, discardReceiptDigest(separator, discard)), router: signer.address }
}
