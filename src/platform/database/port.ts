import type {
  Address,
  Bytes32,
  Hex,
  JobId,
  JobState,
  JobView,
  JournalPiece,
  NodeId,
  PodRecord,
  SignedDecision,
  SignedDiscardReceipt,
  SignedReceipt,
  TimelineEvent,
} from '#protocol'
import type { ChainCursor, IndexedEvent, IndexedRange } from '../chain/port.ts'

/** One line of a double entry. Positive: the account receives. Amounts are atomic units of `asset`. */
export type Posting = { readonly account: string; readonly asset: Address; readonly amount: bigint }

/**
 * One ledger event: sums to zero per asset (law L1) and is applied at most once per `businessId` (law L4).
 * Names of accounts: `application/payments/accounts.ts`.
 */
export type LedgerEvent = {
  readonly businessId: string
  readonly kind: string
  readonly atMs: number
  readonly postings: readonly Posting[]
  readonly memo?: Readonly<Record<string, string | number>>
}
export type LedgerRow = LedgerEvent & { readonly sequence: number }

export interface LedgerStore {
  /** Applies events in one transaction; answers `duplicate` where the business id was already there. @throws HeuristError LEDGER_UNBALANCED, LEDGER_OVERDRAWN */
  append(events: readonly LedgerEvent[]): Promise<('applied' | 'duplicate')[]>
  balance(account: string, asset: Address): Promise<bigint>
  /** All non-zero balances of accounts that start with `prefix`. */
  balances(prefix: string): Promise<{ account: string; asset: Address; amount: bigint }[]>
  /** Newest first. */
  history(options: { account?: string; beforeSequence?: number; limit: number }): Promise<LedgerRow[]>
  /** Sum over all accounts per asset; law L1 says all zero. */
  totals(): Promise<{ asset: Address; sum: bigint }[]>
}

export type ApiKeyRecord = {
  readonly keyId: string
  /** sha256 of the secret, hex; the secret itself is never stored. */
  readonly secretHash: string
  /** First characters, to recognise it in lists. */
  readonly prefix: string
  readonly name: string
  readonly account: Address
  readonly scopes: readonly string[]
  /** Nano-credits that the key may spend in all; null without a limit. */
  readonly budget: bigint | null
  readonly spent: bigint
  readonly requestsPerMinute: number
  /** What its jobs get beside those of a key of weight 1 when both wait for a pod: 1 to 100. */
  readonly weight: number
  readonly frontend: Address | null
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
}

export interface KeyStore {
  create(key: ApiKeyRecord): Promise<void>
  bySecretHash(secretHash: string): Promise<ApiKeyRecord | null>
  list(account?: Address): Promise<ApiKeyRecord[]>
  revoke(keyId: string, atMs: number): Promise<boolean>
}

/** What is known of a job when it starts; written in the background, so that no commit stands before the first token. */
export type JobStart = Omit<
  JobView,
  'state' | 'nodeId' | 'attempts' | 'price' | 'units' | 'errorCode' | 'errorMessage' | 'finishedAtMs' | 'timeline'
> & { readonly ownerEpoch: string }

export type JobSplit = { readonly role: string; readonly account: Address; readonly amount: bigint }[]

/** Everything that ends a job, committed together (DESIGN §4.8). */
export type JobOutcome = {
  readonly start: JobStart
  readonly state: Extract<JobState, 'succeeded' | 'failed' | 'cancelled'>
  readonly nodeId: NodeId | null
  readonly attempts: number
  readonly price: bigint
  /** Nano-credits charged; adds to the key's spending. */
  readonly credits: bigint
  readonly inputUnits: number
  readonly outputUnits: number
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly finishedAtMs: number
  readonly timeline: readonly TimelineEvent[]
  readonly decisions: readonly SignedDecision[]
  readonly receipt: { readonly signed: SignedReceipt; readonly digest: Bytes32; readonly split: JobSplit } | null
  readonly discard: SignedDiscardReceipt | null
  readonly ledger: readonly LedgerEvent[]
}

export type StoredReceipt = {
  readonly sequence: number
  readonly jobId: JobId
  readonly signed: SignedReceipt
  readonly digest: Bytes32
  readonly split: JobSplit
  readonly batchNumber: number | null
}

export type DecidedJob = { readonly jobId: JobId; readonly createdAtMs: number; readonly decisions: readonly SignedDecision[] }

/** Who has an idempotency key. `status` is 0 until there is an answer. */
export type HeldKey = {
  readonly requestHash: string
  readonly status: number
  readonly body: string
  readonly jobId: JobId
  readonly createdAtMs: number
}

