import { type Bytes32, bytesToHex, type DecisionRecord, routeClass } from '#protocol'
import { coldFault, isCold } from './cold.ts'
import { type RouterContext, tell } from './context.ts'
import { type DecisionInput, recordDecision } from './decision.ts'
import type { Fault } from './errors.ts'
import { isEligible, isPlain } from './filter.ts'
import type { Hosting } from './hosting.ts'
import { isFinished, type Job, keepOnly, type Lease, moveJob, otherAttempt } from './job.ts'
import { viewOfLease } from './lease.ts'
import { createMeter } from './metering.ts'
import { whyNobody } from './nobody.ts'
import { type Choice, type Choices, pick } from './pick.ts'
import type { Offer } from './queue.ts'
import { leaseDeadlines, phaseDeadline, shouldRetry, silenceMs } from './retry.ts'
import { sealDecision, sealDiscard } from './seal.ts'

const ELSEWHERE: Fault = {
  code: 'ROUTER_POD_ELSEWHERE',
  message: 'This router may load no replica of the pod; another one has them.',
  retryAfterMs: 1000,
}
export const STOPPING: Fault = { code: 'ROUTER_STOPPING', message: 'This router is shutting down. Send the job again.' }

/** Takes a job in: its whole-job deadline runs from here. */
export function submitJob(context: RouterContext, job: Job): void {
  const { clock } = context.dependencies
  const { totalMs } = job.order
  context.jobs.add(job)
  job.cancelTotalTimer = clock.after(totalMs, () =>
    failAttempt(context, job, { code: 'ROUTER_TOTAL_TIMEOUT', message: `The job did not finish within its deadline of ${totalMs} ms.` }),
  )
  placeJob(context, job)
}

/** Leases the job to the best node, lets it wait for a slot, or refuses it with the reasons. */
export function placeJob(context: RouterContext, job: Job): void {
  if (isFinished(job)) return
  if (context.stopping) {
    discard(context, job, STOPPING)
    return
  }
  if (job.order.preferences.on_cold === 'refuse' && isCold(context.fleet.hosting(job.podId))) {
    context.coldWishes.add(job.podId, context.dependencies.clock.now())
    discard(context, job, coldFault(job.order.pod.name))
    return
  }
  const choice = tryLease(context, job)
  if (choice.chosen !== null) return
  if (choice.mayWait) wait(context, job)
  else if (isElsewhere(context, job)) discard(context, job, ELSEWHERE)
  else refuse(context, job)
}

/** Nodes of this router could do the job, and none of them may load the pod. */
function isElsewhere({ allowances, fleet }: RouterContext, { podId }: Job): boolean {
  return allowances.isElsewhere(podId) && fleet.hosting(podId).length > 0
}

/** Nobody can take the job, free slot or not: say so at once, with every reason. */
function refuse(context: RouterContext, job: Job): void {
  recordRefusal(context, job)
  const message = `No node can take a job for pod ${job.order.pod.name} now: ${whyNobody(context.fleet, job)}.`
  const { lastFault } = job
  if (lastFault) discard(context, job, { ...lastFault, message: `${lastFault.message} ${message}` })
  else discard(context, job, { code: 'ROUTER_NO_CANDIDATE', message, retryAfterMs: 1000 })
}

/** Which of a job's two places an attempt takes. */
type Place = 'lease' | 'hedge'

export function tryLease(context: RouterContext, job: Job, place: Place = 'lease'): Choice {
  const { fleet, dependencies } = context
  for (;;) {
    const seed = bytesToHex(dependencies.random(32))
    const choice = pick(fleet, job.demand, seed)
    if (choice.chosen === null) return choice
    const { node } = choice.chosen
    // The fleet's copy of the registry may be a second old; the node that is about to get work is looked up now.
    if (dependencies.standing(node.nodeId) !== node.standing) fleet.refreshStanding(node.nodeId)
    if (!isEligible(choice.chosen, job.demand)) continue
    // Nothing is loaded for a second attempt: it is to be faster than the first.
    if (place === 'hedge' && !choice.chosen.warm) return { ...choice, chosen: null, mayWait: false }
    if (!context.allowances.take(choice.chosen, job.demand)) return heldBack(context, job, choice)
    grantLease(context, job, choice, { seed, place })
    return choice
  }
}

