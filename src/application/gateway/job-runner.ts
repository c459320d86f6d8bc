import type { SplitParties } from '#economics'
import type { ApiKeyRecord, Clock, JobOutcome, JobStart, JobStore, Logger, RandomBytes } from '#platform'
import {
  type Address,
  type Bytes32,
  type ChoiceOutput,
  canonicalHash,
  type Delta,
  type Dispatcher,
  type Domain,
  domainSeparator,
  formatUnits,
  isHeuristError,
  type JobCompletion,
  type JobControl,
  type JobFailure,
  type JobId,
  type JobKind,
  type JobOrder,
  type JobPreferences,
  type JobSink,
  type JobUnits,
  jobIdFrom,
  type LeaseView,
  messageOf,
  type NodeId,
  type PodRecord,
  receiptLeaf,
  requestHash,
  type SignedDecision,
  type SignedDiscardReceipt,
  type TimelineEvent,
  type TimelineStep,
  ZERO_ADDRESS,
  ZERO_BYTES32,
} from '#protocol'
import type { Hold, Payments } from '../payments/types.ts'
import { gatewayError } from './errors.ts'
import { jobFailureError, paymentError } from './job-errors.ts'
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
  readonly maxOutputUnits: number
}

/** What an endpoint hears while a job runs. `finished` below tells the end. */
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

export type JobRunnerOptions = {
  /** Changes with every start of the process; marks whose jobs are orphans. */
  readonly ownerEpoch: string
  /** EIP-712 domain of receipts. */
  readonly domain: Domain
  /** Who earns the protocol's and the voters' share; null gives it to the node. */
  readonly shares: { readonly protocol: Address | null; readonly voters: Address | null }
}

export type JobRunnerDependencies = {
  readonly dispatcher: Dispatcher
  readonly payments: Payments
  readonly jobs: JobStore
  /** Nodes that a frontend refers to (routing priority 2). */
  readonly referredNodes: (frontend: Address) => ReadonlySet<NodeId>
  readonly clock: Clock
  readonly random: RandomBytes
  readonly logger: Logger
}

export type JobRunner = {
  /**
   * Quotes, holds and dispatches. Resolves when the job is with the router.
   * @param open called with the job's handle before anything is dispatched; answers who listens
   * @throws HeuristError max_price_exceeded, insufficient_quota
   */
  run(call: JobCall, open: (running: RunningJob) => JobListener): Promise<RunningJob>
  readonly running: ReadonlySet<RunningJob>
}

