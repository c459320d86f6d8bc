import { computeUnitsOf, priceOfJob } from '#economics'
import type { Bytes32, JobOrder, JobUnits, Receipt } from '#protocol'
import type { Lease } from './job.ts'

export type ReceiptFacts = {
  readonly order: JobOrder
  readonly lease: Lease
  readonly units: JobUnits
  readonly outputHash: Bytes32
  readonly finishedAtMs: number
}

/** What node and router are about to sign (DESIGN §4.8). The price follows from counted units alone. */
export function draftReceipt({ order, lease, units, outputHash, finishedAtMs }: ReceiptFacts): Receipt {
  return {
    jobId: order.jobId,
    podId: order.pod.podId,
    manifestHash: order.pod.manifestHash,
    requestHash: order.requestHash,
    outputHash,
    seedCommitment: order.seedCommitment,
    decisionHash: lease.decisionHash,
    inputUnits: units.inputUnits,
    outputUnits: units.outputUnits,
    asset: order.asset,
    price: priceOfJob(order.pricing, units),
    payer: order.payer,
    frontend: order.frontend,
    node: lease.hosting.nodeId,
    leaseId: lease.leaseId,
    attempt: lease.attempt,
    fencingToken: lease.fencingToken,
    startedAtMs: lease.grantedAtMs,
    finishedAtMs,
    routeClass: lease.routeClass,
    computeUnits: unitsOfCompute(order, lease, finishedAtMs),
  }
}

function unitsOfCompute({ pod }: JobOrder, { hosting, grantedAtMs }: Lease, finishedAtMs: number): number {
  const { vramBytes, memoryBytes } = pod.manifest.spec.resources
  const slots = Math.max(1, ...hosting.replicas.map(replica => replica.slots))
  return computeUnitsOf({ busyMs: finishedAtMs - grantedAtMs, slots, vramBytes, memoryBytes })
}