/** The best node would have to load the pod and must not: the job waits for a warm one, if this router may have any. */
function heldBack({ allowances, fleet }: RouterContext, { podId }: Job, choices: Choices): Choice {
  const hasOne = !allowances.isElsewhere(podId) || fleet.hosting(podId).some(({ warm, busy }) => warm || busy > 0)
  return { ...choices, chosen: null, mayWait: hasOne }
}

function wait(context: RouterContext, job: Job): void {
  const { queue, dependencies } = context
  const { queueMs } = job.order.pod.manifest.spec.timeouts
  const displaced = queue.add(job)
  if (displaced) refuseFull(context, displaced)
  if (displaced === job) return
  job.cancelQueueTimer = dependencies.clock.after(queueMs, () => {
    const place = queue.ahead(job) + 1
    const waiting = queue.size(job.podId)
    queue.remove(job)
    recordRefusal(context, job)
    const message = `No slot of pod ${job.order.pod.name} became free for this job within ${queueMs} ms; it was about number ${place} of ${waiting} that wait.`
    discard(context, job, { code: 'ROUTER_QUEUE_TIMEOUT', ...laterBy(context, job, place, message) })
  })
}

function refuseFull(context: RouterContext, job: Job): void {
  const { queue } = context
  const message = `${queue.size(job.podId)} jobs wait for pod ${job.order.pod.name}, as many as may, and no payer has more of them waiting.`
  discard(context, job, { code: 'ROUTER_QUEUE_FULL', ...laterBy(context, job, queue.ahead(job) + 1, message) })
}

/** When so many jobs that wait now will have been served, at the pace of the last ones; none waits longer than its deadline. */
function laterBy({ pace }: RouterContext, { podId, order }: Job, jobs: number, message: string): Pick<Fault, 'message' | 'retryAfterMs'> {
  const retryAfterMs = pace.waitMs(podId, jobs, order.pod.manifest.spec.timeouts.queueMs)
  return { message: `${message} Try again in about ${Math.ceil(retryAfterMs / 1000)} s.`, retryAfterMs }
}

/** Offers a pod's waiting jobs to its free slots (law R3). */
export function offerSlots(context: RouterContext, podId: Bytes32): void {
  const { queue, fleet, pace, dependencies } = context
  const take = (job: Job): Offer => {
    if (!fleet.roster(podId)?.listed()?.size) return 'no slot left'
    // Where the best node must not load, no job that any node may do finds another.
    if (tryLease(context, job).chosen === null) return isPlain(job.demand) ? 'no slot left' : 'unsuitable'
    pace.served(podId, dependencies.clock.now())
    return 'taken'
  }
  if (queue.size(podId) > 0 && !context.stopping) queue.offer(podId, take)
}

type DecisionPart = Pick<DecisionInput, 'attempt' | 'seed' | 'choice'>

function recordOf({ fleet, journal, dependencies }: RouterContext, job: Job, part: DecisionPart): DecisionRecord {
  const { jobId } = job.order
  journal.decided(jobId)
  return recordDecision(fleet, { jobId, demand: job.demand, decidedAtMs: dependencies.clock.now(), ...part })
}

function publishDecision(context: RouterContext, job: Job, record: DecisionRecord): Bytes32 {
  const decision = sealDecision(record, context)
  job.decisionHash = decision.recordHash
  tell(context, job, sink => sink.decided(decision))
  return decision.recordHash
}

/** The attempt that could not be made has a decision too: when nobody was eligible. Who was held back from loading breaks no rule of the record. */
function recordRefusal(context: RouterContext, job: Job): void {
  const seed = bytesToHex(context.dependencies.random(32))
  const choice = pick(context.fleet, job.demand, seed)
  if (choice.chosen !== null) return
  publishDecision(context, job, recordOf(context, job, { attempt: job.attempts + 1, seed, choice: choice }))
}

