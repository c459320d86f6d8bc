import {
  type Address,
  type Bytes32,
  type ChoiceOutput,
  canMove,
  HeuristError,
  isTerminal,
  type JobOrder,
  type JobSink,
  type JobState,
  type JobUnits,
  type LeaseId,
  type NodeId,
  type PodId,
  type Receipt,
  type RouteClass,
  ZERO_BYTES32,
} from '#protocol'
import type { Fault } from './errors.ts'
import type { Demand } from './filter.ts'
import type { Hosting } from './hosting.ts'
import type { Session } from './link/session.ts'
import { limitsOf, type Meter, type OutputLimits } from './metering.ts'

/** `JOB_BAD_TRANSITION`: a defect of the router, never of its input. */
export type JobErrorCode = 'JOB_BAD_TRANSITION'

/** `waiting`: leased, no output yet · `loading`: the pod is being loaded · `streaming` · `signing`: all output is here. */
export type LeasePhase = 'waiting' | 'loading' | 'streaming' | 'signing'

/**
 * The right to run one attempt. `live` turns false once and for ever; only a live lease earns (law L8).
 * The slot stays taken until the node confirms that it stopped, so that it is not given work it can not start.
 */
export type Lease = {
  readonly leaseId: LeaseId
  readonly fencingToken: number
  readonly attempt: number
  readonly channel: number
  readonly session: Session
  readonly hosting: Hosting
  /** Owner as the chain named it when the lease was granted; it is the one who is paid. */
  readonly nodeOwner: Address
  readonly job: Job
  readonly meter: Meter
  readonly grantedAtMs: number
  /** Of the decision that chose its node; what the receipt says about how the job came there. */
  decisionHash: Bytes32
  routeClass: RouteClass
  phase: LeasePhase
  live: boolean
  phaseMessages: number
  /** The node has announced a load; it may do so once. */
  hasLoaded: boolean
  /** It has sent all that its client was ready for: how long it took is not its doing alone. */
  wasHeldUp: boolean
  holdsSlot: boolean
  /** Tokens the node was allowed to send so far, and those not yet told to it. */
  creditTokens: number
  unsentCreditTokens: number
  nextSequence: number
  /** Last time that output came, or that its client was seen to be behind. */
  heardAtMs: number
  cancelDeadline: () => void
}

/** What waits for the node's signature. */
export type Draft = {
  readonly receipt: Receipt
  readonly digest: Uint8Array
  readonly digestHex: Bytes32
  readonly units: JobUnits
  readonly choices: readonly ChoiceOutput[]
}

/** One job inside the router, from submission to its one terminal state (law L2). */
export type Job = {
  readonly order: JobOrder
  readonly sink: JobSink
  readonly podId: PodId
  readonly payer: Address
  /** Tokens that it may be: those of its prompt and the most that it may produce. */
  readonly tokens: number
  /** What its payer gets beside others that wait for the same pod. */
  readonly weight: number
  readonly demand: Demand
  /** The same set as `demand.excluded`, which the filter may only read. */
  readonly excluded: Set<NodeId>
  readonly limits: OutputLimits
  readonly submittedAtMs: number
  state: JobState
  attempts: number
  lease: Lease | null
  /** A second attempt beside a silent first one (hedge.ts). */
  hedge: Lease | null
  startedOutput: boolean
  /** Of the last decision. */
  decisionHash: Bytes32
  lastFault: Fault | null
  draft: Draft | null
  /** Tokens sent when the client went away; it pays for no more. Null while it listens. */
  tokensAtCancel: number | null
  cancelQueueTimer: () => void
  cancelTotalTimer: () => void
  cancelHedgeTimer: () => void
}

export function createJob(order: JobOrder, sink: JobSink, nowMs: number): Job {
  const excluded = new Set<NodeId>()
  const { pod, preferences, referredNodes } = order
  const limits = limitsOf(order.request, pod.manifest.spec)
  return {
    order,
    sink,
    podId: pod.podId,
    payer: order.payer,
    tokens: order.inputUnits + limits.maxTokens,
    weight: order.weight ?? 1,
    demand: { pod, preferences, referredNodes, excluded },
    excluded,
    limits,
    submittedAtMs: nowMs,
    state: 'held',
    attempts: 0,
    lease: null,
    hedge: null,
    startedOutput: false,
    decisionHash: ZERO_BYTES32,
    lastFault: null,
    draft: null,
    tokensAtCancel: null,
    cancelQueueTimer: () => {},
    cancelTotalTimer: () => {},
    cancelHedgeTimer: () => {},
  }
}

/** The only place where a job changes state. @throws HeuristError JOB_BAD_TRANSITION */
export function moveJob(job: Job, to: JobState): void {
  if (!canMove(job.state, to)) {
    throw new HeuristError<JobErrorCode>('JOB_BAD_TRANSITION', `Job ${job.order.jobId} can not go from ${job.state} to ${to}.`)
  }
  job.state = to
}

/** The other attempt of its job, while there are two (hedge.ts). */
export function otherAttempt({ job, leaseId }: Lease): Lease | null {
  return job.lease?.leaseId === leaseId ? job.hedge : job.lease
}

/** The job goes on with this attempt alone. */
export function keepOnly(lease: Lease): void {
  lease.job.lease = lease
  lease.job.hedge = null
}

export function isFinished(job: Job): boolean {
  return isTerminal(job.state)
}