/** Everything that one running job carries until its outcome is written. */
type Job = {
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

/** A failure; without a discard receipt where no router was reached. */
type Failure = Omit<JobFailure, 'signedDiscard'> & { readonly signedDiscard: SignedDiscardReceipt | null }

const NOT_DISPATCHED: Failure = {
  code: 'GATEWAY_NOT_DISPATCHED',
  message: 'The job could not be handed to a router.',
  retryAfterMs: 1_000,
  startedOutput: false,
  attempts: 0,
  signedDiscard: null,
}
const BAD_OUTCOME: Failure = {
  code: 'GATEWAY_BAD_OUTCOME',
  message: 'The job ended in a way that can not be settled.',
  retryAfterMs: null,
  startedOutput: true,
  attempts: 1,
  signedDiscard: null,
}

/**
 * The gateway's side of a job's life (DESIGN §4): quote, hold, dispatch; then capture and receipt in one commit before the answer is
 * complete, or release and discard receipt in one commit before the error (laws L2, L3, L5, L6). Nothing is committed before the first token.
 */
export function createJobRunner(options: JobRunnerOptions, dependencies: JobRunnerDependencies): JobRunner {
  const { clock, dispatcher, jobs, logger, payments } = dependencies
  const separator = domainSeparator(options.domain)
  const running = new Set<RunningJob>()

  function note(job: Job, step: TimelineStep, detail: Readonly<Record<string, unknown>> = {}): void {
    job.timeline.push({ step, atMs: clock.now(), detail })
  }

  async function hold(jobId: JobId, call: JobCall): Promise<Hold> {
    const credits = payments.quote(call.pod, call)
    refuseAboveMaximum(call, credits)
    try {
      return await payments.hold({ jobId, account: call.key.account, key: call.key, pod: call.pod, credits })
    } catch (error) {
      throw paymentError(error)
    }
  }

  function begin(jobId: JobId, call: JobCall, held: Hold, listener: JobListener, control: DeferredControl): Job {
    const { key, pod } = call
    const start: JobStart = {
      jobId,
      kind: call.kind,
      model: call.model,
      podId: pod.podId,
      payer: key.account,
      frontend: key.frontend ?? ZERO_ADDRESS,
      keyId: key.keyId,
      asset: held.asset,
      maxPrice: held.maxPrice,
      createdAtMs: clock.now(),
      ownerEpoch: options.ownerEpoch,
    }
    const job: Job = {
      call,
      start,
      hold: held,
      listener,
      control,
      timeline: [],
      decisions: [],
      nodeId: null,
      attempts: 0,
      hasOutput: false,
      isEnded: false,
    }
    note(job, 'quoted', { inputUnits: call.inputUnits, maxOutputUnits: call.maxOutputUnits, maxCredits: held.credits.toString() })
    note(job, 'held', { asset: held.asset, maxPrice: held.maxPrice.toString() })
    // Not awaited: no commit stands before the first token. The outcome carries the start again, so a lost row loses nothing.
    jobs.start(start).catch(error => logger.warn({ jobId, reason: messageOf(error) }, 'job start was not stored'))
    return job
  }

  function orderOf(job: Job): JobOrder {
    const { call, hold: held, start } = job
    const request = { kind: call.kind, body: call.body as Record<string, unknown> } // cast: the order only reads it
    const { seed } = call.body
    return {
      jobId: start.jobId,
      pod: call.pod,
      request,
      requestHash: requestHash(request),
      // Without a seed there is nothing that a node could be held to.
      seedCommitment: seed == null ? ZERO_BYTES32 : canonicalHash({ jobId: start.jobId, seed }),
      inputUnits: call.inputUnits,
      payer: start.payer,
      frontend: start.frontend,
      referredNodes: call.key.frontend ? dependencies.referredNodes(call.key.frontend) : NO_NODES,
      asset: held.asset,
      priceOf: units => held.priceOf(units),
      preferences: call.preferences,
      totalMs: Math.min(call.preferences.deadline_ms ?? Number.POSITIVE_INFINITY, call.pod.manifest.spec.timeouts.totalMs),
    }
  }

  function outcomeBase(job: Job): Pick<JobOutcome, 'start' | 'nodeId' | 'attempts' | 'finishedAtMs' | 'timeline' | 'decisions'> {
    const { start, nodeId, timeline, decisions } = job
    return { start, nodeId, attempts: job.attempts, finishedAtMs: clock.now(), timeline, decisions }
  }

  /** Capture, split and receipt in one commit. */
  async function settle(job: Job, completion: JobCompletion): Promise<FinishedJob> {
    const { hold: held, call, start } = job
    const { receipt } = completion.signedReceipt
    const { units } = completion
    if (receipt.jobId !== start.jobId || receipt.payer !== start.payer || receipt.price !== held.priceOf(units)) {
      throw new Error(`the receipt of ${start.jobId} does not match its job`)
    }
    note(job, 'done', { inputUnits: units.inputUnits, outputUnits: units.outputUnits })
    const parties: SplitParties = {
      node: completion.nodeOwner,
      deployer: call.pod.deployer,
      frontend: call.key.frontend,
      ...options.shares,
    }
    const { events, split } = held.capture({ jobId: start.jobId, price: receipt.price, parties, atMs: clock.now() })
    const digest = receiptLeaf(separator, receipt)
    const credits = held.creditsFor(units)
    note(job, 'receipt', { digest, price: receipt.price.toString(), credits: credits.toString() })
    await jobs.finish({
      ...outcomeBase(job),
      state: 'succeeded',
      nodeId: receipt.node,
      price: receipt.price,
      credits,
      inputUnits: units.inputUnits,
      outputUnits: units.outputUnits,
      errorCode: null,
      errorMessage: null,
      receipt: { signed: completion.signedReceipt, digest, split },
      discard: null,
      ledger: events,
    })
    held.captured(receipt.price)
    return { jobId: start.jobId, nodeId: receipt.node, units, choices: completion.choices, credits, receiptDigest: digest }
  }

  /** Nothing is charged; the discard receipt, where there is one, becomes durable. */
  async function discard(job: Job, failure: Failure): Promise<void> {
    note(job, 'released', { maxPrice: job.hold.maxPrice.toString() })
    if (failure.signedDiscard) note(job, 'discarded', { reason: failure.code })
    job.hold.release()
    await jobs.finish({
      ...outcomeBase(job),
      attempts: Math.max(job.attempts, failure.attempts),
      state: job.control.isCancelled ? 'cancelled' : 'failed',
      price: 0n,
      credits: 0n,
      inputUnits: 0,
      outputUnits: 0,
      errorCode: failure.code,
      errorMessage: failure.message,
      receipt: null,
      discard: failure.signedDiscard,
      ledger: [],
    })
  }

  async function complete(job: Job, completion: JobCompletion): Promise<FinishedJob> {
    try {
      return await settle(job, completion)
    } catch (error) {
      logger.error({ jobId: job.start.jobId, reason: messageOf(error) }, 'job outcome was not stored')
      // With the server gone nobody knows whether the commit happened: the hold stays until the ledger is read again at the next start.
      if (isHeuristError(error, 'DATABASE_UNAVAILABLE')) throw error
      return fail(job, BAD_OUTCOME)
    }
  }

  async function fail(job: Job, failure: Failure): Promise<never> {
    const { jobId } = job.start
    await discard(job, failure).catch(error => logger.error({ jobId, reason: messageOf(error) }, 'discard receipt was not stored'))
    throw jobFailureError(jobId, failure, job.control.isCancelled)
  }

  /** Law L2: a job ends once; whatever is told after the end is not heard. */
  function end(job: Job, settled: PromiseWithResolvers<FinishedJob>, outcome: () => Promise<FinishedJob>): void {
    if (job.isEnded) return
    job.isEnded = true
    outcome().then(settled.resolve, settled.reject)
  }

  function listen(job: Job, settled: PromiseWithResolvers<FinishedJob>): JobSink {
    const { listener } = job
    return {
      decided(decision) {
        const { record, recordHash } = decision
        job.decisions.push(decision)
        note(job, 'decided', { chosen: record.chosen, candidates: record.candidates.length, attempt: record.attempt, hash: recordHash })
      },
      leased(lease) {
        job.nodeId = lease.nodeId
        job.attempts = lease.attempt
        note(job, 'leased', { ...lease })
        listener.leased(lease)
      },
      loading() {
        note(job, 'loading')
        listener.loading()
      },
      retrying: (code, message) => note(job, 'retry', { code, message }),
      delta(delta) {
        if (job.isEnded) return
        if (!job.hasOutput) {
          job.hasOutput = true
          note(job, 'first_token')
        }
        listener.delta(delta)
      },
      completed: completion => end(job, settled, () => complete(job, completion)),
      failed: failure => end(job, settled, () => fail(job, failure)),
    }
  }

  return {
    running,
    async run(call, open) {
      const jobId = jobIdFrom(dependencies.random(16))
      const held = await hold(jobId, call)
      const settled = Promise.withResolvers<FinishedJob>()
      // The endpoint may still be writing when a job fails; a rejection is never unhandled.
      settled.promise.catch(() => undefined)
      const control = createDeferredControl()
      const handle: RunningJob = { jobId, control, finished: settled.promise }
      const job = begin(jobId, call, held, open(handle), control)
      running.add(handle)
      const forget = () => running.delete(handle)
      settled.promise.then(forget, forget)
      try {
        control.connect(dispatcher.dispatch(orderOf(job), listen(job, settled)))
      } catch (error) {
        logger.error({ jobId, reason: messageOf(error) }, 'job was not dispatched')
        end(job, settled, () => fail(job, NOT_DISPATCHED))
      }
      return handle
    },
  }
}

const NO_NODES: ReadonlySet<NodeId> = new Set()

function refuseAboveMaximum(call: JobCall, nanoCredits: bigint): void {
  const maximum = call.preferences.max_price_credits
  if (maximum === undefined || Number(nanoCredits) <= maximum * 1e9) return
  throw gatewayError(
    'max_price_exceeded',
    `This request can cost up to ${formatUnits(nanoCredits, 9)} credits, above your maximum of ${maximum}. Lower max_tokens or raise heurist.max_price_credits.`,
    { param: 'heurist.max_price_credits' },
  )
}

type DeferredControl = JobControl & {
  readonly isCancelled: boolean
  /** The router has answered with its control: what was asked for meanwhile is passed on. */
  connect(control: JobControl): void
}

/** A job's control that may be used before the router has given one: deltas can come while `dispatch` is still running. */
function createDeferredControl(): DeferredControl {
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