type Grant = { readonly seed: Bytes32; readonly place: Place }

function grantLease(context: RouterContext, job: Job, choice: Choice & { readonly chosen: Hosting }, { seed, place }: Grant): void {
  const hosting = choice.chosen
  const { options, leases, metrics, dependencies } = context
  job.attempts += 1
  job.cancelQueueTimer()
  if (place === 'lease') moveJob(job, 'leased')
  // Recorded before the slot changes hands; hashed and signed after the lease is on its way, while the node works.
  const record = recordOf(context, job, { attempt: job.attempts, seed, choice })
  const { creditTokens } = options
  const lease = leases.grant(job, hosting, { creditTokens, meter: createMeter(job.limits, options.floodSlackTokens) })
  job[place] = lease
  sendLease(context, job, lease)
  if (job.attempts === 1) metrics.queueSeconds.observe((dependencies.clock.now() - job.submittedAtMs) / 1000)
  lease.decisionHash = publishDecision(context, job, record)
  lease.routeClass = routeClass(record)
  tell(context, job, sink => sink.leased(viewOfLease(lease)))
  enterPhase(context, lease, hosting.warm ? 'waiting' : 'loading')
  if (!hosting.warm) tell(context, job, sink => sink.loading())
}

function deadlinesOf(context: RouterContext, job: Job) {
  const elapsedMs = context.dependencies.clock.now() - job.submittedAtMs
  return leaseDeadlines(job.order.pod, job.order.totalMs - elapsedMs)
}

function sendLease(context: RouterContext, job: Job, lease: Lease): void {
  const { order } = job
  // JSON.stringify and not encodeMessage: a lease holds no bigint, and the replacer costs a call per member of the body.
  const text = JSON.stringify({
    type: 'lease',
    leaseId: lease.leaseId,
    fencingToken: lease.fencingToken,
    jobId: order.jobId,
    attempt: lease.attempt,
    podId: job.podId,
    manifestHash: order.pod.manifestHash,
    channel: lease.channel,
    creditTokens: lease.creditTokens,
    deadlines: deadlinesOf(context, job),
    request: order.request,
    requestHash: order.requestHash,
    traceparent: order.traceparent,
  })
  lease.session.send(text)
}

/** Starts the deadline of a phase; it replaces the one before. */
export function enterPhase(context: RouterContext, lease: Lease, phase: Lease['phase']): void {
  lease.phase = phase
  lease.cancelDeadline()
  const deadline = lease.live ? phaseDeadline(phase, deadlinesOf(context, lease.job), context.options.signMs) : null
  lease.cancelDeadline = deadline
    ? context.dependencies.clock.after(deadline.afterMs, () => onDeadline(context, lease, deadline))
    : () => {}
}

/** All output is here, and the signature is missing because its node is cut off: it comes with the node, or the session ends first. */
function onDeadline(context: RouterContext, lease: Lease, fault: Fault): void {
  if (lease.phase === 'signing' && lease.session.cutAtMs !== null) enterPhase(context, lease, 'signing')
  else failLease(context, lease, fault)
}

/**
 * The deadline between two tokens: one timer that looks back, instead of one that every token would have to move. Behind a client
 * that has not taken all yet, a node may have to wait.
 */
export function watchSilence(context: RouterContext, lease: Lease): void {
  const { clock } = context.dependencies
  const limitMs = silenceMs(lease.job.order.pod)
  const takenTokens = lease.creditTokens - context.options.creditTokens + lease.unsentCreditTokens
  if (lease.meter.tokens() > takenTokens) lease.heardAtMs = clock.now()
  const leftMs = lease.heardAtMs + limitMs - clock.now()
  if (leftMs <= 0) {
    const message = `The node sent nothing for ${limitMs} ms in the middle of its output. Try again, or raise the pod's timeouts.betweenTokensMs.`
    failLease(context, lease, { code: 'ROUTER_TOKEN_TIMEOUT', message })
    return
  }
  lease.cancelDeadline = clock.after(leftMs, () => watchSilence(context, lease))
}

