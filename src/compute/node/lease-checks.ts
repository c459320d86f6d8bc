import { HeuristError, MAX_PARAM_CHARS, type PodRecord, type Receipt, type RouterMessage, requestHash } from '#protocol'

export type LeaseMessage = Extract<RouterMessage, { type: 'lease' }>

/**
 * Why a lease failed on the node, besides what replicas and engines say.
 * - `NODE_POD_UNKNOWN`: the router leased a pod that it did not announce
 * - `NODE_MANIFEST_MISMATCH`: the lease names another version of the pod than this node knows
 * - `NODE_REQUEST_MISMATCH`: the request is not the one that the lease commits to
 * - `NODE_LEASE_STALE`: a lease, fencing token or channel that was already used
 * - `NODE_NO_SLOT`: more leases than the node can hold
 * - `NODE_DEADLINE`: a phase took longer than the lease allows
 * - `NODE_ENGINE_FAILED`: the engine failed without saying why in a code of its own
 * - `NODE_OUTPUT_OVERFLOW`: the engine produced without waiting for the link
 * - `NODE_DRAINING`: the node is stopping
 * - `CANCELLED`: the router took the lease back
 */
export type NodeLeaseErrorCode =
  | 'NODE_POD_UNKNOWN'
  | 'NODE_MANIFEST_MISMATCH'
  | 'NODE_REQUEST_MISMATCH'
  | 'NODE_LEASE_STALE'
  | 'NODE_NO_SLOT'
  | 'NODE_DEADLINE'
  | 'NODE_ENGINE_FAILED'
  | 'NODE_OUTPUT_OVERFLOW'
  | 'NODE_DRAINING'
  | 'CANCELLED'

/** An error that goes over the link as `failed`. */
export function leaseError(code: NodeLeaseErrorCode, message: string, options: { retryable: boolean; cause?: unknown }): HeuristError {
  return new HeuristError<NodeLeaseErrorCode>(code, message, options)
}

/** What the lease commits to must be what it carries; a router that mixes them up gets no work done in its name. */
export function checkLease(lease: LeaseMessage, pod: PodRecord | undefined): PodRecord {
  if (!pod) {
    throw leaseError('NODE_POD_UNKNOWN', `This node was never told about pod ${lease.podId}.`, { retryable: true })
  }
  if (pod.manifestHash !== lease.manifestHash) {
    const detail = `this node has version ${pod.manifestHash}, the lease names ${lease.manifestHash}`
    throw leaseError('NODE_MANIFEST_MISMATCH', `Pod ${pod.name} differs: ${detail}.`, { retryable: true })
  }
  if (requestHash(lease.request) !== lease.requestHash) {
    throw leaseError('NODE_REQUEST_MISMATCH', 'The request does not hash to what the lease commits to.', { retryable: false })
  }
  return pod
}

/** What the node itself knows about work it did. */
export type WorkDone = {
  readonly nodeId: string
  readonly outputHash: string
  /** Null when nobody can check it: the engine was stopped before it counted, or the pod has no tokenizer to count alike. */
  readonly inputUnits: number | null
  readonly outputUnits: number
  /** Tokens that may have been under way when the client left: it pays for what it was sent, not for what was still to come. */
  readonly unsentUnits: number
}

/**
 * Two tokenizers, a template counted in or out, or a text that tokenises shorter than it was generated: a small model at a high
 * temperature strays from the canonical split by a fifth. More than this is another job.
 */
const SLACK_UNITS = 16
const SLACK_SHARE = 0.25

function slackOf(units: number): number {
  return Math.max(SLACK_UNITS, Math.ceil(units * SLACK_SHARE))
}

/**
 * Why the node will not sign `receipt`; null when it is what the node did. A node signs neither for less than it is owed
 * nor for more than it did: the second would be evidence against itself. Price and payer are the router's to answer for.
 */
export function objectionToReceipt(receipt: Receipt, lease: LeaseMessage, work: WorkDone): string | null {
  const expected = {
    jobId: lease.jobId,
    leaseId: lease.leaseId,
    fencingToken: lease.fencingToken,
    attempt: lease.attempt,
    podId: lease.podId,
    manifestHash: lease.manifestHash,
    requestHash: lease.requestHash,
    outputHash: work.outputHash,
    node: work.nodeId,
  }
  for (const [field, value] of Object.entries(expected)) {
    const given = receipt[field as keyof typeof expected] // cast: the keys of `expected` are receipt fields
    if (given !== value) return `The receipt's ${field} is ${given}, the node's is ${value}.`
  }
  if (receipt.finishedAtMs < receipt.startedAtMs) return 'The receipt says that the job finished before it started.'
  const { inputUnits, outputUnits, unsentUnits } = work
  const objection = inputUnits === null ? null : objectionToUnits('inputUnits', receipt.inputUnits, { least: inputUnits, most: inputUnits })
  return objection ?? objectionToUnits('outputUnits', receipt.outputUnits, { least: outputUnits - unsentUnits, most: outputUnits })
}

function objectionToUnits(field: string, given: number, own: { least: number; most: number }): string | null {
  const slack = slackOf(own.most)
  if (given >= own.least - slack && given <= own.most + slack) return null
  return `The receipt's ${field} is ${given}, the node counted ${own.most} (slack ${slack}).`
}

/** The member of the request that an engine names. */
export function paramOf({ payload }: HeuristError): string {
  const { param } = (payload ?? {}) as { param?: unknown } // cast: any payload, read with care
  return typeof param === 'string' ? param.slice(0, MAX_PARAM_CHARS) : ''
}
