import type { SignedDecision } from './decision.ts'
import type { Address, Bytes32, JobId, NodeId } from './ids.ts'
import type { ChoiceOutput, Delta, JobPreferences, JobPricing, JobRequest, JobUnits } from './job.ts'
import type { NodeView } from './node.ts'
import type { PodRecord } from './pod.ts'
import type { SignedDiscardReceipt, SignedReceipt } from './receipt.ts'

/** One job as the gateway hands it to a router. The hold is already taken. */
export type JobOrder = {
  readonly jobId: JobId
  readonly pod: PodRecord
  readonly request: JobRequest
  readonly requestHash: Bytes32
  readonly seedCommitment: Bytes32
  /** Prompt tokens as the gateway counted them. */
  readonly inputUnits: number
  readonly payer: Address
  /** What the payer gets of a pod's slots beside a payer of weight 1 when both wait: 1 to 100. Absent: 1. */
  readonly weight?: number | undefined
  /** Zero address without a frontend. */
  readonly frontend: Address
  /** Nodes that the frontend refers to (priority 2). */
  readonly referredNodes: ReadonlySet<NodeId>
  readonly asset: Address
  /** What the price in atomic units of `asset` follows from; it is never above the hold (law L6). */
  readonly pricing: JobPricing
  readonly preferences: JobPreferences
  /** Whole-job deadline from submission, in ms. */
  readonly totalMs: number
  /** The caller's W3C trace context, when it sent one. */
  readonly traceparent?: string | undefined
}

export type LeaseView = { readonly leaseId: Bytes32; readonly nodeId: NodeId; readonly attempt: number; readonly fencingToken: number }

export type JobCompletion = {
  readonly signedReceipt: SignedReceipt
  /** EIP-712 digest of the receipt: its leaf in a batch. */
  readonly receiptDigest: Bytes32
  readonly nodeOwner: Address
  readonly units: JobUnits
  readonly choices: readonly ChoiceOutput[]
}

/** `code` is a RouterErrorCode; `startedOutput` says whether the client already got bytes (then nothing was retried). */
export type JobFailure = {
  readonly code: string
  readonly message: string
  readonly retryAfterMs: number | null
  /** Member of the request that its engine named as the fault, in OpenAI's notation. */
  readonly param: string | null
  readonly startedOutput: boolean
  readonly attempts: number
  readonly signedDiscard: SignedDiscardReceipt
}

/**
 * The gateway's ears on one job. Calls come in order: decided, leased, (loading), deltas…, then exactly one of completed or failed.
 * On a retry decided and leased come again. Plain callbacks and not an async iterator: this is the hot path.
 */
export type JobSink = {
  decided(decision: SignedDecision): void
  leased(lease: LeaseView): void
  loading(): void
  retrying(code: string, message: string): void
  /**
   * The router that made the last `count` decisions is gone, and may not have stored what they are replayed from: they are no part of the
   * job's record (law R2). Said by dispatchers whose router is another process.
   */
  undecided(count: number): void
  delta(delta: Delta): void
  completed(completion: JobCompletion): void
  failed(failure: JobFailure): void
}

export type JobControl = {
  /**
   * Stop: the client is gone. In the middle of a stream (`stream: true` in the request) what was sent so far becomes a
   * completion that the client pays for; else nothing was sent, and the job fails as cancelled.
   */
  cancel(reason: string): void
  /** Back-pressure: the client has taken `tokens` more tokens. Deltas stop when the window is used up. */
  grant(tokens: number): void
}

/** One pod on one node, as an autoscaler sees it. */
export type HostLoad = {
  readonly nodeId: NodeId
  readonly warm: number
  readonly loading: number
  /** Replicas that could be loaded now. */
  readonly cold: number
  /** Slots of the warm replicas, or of one when none is. */
  readonly slots: number
  readonly busy: number
  readonly unitsPerSecond: number
  /** Mean utilisation of the devices of its warm replicas, 0 to 1; null when none is measured. */
  readonly utilization: number | null
}
/** What is asked of a pod at this moment, and who could serve it. Nodes that may not serve are left out. */
export type PodLoad = {
  readonly podId: Bytes32
  readonly inFlight: number
  readonly pending: number
  readonly oldestPendingMs: number
  readonly hosts: readonly HostLoad[]
}

/** What a gateway asks of a router. In one process a direct call; between processes a remote driver of the same shape. */
export interface Dispatcher {
  dispatch(order: JobOrder, sink: JobSink): JobControl
  nodes(): NodeView[]
  /** Tell the nodes which pods exist now. */
  publishPods(pods: readonly PodRecord[]): void
  /** Warm, loading and total replicas and free slots per pod. */
  podCapacity(podId: Bytes32): { readonly warm: number; readonly loading: number; readonly replicas: number; readonly freeSlots: number }
}