/** Ends a lease by a fault of its node and decides about the job. The slot stays taken until the node has stopped. */
export function failLease(context: RouterContext, lease: Lease, fault: Fault): void {
  if (!lease.live) return
  if (fault.code === 'ROUTER_NODE_MISBEHAVED') {
    context.metrics.misbehaviour.inc()
    context.dependencies.logger.warn({ nodeId: lease.hosting.nodeId, jobId: lease.job.order.jobId }, fault.message)
  }
  endLease(context, lease, fault)
}

/** An attempt failed: its job goes on with the other one that it has, or is decided about. `nodeStopped`: see {@link failAttempt}. */
export function endLease(context: RouterContext, lease: Lease, fault: Fault, nodeStopped = false): void {
  const { job } = lease
  const other = otherAttempt(lease)
  if (!other) {
    failAttempt(context, job, fault, nodeStopped)
    return
  }
  keepOnly(other)
  dropLease(context, lease, fault, nodeStopped)
  tell(context, job, sink => sink.leased(viewOfLease(other)))
}

function dropLease(context: RouterContext, lease: Lease, fault: Fault, nodeStopped: boolean): void {
  lease.job.excluded.add(lease.hosting.nodeId)
  if (nodeStopped) context.leases.release(lease)
  else stopLease(context, lease, fault.code)
}

/** Tells the node to stop. Its slot comes back when it confirms, or after the grace period. */
export function stopLease(context: RouterContext, lease: Lease, reason: string): void {
  context.leases.expire(lease)
  lease.session.send(
    JSON.stringify({ type: 'cancel', leaseId: lease.leaseId, fencingToken: lease.fencingToken, reason: `abort:${reason}`.slice(0, 200) }),
  )
  lease.cancelDeadline = context.dependencies.clock.after(context.options.cancelGraceMs, () => context.leases.release(lease))
}

/**
 * An attempt, or the job as a whole, failed: retry on another node or discard. `nodeStopped` says that the node no longer
 * works on it, so that its slot is free at once.
 */
export function failAttempt(context: RouterContext, job: Job, fault: Fault, nodeStopped = false): void {
  if (isFinished(job)) return
  const { lease, hedge } = job
  job.lease = null
  job.hedge = null
  if (lease) dropLease(context, lease, fault, nodeStopped)
  if (hedge) dropLease(context, hedge, fault, false)
  const { startedOutput, attempts } = job
  const isRetry = shouldRetry({ fault, startedOutput, attempts, preferences: job.order.preferences })
  if (isRetry) retryLater(context, job, fault)
  else discard(context, job, fault)
}

function retryLater(context: RouterContext, job: Job, fault: Fault): void {
  moveJob(job, 'held')
  job.lastFault = fault
  context.metrics.retries.inc({ code: fault.code })
  tell(context, job, sink => sink.retrying(fault.code, fault.message))
  queueMicrotask(() => placeJob(context, job))
}

/** Forgets a job's timers and places; called on its way into a terminal state. */
export function endJob(context: RouterContext, job: Job, outcome: string): void {
  job.cancelTotalTimer()
  job.cancelQueueTimer()
  job.cancelHedgeTimer()
  context.queue.remove(job)
  context.jobs.delete(job)
  context.metrics.jobs.inc({ outcome })
}

/** Ends a job as failed with a signed proof that it cost nothing (law L3). */
export function discard(context: RouterContext, job: Job, fault: Fault): void {
  const { clock } = context.dependencies
  const { order, attempts, decisionHash, startedOutput } = job
  moveJob(job, fault.code === 'ROUTER_CANCELLED' && !startedOutput ? 'cancelled' : 'failed')
  endJob(context, job, fault.code)
  const { jobId, pod, requestHash, payer } = order
  const receipt = { jobId, podId: pod.podId, requestHash, decisionHash, payer, attempts, reason: fault.code, discardedAtMs: clock.now() }
  const signedDiscard = sealDiscard(receipt, context)
  const { code, message, retryAfterMs = null, param = null } = fault
  tell(context, job, sink => sink.failed({ code, message, retryAfterMs, param, startedOutput, attempts, signedDiscard }))
}
