import type { SplitBps, SplitParties } from '#economics'
import type { Clock, JobOutcome, JobStore, Logger } from '#platform'
import { type Address, isHeuristError, type JobCompletion, messageOf, type PodId, type PodRecord, type TimelineStep } from '#protocol'
import { gatewayError } from './errors.ts'
import type { Failure, FinishedJob, Job } from './job.ts'
import { jobFailureError } from './job-errors.ts'

/** Who earns the protocol's and the voters' share (null gives it to the node), and how much each role earns of one job. */
export type ShareTerms = {
  readonly protocol: Address | null
  readonly votersOf: (podId: PodId) => Address | null
  readonly bpsOf: (job: { readonly pod: PodRecord; readonly frontend: Address | null }) => SplitBps
}
export type OutcomeOptions = {
  readonly shares: ShareTerms
}
export type OutcomeDependencies = { readonly jobs: JobStore; readonly clock: Clock; readonly logger: Logger }

/** The two ends of a job. Both resolve only when what they say is on disk. */
export type OutcomeWriter = {
  note(job: Job, step: TimelineStep, detail?: Readonly<Record<string, unknown>>): void
  /** Capture, split and receipt in one commit. @throws HeuristError storage_unavailable, server_error: then nothing is settled */
  complete(job: Job, completion: JobCompletion): Promise<FinishedJob>
  /** Release and discard receipt in one commit, then throws what the client is told. */
  fail(job: Job, failure: Failure): Promise<never>
}

const BAD_OUTCOME: Failure = {
  code: 'GATEWAY_BAD_OUTCOME',
  message: 'The job ended in a way that can not be settled.',
  retryAfterMs: null,
  param: null,
  startedOutput: true,
  attempts: 1,
  signedDiscard: null,
}
const OUTCOME_LOST: Failure = { ...BAD_OUTCOME, code: 'GATEWAY_OUTCOME_LOST', message: 'The ledger did not confirm the receipt in time.' }

const NOT_CONFIRMED = "The ledger did not confirm this job's receipt."
const DISK_FULL = "The ledger's disk has no space left for this job's receipt. Free some, then send the request again."

/** The ledger can not be written now, and may be later: the disk is full or the server is away. */
function isOutage(error: unknown): boolean {
  return isHeuristError(error, 'DATABASE_UNAVAILABLE') || isHeuristError(error, 'DATABASE_FULL')
}

/** Pause between two questions to a ledger that is away, in ms. */
const ASK_AGAIN_MS = 1_000

/** A receipt that is not for this job at this price earns nothing (laws L3, L6, L8). */
function refuseForeignReceipt({ hold, start }: Job, { signedReceipt, units }: JobCompletion): void {
  const { jobId, payer, price, inputUnits, outputUnits } = signedReceipt.receipt
  const isSame = jobId === start.jobId && payer === start.payer && inputUnits === units.inputUnits && outputUnits === units.outputUnits
  if (!isSame || price !== hold.priceOf(units)) throw new Error(`the receipt of ${start.jobId} does not match its job`)
}

type Context = OutcomeOptions & OutcomeDependencies

function note({ clock }: Pick<Context, 'clock'>, job: Job, step: TimelineStep, detail: Readonly<Record<string, unknown>> = {}): void {
  job.timeline.push({ step, atMs: clock.now(), detail })
}

function outcomeBase({ clock }: Context, { start, nodeId, attempts, timeline, decisions }: Job) {
  return { start, nodeId, attempts, finishedAtMs: clock.now(), timeline, decisions }
}

type Success = JobOutcome & { readonly receipt: NonNullable<JobOutcome['receipt']> }

function successOf(context: Context, job: Job, completion: JobCompletion): Success {
  const { call, hold, start } = job
  const { signedReceipt, units } = completion
  const { receipt } = signedReceipt
  const { pod, key } = call
  const { protocol, votersOf, bpsOf } = context.shares
  const voters = votersOf(pod.podId)
  const parties: SplitParties = { node: completion.nodeOwner, deployer: pod.deployer, frontend: key.frontend, voters, protocol }
  const terms = { parties, bps: bpsOf({ pod, frontend: key.frontend }) }
  const { events, split } = hold.capture({ jobId: start.jobId, price: receipt.price, ...terms, atMs: context.clock.now() })
  const { receiptDigest: digest } = completion
  const credits = hold.creditsFor(units)
  note(context, job, 'done', { ...units })
  note(context, job, 'receipt', { digest, price: receipt.price.toString(), credits: credits.toString() })
  return {
    ...outcomeBase(context, job),
    ...units,
    state: 'succeeded',
    nodeId: receipt.node,
    price: receipt.price,
    credits,
    errorCode: null,
    errorMessage: null,
    receipt: { signed: signedReceipt, digest, split },
    discard: null,
    ledger: events,
  }
}

