/**
 * Why a job failed. Each code reaches the gateway in `JobFailure.code` and stands in the discard receipt.
 *
 * - `ROUTER_NO_CANDIDATE`: no node can take the job now; the message groups the filter's reasons.
 * - `ROUTER_POD_ELSEWHERE`: this router may load no replica of the pod, and has none: another router has them.
 * - `ROUTER_POD_COLD`: the pod is loaded nowhere, and the job asked not to wait for it.
 * - `ROUTER_QUEUE_FULL`: as many jobs as allowed already wait for this pod.
 * - `ROUTER_QUEUE_TIMEOUT`: no slot became free within the pod's queue deadline.
 * - `ROUTER_LOAD_TIMEOUT`: the node did not finish loading the pod in time.
 * - `ROUTER_FIRST_TOKEN_TIMEOUT`: the node had the job but sent no output in time.
 * - `ROUTER_TOKEN_TIMEOUT`: the node began its output and then fell silent.
 * - `ROUTER_TOTAL_TIMEOUT`: the whole-job deadline passed.
 * - `ROUTER_NODE_LOST`: the node's link closed while it held the job, and it did not come back in time.
 * - `ROUTER_NODE_FAILED`: the node reported a failure of its own, or declined.
 * - `ROUTER_REQUEST_REJECTED`: the node says the request itself is at fault; another node would say the same.
 * - `ROUTER_CANCELLED`: the client went away before output, or its node did not answer the cancellation.
 * - `ROUTER_NODE_MISBEHAVED`: the node broke the protocol (flood, gap in its frames, wrong hash, wrong signature).
 * - `ROUTER_STOPPING`: this router is shutting down.
 */
export type RouterErrorCode =
  | 'ROUTER_NO_CANDIDATE'
  | 'ROUTER_POD_ELSEWHERE'
  | 'ROUTER_POD_COLD'
  | 'ROUTER_QUEUE_FULL'
  | 'ROUTER_QUEUE_TIMEOUT'
  | 'ROUTER_LOAD_TIMEOUT'
  | 'ROUTER_FIRST_TOKEN_TIMEOUT'
  | 'ROUTER_TOKEN_TIMEOUT'
  | 'ROUTER_TOTAL_TIMEOUT'
  | 'ROUTER_NODE_LOST'
  | 'ROUTER_NODE_FAILED'
  | 'ROUTER_REQUEST_REJECTED'
  | 'ROUTER_CANCELLED'
  | 'ROUTER_NODE_MISBEHAVED'
  | 'ROUTER_STOPPING'

/** One failed attempt, or the reason why none was made. */
export type Fault = {
  readonly code: RouterErrorCode
  readonly message: string
  readonly retryAfterMs?: number
  /** Member of the request that is at fault. */
  readonly param?: string
}

/**
 * Why a link was refused or closed; sent in `refused` and in the WebSocket close reason.
 *
 * - `LINK_VERSION`: the node speaks another version of the link protocol (the message has both numbers).
 * - `LINK_WRONG_CHAIN`: the node belongs to another chain.
 * - `LINK_UNAUTHORIZED`: the challenge was not signed by the node's key, or is not the challenge of this link.
 * - `LINK_CHALLENGE_EXPIRED`: the node answered the challenge too late.
 * - `LINK_UNEXPECTED`: a message that is not allowed at this point.
 * - `LINK_MALFORMED`: a message or frame that does not parse.
 * - `LINK_TOO_LARGE`: a message over the size limit.
 * - `LINK_RATE_LIMITED`: too many messages that belong to no lease.
 * - `LINK_SILENT`: no heartbeat in time; the session can be resumed.
 * - `LINK_GAP`: a batch of the session is missing; resumed, the node sends it again.
 * - `LINK_FENCED`: the same node key opened a newer link, or came back to its session over a newer one.
 * - `LINK_SLOW`: the node does not read, or acknowledge, what the router sends.
 * - `LINK_FOREIGN_LEASE`: the node answered a lease of another node.
 * - `LINK_FULL`: this router holds as many links as it may.
 * - `LINK_STOPPING`: this router is shutting down.
 */
export type LinkErrorCode =
  | 'LINK_VERSION'
  | 'LINK_WRONG_CHAIN'
  | 'LINK_UNAUTHORIZED'
  | 'LINK_CHALLENGE_EXPIRED'
  | 'LINK_UNEXPECTED'
  | 'LINK_MALFORMED'
  | 'LINK_TOO_LARGE'
  | 'LINK_RATE_LIMITED'
  | 'LINK_SILENT'
  | 'LINK_GAP'
  | 'LINK_FENCED'
  | 'LINK_SLOW'
  | 'LINK_FOREIGN_LEASE'
  | 'LINK_FULL'
  | 'LINK_STOPPING'
