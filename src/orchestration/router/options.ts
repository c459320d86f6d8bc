import type { Clock, Logger, Metrics, RandomBytes, Signer, Tokenizer } from '#platform'
import type { Address, JournalPiece, NodeId, NodeStanding, PodRecord } from '#protocol'

export type RouterOptions = {
  /** Jobs that may wait for a free slot, per pod. */
  readonly queueMaxJobs: number
  /** Tokens that a node may send ahead of the client. */
  readonly creditTokens: number
  /** How far a node may pass its credit or the user's token limit before its lease is cut, in tokens. */
  readonly floodSlackTokens: number
  /** Time a node gets to answer a cancellation, in ms. */
  readonly cancelGraceMs: number
  /** Time a node gets to sign its receipt, in ms. */
  readonly signMs: number
  /** How often chain standing and uptime of all linked nodes are read again, in ms. */
  readonly standingRefreshMs: number
  /** Time from connection to a signed challenge, in ms; at most 60,000. */
  readonly challengeMs: number
  readonly heartbeatIntervalMs: number
  /** A connection without any message for this long is closed, in ms. */
  readonly heartbeatTimeoutMs: number
  /** Messages per second of one node key that belong to no live lease, and how many may come at once. */
  readonly strayMessagesPerSecond: number
  readonly strayMessageBurst: number
  /** How long a session whose connection was cut is kept while its node holds leases, in ms; 0: not at all. */
  readonly resumeMs: number
  /** A job that has sent nothing yet is given to another node when its own has been cut off for this long, in ms. */
  readonly moveAfterCutMs: number
  /** Bytes that one node may leave unread or unacknowledged before its session ends. */
  readonly maxSendBufferBytes: number
  readonly maxLinks: number
  /** How often the journal of decisions is signed and stored, in ms. */
  readonly journalIntervalMs: number
}

export const DEFAULT_ROUTER_OPTIONS: RouterOptions = {
  queueMaxJobs: 1000,
  creditTokens: 256,
  floodSlackTokens: 64,
  cancelGraceMs: 5000,
  signMs: 5000,
  standingRefreshMs: 1000,
  challengeMs: 10_000,
  heartbeatIntervalMs: 5000,
  heartbeatTimeoutMs: 15_000,
  resumeMs: 60_000,
  moveAfterCutMs: 500,
  strayMessagesPerSecond: 1000,
  strayMessageBurst: 5000,
  maxSendBufferBytes: 64 * 1024 * 1024,
  maxLinks: 10_000,
  journalIntervalMs: 100,
}

/** Where a router's journal is kept. */
export interface JournalSink {
  /** Resolves when the pieces are on disk; a piece that is there already is left as it is. */
  append(pieces: readonly JournalPiece[]): Promise<void>
}

export type RouterDependencies = {
  readonly signer: Signer
  /** EIP-712 domain of receipts, decisions and challenges. */
  readonly domain: { readonly chainId: number; readonly settlement: Address }
  readonly clock: Clock
  readonly random: RandomBytes
  readonly logger: Logger
  readonly metrics: Metrics
  /** What the chain says about a node; null when it is not registered or not known yet. */
  readonly standing: (nodeId: NodeId) => NodeStanding | null
  /** Called when a node links that `standing` does not know. Answer later by `Router.standingChanged`. */
  readonly onUnknownNode?: (nodeId: NodeId) => void
  /** Called when a node that may serve a pod has come or gone: the autoscaler need not wait for its next look. */
  readonly onHostsChanged?: () => void
  /** Availability of a node over the presence window, in basis points. */
  readonly presence: { uptimeBps(nodeId: NodeId): number }
  /** Keeps what decisions are replayed from. */
  readonly journal: JournalSink
  /** Tokenizer of a pod, or null: then units are counted by token frames alone. */
  readonly tokenizerFor: (pod: PodRecord) => Tokenizer | null
}