export interface JobStore {
  /**
   * Queues the start row; resolves when it is durable, or when the job has ended meanwhile and needs none. Callers on the hot
   * path do not await it.
   */
  start(start: JobStart): Promise<void>
  /** The job's client is told its id: its start, if it is still held back, is written now. */
  startNow(jobId: JobId): void
  /**
   * Commits an outcome together with others of the same tick (group commit). Resolves when it is on disk; a repeat of the same
   * outcome resolves and changes nothing. Tried again through an outage for a bounded time.
   * @throws HeuristError JOB_ALREADY_ENDED, LEDGER_UNBALANCED, LEDGER_OVERDRAWN, DATABASE_UNAVAILABLE, DATABASE_FULL
   */
  finish(outcome: JobOutcome): Promise<void>
  get(jobId: JobId): Promise<JobView | null>
  list(options: { account?: Address; beforeMs?: number; state?: JobState; podId?: Bytes32; limit: number }): Promise<JobView[]>
  decisions(jobId: JobId): Promise<SignedDecision[]>
  /** The decisions of all jobs created at `sinceMs` or later and after `after`, in the order of their ids and times. */
  decisionsSince(options: { sinceMs: number; after?: Pick<DecidedJob, 'jobId' | 'createdAtMs'>; limit: number }): Promise<DecidedJob[]>
  receipt(jobId: JobId): Promise<StoredReceipt | null>
  discard(jobId: JobId): Promise<SignedDiscardReceipt | null>
  /**
   * Jobs that earlier processes of the same instance left open (they died), so that they can be ended as failed. `ownerEpoch` is the
   * instance's name, a colon, and a word that differs at every start; other instances look after their own.
   */
  orphaned(ownerEpoch: string): Promise<JobView[]>
  /**
   * Takes an idempotency key for a job, or answers who has it. Durable before the job begins, so that the key is consumed once, across
   * processes and restarts (law L4). A key that `instead` holds without an answer is taken over.
   */
  takeKey(account: Address, idempotencyKey: string, taker: { requestHash: string; jobId: JobId; instead?: JobId }): Promise<HeldKey>
  /** Stores the answer of the job that holds the key. */
  rememberAnswer(account: Address, idempotencyKey: string, answer: { status: number; body: string; jobId: JobId }): Promise<void>
  /** Gives up a key without an answer. */
  releaseKey(account: Address, idempotencyKey: string, jobId: JobId): Promise<void>
}

export type BatchState = 'formed' | 'posted' | 'confirmed'
export type BatchRow = {
  readonly number: number
  readonly state: BatchState
  readonly previousHash: Bytes32
  readonly batchHash: Bytes32
  readonly receiptsRoot: Bytes32
  readonly jobCount: number
  /** Encoded call of the settlement contract: the same bytes are posted again after a fault. */
  readonly calldata: Hex
  readonly transactionHash: Hex | null
  readonly blockNumber: number | null
  readonly gasUsed: number | null
  readonly formedAtMs: number
  readonly confirmedAtMs: number | null
}

/** Organic compute units of a node (DESIGN §6.3). */
export type NodeWork = { readonly nodeId: NodeId; readonly organicUnits: bigint }

export interface BatchStore {
  /** Receipts without a batch, oldest first. */
  unsettled(limit: number): Promise<StoredReceipt[]>
  /** Stores the batch, its nodes' work, and ties its receipts to it in one transaction. @throws HeuristError BATCH_CONFLICT when a receipt or number is taken */
  form(batch: BatchRow, receiptSequences: readonly number[], work?: readonly NodeWork[]): Promise<void>
  /** Sum over the batches of these numbers, by node. */
  workOf(batchNumbers: readonly number[]): Promise<NodeWork[]>
  markPosted(number: number, transactionHash: Hex): Promise<void>
  /** Also writes `settled` into the timelines of the batch's jobs. */
  markConfirmed(number: number, facts: { transactionHash: Hex; blockNumber: number; gasUsed: number; confirmedAtMs: number }): Promise<void>
  /** Puts batches above `number` back to `formed`: the chain lost them. */
  reopenAfter(number: number): Promise<number>
  /**
   * Removes the batches from `number` on, which the chain refuses; their receipts are unsettled again. Answers how many receipts.
   * @throws HeuristError BATCH_CONFLICT when one of them is confirmed
   */
  dissolveFrom(number: number): Promise<number>
  get(number: number): Promise<BatchRow | null>
  last(): Promise<BatchRow | null>
  unconfirmed(): Promise<BatchRow[]>
  list(options: { beforeNumber?: number; limit: number }): Promise<BatchRow[]>
  /** Receipt digests in leaf order. */
  leaves(number: number): Promise<Bytes32[]>
}

export interface PodStore {
  /** A new version when the manifest hash differs. */
  put(pod: PodRecord): Promise<void>
  /** The newest version of each. Whether one is served, the chain says. */
  list(): Promise<PodRecord[]>
  /** All versions of a pod, newest first. */
  versions(podId: Bytes32): Promise<PodRecord[]>
}