function failureOf(context: Context, job: Job, failure: Failure): JobOutcome {
  note(context, job, 'released', { maxPrice: job.hold.maxPrice.toString() })
  if (failure.signedDiscard) note(context, job, 'discarded', { reason: failure.code })
  return {
    ...outcomeBase(context, job),
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
  }
}

/**
 * An outage has hidden whether the commit of a success happened. The job is ended as failed as soon as the ledger answers; if the success is there
 * already, that is refused (law L2) and the charge stands. Until then the hold stays: neither the user nor the node loses by the doubt.
 */
async function learnFate(context: Context, job: Job, lost: JobOutcome, price: bigint): Promise<void> {
  const { jobId } = job.start
  try {
    await context.jobs.finish(lost)
    job.hold.release()
  } catch (error) {
    if (isHeuristError(error, 'JOB_ALREADY_ENDED')) job.hold.captured(price)
    else if (isOutage(error)) context.clock.after(ASK_AGAIN_MS, () => void learnFate(context, job, lost, price))
    else context.logger.error({ jobId, reason: messageOf(error) }, 'job was left open; the next start ends it')
  }
}

/** Its client is told that the job failed whether the ledger is there or not; through an outage its end is tried again until it is written. */
async function storeFailure(context: Context, outcome: JobOutcome): Promise<void> {
  const { jobId } = outcome.start
  try {
    await context.jobs.finish(outcome)
  } catch (error) {
    if (isOutage(error)) context.clock.after(ASK_AGAIN_MS, () => void storeFailure(context, outcome))
    else context.logger.error({ jobId, reason: messageOf(error) }, 'discard receipt was not stored; the next start ends the job')
  }
}

async function fail(context: Context, job: Job, failure: Failure): Promise<never> {
  const { jobId } = job.start
  job.hold.release()
  await storeFailure(context, failureOf(context, job, failure))
  throw jobFailureError(jobId, failure, job.control.isCancelled)
}

function refuse(context: Context, job: Job, error: unknown): Promise<never> {
  context.logger.error({ jobId: job.start.jobId, reason: messageOf(error) }, 'job can not be settled')
  return fail(context, job, BAD_OUTCOME)
}

async function commit(context: Context, job: Job, outcome: Success): Promise<void> {
  const { jobId } = job.start
  try {
    await context.jobs.finish(outcome)
  } catch (error) {
    if (!isOutage(error)) return refuse(context, job, error)
    context.logger.error({ jobId, reason: messageOf(error) }, 'receipt was not confirmed')
    void learnFate(context, job, failureOf(context, job, OUTCOME_LOST), outcome.price)
    throw gatewayError(
      'storage_unavailable',
      `${isHeuristError(error, 'DATABASE_FULL') ? DISK_FULL : NOT_CONFIRMED} Its answer is withheld. Whether it was charged shows under ${jobId} when the ledger is back.`,
      { jobId, cause: OUTCOME_LOST.code },
    )
  }
  job.hold.captured(outcome.price)
}

async function complete(context: Context, job: Job, completion: JobCompletion): Promise<FinishedJob> {
  let outcome: Success
  try {
    refuseForeignReceipt(job, completion)
    outcome = successOf(context, job, completion)
  } catch (error) {
    return refuse(context, job, error)
  }
  await commit(context, job, outcome)
  return {
    jobId: job.start.jobId,
    nodeId: completion.signedReceipt.receipt.node,
    units: completion.units,
    choices: completion.choices,
    credits: outcome.credits,
    receiptDigest: outcome.receipt.digest,
  }
}

export function createOutcomeWriter(options: OutcomeOptions, dependencies: OutcomeDependencies): OutcomeWriter {
  const context: Context = { ...options, ...dependencies }
  return {
    note: (job, step, detail) => note(context, job, step, detail),
    complete: (job, completion) => complete(context, job, completion),
    fail: (job, failure) => fail(context, job, failure),
  }
}
