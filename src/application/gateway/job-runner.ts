import type { Clock, JobStart, JobStore, Logger, RandomBytes } from '#platform'
import {
  type Address,
  canonicalHash,
  type Dispatcher,
  formatUnits,
  type JobId,
  type JobOrder,
  type JobSink,
  jobIdFrom,
  messageOf,
  type NodeId,
  requestHash,
  ZERO_ADDRESS,
  ZERO_BYTES32,
} from '#protocol'
import type { Hold, Payments } from '../payments/types.ts'
import { gatewayError } from './errors.ts'
import { createDeferredControl, type Failure, type FinishedJob, type Job, type JobCall, type JobListener, type RunningJob } from './job.ts'
import { paymentError } from './job-errors.ts'
import { createOutcomeWriter, type OutcomeOptions, type OutcomeWriter } from './job-outcome.ts'

export type JobRunnerOptions = OutcomeOptions & {
  /** Changes with every start of the process; marks whose jobs are orphans. */
  readonly ownerEpoch: string
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

const NO_NODES: ReadonlySet<NodeId> = new Set()

const NOT_DISPATCHED: Failure = {
  code: 'GATEWAY_NOT_DISPATCHED',
  message: 'The job could not be handed to a router.',
  retryAfterMs: 1_000,
  param: null,
  startedOutput: false,
  attempts: 0,
  signedDiscard: null,
}

const SECOND_STREAM: Failure = {
  code: 'GATEWAY_SECOND_STREAM',
  message: 'The job was started again after it had given output.',
  retryAfterMs: null,
  param: null,
  startedOutput: true,
  attempts: 2,
  signedDiscard: null,
}

function refuseAboveMaximum(call: JobCall, nanoCredits: bigint): void {
  const maximum = call.preferences.max_price_credits
  if (maximum === undefined || Number(nanoCredits) <= maximum * 1e9) return
  throw gatewayError(
    'max_price_exceeded',
    `This request can cost up to ${formatUnits(nanoCredits, 9)} credits, above your maximum of ${maximum}. Lower max_tokens or raise heurist.max_price_credits.`,
    { param: 'heurist.max_price_credits' },
  )
}

function startOf(call: JobCall, facts: { jobId: JobId; hold: Hold; nowMs: number; ownerEpoch: string }): JobStart {
  const { jobId, hold, nowMs, ownerEpoch } = facts
  return {
    jobId,
    kind: call.kind,
    model: call.model,
    podId: call.pod.podId,
    payer: call.key.account,
    frontend: call.key.frontend ?? ZERO_ADDRESS,
    keyId: call.key.keyId,
    asset: hold.asset,
    maxPrice: hold.maxPrice,
    createdAtMs: nowMs,
    ownerEpoch,
  }
}

type Context = JobRunnerOptions & JobRunnerDependencies & { readonly outcomes: OutcomeWriter }
type Settled = PromiseWithResolvers<FinishedJob>

async function takeHold({ payments }: Context, jobId: JobId, call: JobCall): Promise<Hold> {
  const credits = payments.quote(call.pod, call)
  refuseAboveMaximum(call, credits)
  try {
    return await payments.hold({ jobId, account: call.key.account, key: call.key, pod: call.pod, credits })
  } catch (error) {
    throw paymentError(error)
  }
}

function begin(context: Context, start: JobStart, parts: Pick<Job, 'call' | 'hold' | 'listener' | 'control'>): Job {
  const { jobs, logger, outcomes } = context
  const { call, hold } = parts
  const job: Job = { start, ...parts, timeline: [], decisions: [], nodeId: null, attempts: 0, hasOutput: false, isEnded: false }
  outcomes.note(job, 'quoted', { inputUnits: call.inputUnits, maxOutputUnits: call.maxOutputUnits, maxCredits: hold.credits.toString() })
  const { traceparent } = call
  outcomes.note(job, 'held', { asset: hold.asset, maxPrice: hold.maxPrice.toString(), ...(traceparent && { traceparent }) })
  // Not awaited: no commit stands before the first token. The outcome carries the start again, so a lost row loses nothing.
  jobs.start(start).catch(error => logger.warn({ jobId: start.jobId, reason: messageOf(error) }, 'job start was not stored'))
  return job
}

function orderOf({ referredNodes }: Context, { call, hold, start }: Job): JobOrder {
  const request = { kind: call.kind, body: call.body }
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
    weight: call.key.weight,
    frontend: start.frontend,
    referredNodes: call.key.frontend ? referredNodes(call.key.frontend) : NO_NODES,
    asset: hold.asset,
    pricing: hold.pricing,
    preferences: call.preferences,
    totalMs: Math.min(call.preferences.deadline_ms ?? Number.POSITIVE_INFINITY, call.pod.manifest.spec.timeouts.totalMs),
    ...(call.traceparent && { traceparent: call.traceparent }),
  }
}