/** Seen nodes and their accumulated presence, from which uptime follows. */
export type NodePresence = {
  readonly nodeId: NodeId
  readonly firstSeenAtMs: number
  readonly lastSeenAtMs: number
  readonly onlineMs: number
}
/** How long routers watched in an epoch (ms; of several the one that watched longest), and what they saw: `capacity` is the node's newest benchmark. */
export type EpochPresence = {
  readonly watchedMs: number
  readonly nodes: readonly { readonly nodeId: NodeId; readonly onlineMs: number; readonly capacity: number }[]
}
export interface NodeStore {
  addPresence(nodeId: NodeId, presence: { atMs: number; onlineMs: number }): Promise<void>
  list(): Promise<NodePresence[]>
  /** Adds to what an epoch knows. */
  addEpochPresence(epoch: number, seen: EpochPresence & { readonly router: string }): Promise<void>
  epochPresence(epoch: number): Promise<EpochPresence>
}

/** `args`: only events that have all of these arguments. */
export type EventFilter = {
  readonly contract?: IndexedEvent['contract']
  readonly names?: readonly string[]
  readonly args?: IndexedEvent['args']
  readonly fromBlock?: number
  /** Chain time in unix seconds: from the first, before the second. */
  readonly betweenSeconds?: readonly [number, number]
  readonly limit?: number
  /** Default: oldest first. */
  readonly newestFirst?: boolean
}

/** The chain's history, kept so that it can be asked. */
export interface EventStore {
  /** Where reading goes on; null before the first range. */
  cursor(): Promise<ChainCursor | null>
  /** Drops what a re-org took away, adds the events and moves the cursor: one transaction. A repeat changes nothing. */
  apply(range: IndexedRange): Promise<void>
  list(filter: EventFilter): Promise<IndexedEvent[]>
}

/** What routers knew of a pod's hosts when they decided: decisions are replayed from it. */
export interface JournalStore {
  /**
   * Resolves when the pieces are on disk; one that is there already stays as it is. Tried again through an outage for a bounded time.
   * @throws HeuristError DATABASE_UNAVAILABLE, DATABASE_FULL
   */
  append(pieces: readonly JournalPiece[]): Promise<void>
  /** All pieces of these segments, in order. */
  segments(segments: readonly Bytes32[]): Promise<JournalPiece[]>
}

/**
 * What one account earned in one role, or paid (`payer`), in atomic units of `asset`: summed up from the ledger's entries, and
 * from the receipts by the batch they are in (null: in none yet).
 */
export type CapturedMoney = {
  readonly source: 'ledger' | 'receipts'
  readonly batchNumber: number | null
  readonly role: string
  readonly account: Address
  readonly asset: Address
  readonly amount: bigint
}
/** For auditors: reads everything, so it takes its time. */
export interface MoneyStore {
  /** The whole history, as of one moment. */
  captured(): Promise<CapturedMoney[]>
}

/** Small named values (cursors, deployed addresses). */
export interface SettingStore {
  get(name: string): Promise<unknown>
  put(name: string, value: unknown): Promise<void>
}

export type DatabaseErrorCode =
  /** The server can not be reached or went away. Retryable. */
  | 'DATABASE_UNAVAILABLE'
  /** No space left on the database's disk; nothing was lost, nothing more is accepted. */
  | 'DATABASE_FULL'
  /** The data directory is missing its parts or is corrupt; the message says what to do. Never reset silently. */
  | 'DATABASE_CORRUPT'
  /** The schema is newer than this program. */
  | 'DATABASE_TOO_NEW'
  /** An event does not sum to zero per asset, or has no postings. */
  | 'LEDGER_UNBALANCED'
  /** An account that may not owe (`credits:`, `allowance:`) would fall below zero. */
  | 'LEDGER_OVERDRAWN'
  /** The job ended before in another way; the second end was not written (law L2). */
  | 'JOB_ALREADY_ENDED'
  | 'BATCH_CONFLICT'

/** PostgreSQL behind one face; drivers: embedded server, `DATABASE_URL`. */
export interface Database {
  readonly ledger: LedgerStore
  readonly keys: KeyStore
  readonly jobs: JobStore
  readonly batches: BatchStore
  readonly pods: PodStore
  readonly nodes: NodeStore
  readonly events: EventStore
  readonly journal: JournalStore
  readonly money: MoneyStore
  readonly settings: SettingStore
  /** Resolves when the server answers. @throws HeuristError DATABASE_UNAVAILABLE */
  ping(): Promise<void>
  /** Flushes group commits and closes connections. */
  stop(): Promise<void>
}
