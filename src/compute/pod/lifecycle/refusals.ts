import { HeuristError, type PodRecord } from '#protocol'

/**
 * - `NODE_POD_FORBIDDEN`: the node's owner does not allow the pod
 * - `NODE_UNMET_REQUIREMENTS`: no device of the node can hold the pod (law R1, checked again here)
 * - `NODE_ENGINE_MISSING`: this node has no engine of the pod's kind
 * - `NODE_LOAD_FAILED`: the pod could not be loaded, or no device has room for it; the message says why
 */
export type ReplicaErrorCode = 'NODE_POD_FORBIDDEN' | 'NODE_UNMET_REQUIREMENTS' | 'NODE_ENGINE_MISSING' | 'NODE_LOAD_FAILED'

export function refusal(code: ReplicaErrorCode, message: string): HeuristError<ReplicaErrorCode> {
  return new HeuristError(code, message, { retryable: true })
}

export function loadFailure(pod: PodRecord, reason: string | null): HeuristError<ReplicaErrorCode> {
  return refusal('NODE_LOAD_FAILED', `Pod ${pod.name} could not be loaded: ${reason ?? 'no reason is known'}.`)
}