/** Law L2: a job ends once; whatever is told after the end is not heard. */
function end(job: Job, settled: Settled, outcome: () => Promise<FinishedJob>): void {
  if (job.isEnded) return
  job.isEnded = true
  outcome().then(settled.resolve, settled.reject)
}

/** Law L7: after the client has seen output, a second attempt's output must never reach it. */
function refuseSecondStream({ logger, outcomes }: Context, job: Job, settled: Settled): void {
  logger.error({ jobId: job.start.jobId }, 'router started a second attempt after output')
  job.control.cancel(SECOND_STREAM.message)
  end(job, settled, () => outcomes.fail(job, SECOND_STREAM))
}

function sinkOf(context: Context, job: Job, settled: Settled): JobSink {
  const { listener } = job
  const { outcomes } = context
  return {
    decided(decision) {
      const { record, recordHash } = decision
      job.decisions.push(decision)
      outcomes.note(job, 'decided', {
        chosen: record.chosen,
        eligible: record.eligible,
        hosts: record.hosts,
        attempt: record.attempt,
        hash: recordHash,
      })
    },
    leased(lease) {
      if (job.hasOutput) return refuseSecondStream(context, job, settled)
      job.nodeId = lease.nodeId
      job.attempts = Math.max(job.attempts, lease.attempt)
      outcomes.note(job, 'leased', { ...lease })
      listener.leased(lease)
    },
    loading() {
      outcomes.note(job, 'loading')
      listener.loading()
    },
    retrying: (code, message) => outcomes.note(job, 'retry', { code, message }),
    undecided: count => void job.decisions.splice(job.decisions.length - count),
    delta(delta) {
      if (job.isEnded) return
      if (!job.hasOutput) {
        job.hasOutput = true
        // A stream's head names the job; after kill -9 its client finds it, as failed (law L5).
        if (job.call.body.stream === true) context.jobs.startNow(job.start.jobId)
        outcomes.note(job, 'first_token')
      }
      listener.delta(delta)
    },
    completed: completion => end(job, settled, () => outcomes.complete(job, completion)),
    failed: failure => end(job, settled, () => outcomes.fail(job, failure)),
  }
}

function dispatch(context: Context, job: Job, settled: Settled): void {
  try {
    job.control.connect(context.dispatcher.dispatch(orderOf(context, job), sinkOf(context, job, settled)))
  } catch (error) {
    context.logger.error({ jobId: job.start.jobId, reason: messageOf(error) }, 'job was not dispatched')
    end(job, settled, () => context.outcomes.fail(job, NOT_DISPATCHED))
  }
}

/**
 * The gateway's side of a job's life (DESIGN §4): quote, hold, dispatch; then capture and receipt in one commit before the answer is
 * complete, or release and discard receipt in one commit before the error (laws L2, L3, L5, L6). Nothing is committed before the first token.
 */
export function createJobRunner(options: JobRunnerOptions, dependencies: JobRunnerDependencies): JobRunner {
  const context: Context = { ...options, ...dependencies, outcomes: createOutcomeWriter(options, dependencies) }
  const running = new Set<RunningJob>()
  return {
    running,
    async run(call, open) {
      const jobId = call.jobId ?? jobIdFrom(context.random(16))
      const hold = await takeHold(context, jobId, call)
      const settled = Promise.withResolvers<FinishedJob>()
      // The endpoint may still be writing when a job fails; a rejection is never unhandled.
      settled.promise.catch(() => undefined)
      const control = createDeferredControl()
      const handle: RunningJob = { jobId, control, finished: settled.promise }
      const start = startOf(call, { jobId, hold, nowMs: context.clock.now(), ownerEpoch: context.ownerEpoch })
      const job = begin(context, start, { call, hold, listener: open(handle), control })
      running.add(handle)
      const forget = () => running.delete(handle)
      settled.promise.then(forget, forget)
      dispatch(context, job, settled)
      return handle
    },
  }
}
