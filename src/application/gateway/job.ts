import type { ApiKeyRecord, JobStart } from '#platform'
import type {
  Bytes32,
  ChoiceOutput,
  Delta,
  JobControl,
  JobFailure,
  JobId,
  JobKind,
  JobPreferences,
  JobUnits,
  LeaseView,
  NodeId,
  PodRecord,
  SignedDecision,
  SignedDiscardReceipt,
  TimelineEvent,
} from '#protocol'
import type { Hold } from '../payments/types.ts'
import type { JsonObject } from './json.ts'

/** One job as an endpoint hands it over: validated, counted, admitted by the rate limit. */
export type JobCall = {
  readonly kind: JobKind
  /** The user's own body without `heurist`; passes on unchanged. */
  readonly body: JsonObject
  readonly model: string
  readonly pod: PodRecord
  readonly key: ApiKeyRecord
  readonly preferences: JobPreferences
  readonly inputUnits: number
  /** Over all choices. */
  readonly maxOutputUnits: number
  /** The id that an idempotency key was taken for; a new one when absent. */
  readonly jobId?: JobId
  /** The caller's W3C trace context; passed on, and kept with the job. */
  readonly traceparent?: string
}

/** What an endpoint hears while a job runs; `RunningJob.finished` tells the end. */
export type JobListener = {
  leased(lease: LeaseView): void
  /** The pod is being loaded: a first token may take long. */
  loading(): void
  delta(delta: Delta): void
}

export type FinishedJob = {
  readonly jobId: JobId
  readonly nodeId: NodeId
  readonly units: JobUnits
  readonly choices: readonly ChoiceOutput[]
  /** Nano-credits charged. */
  readonly credits: bigint
  readonly receiptDigest: Bytes32
}

export type RunningJob = {
  readonly jobId: JobId
  readonly control: JobControl
  /** Resolves when the receipt is on disk; rejects with a gateway error when the discard receipt is. */
  readonly finished: Promise<FinishedJob>
}

/** Everything that one running job carries until its outcome is written. */
export type Job = {
  readonly call: JobCall
  readonly start: JobStart
  readonly hold: Hold
  readonly listener: JobListener
  readonly control: DeferredControl
  readonly timeline: TimelineEvent[]
  readonly decisions: SignedDecision[]
  nodeId: NodeId | null
  attempts: number
  hasOutput: boolean
  isEnded: boolean
}

/** A failure; without a discard receipt where no router stands behind it. */
export type Failure = Omit<JobFailure, 'signedDiscard'> & { readonly signedDiscard: SignedDiscardReceipt | null }

export type DeferredControl = JobControl & {
  readonly isCancelled: boolean
  /** The router has answered with its control: what was asked for meanwhile is passed on. */
  connect(control: JobControl): void
}

/** A job's control that may be used before the router has given one: deltas can come while `dispatch` is still running. */
export function createDeferredControl(): DeferredControl {
  let inner: JobControl | undefined
  let owedTokens = 0
  let cancelReason: string | undefined
  return {
    get isCancelled() {
      return cancelReason !== undefined
    },
    connect(control) {
      inner = control
      if (owedTokens > 0) inner.grant(owedTokens)
      if (cancelReason !== undefined) inner.cancel(cancelReason)
    },
    grant(tokens) {
      if (inner) inner.grant(tokens)
      else owedTokens += tokens
    },
    cancel(reason) {
      if (cancelReason !== undefined) return
      cancelReason = reason
      inner?.cancel(reason)
    },
  }
}
