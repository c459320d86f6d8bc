import { type Bytes32, bytesToHex, type ChoiceOutput, type Frame, type JobUnits, outputHash, receiptDigest, receiptToJson } from '#protocol'
import { endLease, enterPhase, failAttempt, failLease, watchSilence } from './attempt.ts'
import { type RouterContext, tell } from './context.ts'
import type { Fault } from './errors.ts'
import { settleOn } from './hedge.ts'
import { isFinished, type Job, type Lease, moveJob } from './job.ts'
import type { LeaseMessage, Session } from './link/session.ts'
import { chargedPieces, chargedTokens, isOverclaim } from './metering.ts'
import { draftReceipt } from './receipts.ts'

type Done = Extract<LeaseMessage, { type: 'done' }>

/** Passes output on, in order, counted. */
export function onFrames(context: RouterContext, session: Session, frames: readonly Frame[], bytes: number): void {
  let strays = frames.length
  for (const frame of frames) {
    const lease = context.leases.byChannel(session, frame.channel)
    if (!lease?.live || lease.phase === 'signing') continue
    strays -= 1
    onFrame(context, lease, frame)
  }
  if (strays === 0 && frames.length > 0) return
  context.metrics.lateResults.inc()
  // By its share of the message: one frame of a live lease does not carry megabytes of others for free.
  session.countStray((bytes * strays) / Math.max(1, frames.length))
}

function misbehaved(context: RouterContext, lease: Lease, what: string): void {
  failLease(context, lease, { code: 'ROUTER_NODE_MISBEHAVED', message: `Node ${lease.hosting.nodeId} sent ${what}.` })
}

/** Counts a frame in; a text when it breaks the protocol or a limit. */
function frameFault(context: RouterContext, lease: Lease, { sequence, delta }: Frame): string | null {
  const { meter, creditTokens } = lease
  if (sequence !== lease.nextSequence) return `frame ${sequence} where ${lease.nextSequence} was due`
  lease.nextSequence += 1
  // Judged by what came before: one piece of an upstream server may be longer than the window, and goes out alone.
  const sent = meter.tokens()
  if (delta.tokens > 0 && sent >= creditTokens + context.options.floodSlackTokens)
    return `more than ${sent} tokens with credit for ${creditTokens}`
  const fault = meter.accept(delta)
  if (meter.tokens() >= creditTokens) lease.wasHeldUp = true
  return fault
}

function onFrame(context: RouterContext, lease: Lease, frame: Frame): void {
  const { job } = lease
  const fault = frameFault(context, lease, frame)
  if (fault !== null) {
    misbehaved(context, lease, fault)
    return
  }
  // The time at which its message came: a clock is not asked for every token.
  lease.heardAtMs = lease.session.lastSeenAtMs
  if (lease.phase !== 'streaming') {
    settleOn(context, lease)
    enterPhase(context, lease, 'streaming')
    watchSilence(context, lease)
    if (job.state === 'leased') moveJob(job, 'running')
  }
  if (job.tokensAtCancel !== null) return
  job.startedOutput = true
  tell(context, job, sink => sink.delta(frame.delta))
}

/** A text message about a lease. Only the node that holds it may speak, and only while it is live (law L8). */
export function onLeaseMessage(context: RouterContext, session: Session, message: LeaseMessage): void {
  const lease = context.leases.byId(message.leaseId)
  if (lease && lease.session !== session) session.close('LINK_FOREIGN_LEASE', `Node ${session.nodeId} answered a lease of another node.`)
  else if (!lease?.live || lease.fencingToken !== message.fencingToken) onLateMessage(context, session, message, lease)
  else onLiveMessage(context, lease, message)
}

function onLiveMessage(context: RouterContext, lease: Lease, message: LeaseMessage): void {
  switch (message.type) {
    case 'phase':
      // A lease has two phases to announce; whoever repeats them pays like for any other chatter.
      lease.phaseMessages += 1
      if (lease.phaseMessages > 2) lease.session.countStray()
      if (lease.live) onPhase(context, lease, message.phase)
      break
    case 'done':
      onDone(context, lease, message)
      break
    case 'declined':
      endByNode(context, lease, { code: 'ROUTER_NODE_FAILED', what: `declined: ${message.reason}` })
      break
    case 'failed':
      endByNode(context, lease, {
        what: `${message.code}: ${message.message}`,
        ...(message.retryable ? { code: 'ROUTER_NODE_FAILED' } : { code: 'ROUTER_REQUEST_REJECTED', param: message.param }),
      })
  }
}

function onLateMessage(context: RouterContext, session: Session, message: LeaseMessage, lease: Lease | undefined): void {
  context.metrics.lateResults.inc()
  session.countStray()
  // The node has stopped: its slot is free, and that is all a late result is good for.
  const hasStopped = message.type === 'done' || message.type === 'failed' || message.type === 'declined'
  if (hasStopped && lease?.fencingToken === message.fencingToken) context.leases.release(lease)
}

function endByNode(
  context: RouterContext,
  lease: Lease,
  { code, what, param }: { code: 'ROUTER_NODE_FAILED' | 'ROUTER_REQUEST_REJECTED'; what: string; param?: string | undefined },
): void {
  const subject = code === 'ROUTER_REQUEST_REJECTED' ? 'The request was rejected by the engine' : `Node ${lease.hosting.nodeId} failed`
  endLease(context, lease, { code, message: `${subject}: ${what}`, ...(param !== undefined && { param }) }, true)
}

function onPhase(context: RouterContext, lease: Lease, phase: 'loading' | 'running'): void {
  if (phase === 'running' && lease.phase === 'loading') enterPhase(context, lease, 'waiting')
  // Loading is announced at most once, and never after output: a node can not push its deadline away by repeating it.
  if (phase !== 'loading' || lease.phase !== 'waiting' || lease.hasLoaded) return
  lease.hasLoaded = true
  enterPhase(context, lease, 'loading')
  tell(context, lease.job, sink => sink.loading())
}

type Output = { readonly choices: readonly ChoiceOutput[]; readonly hash: Bytes32 }

/** The attempt's output as router and node agree on it, or what is wrong with the node's claim. */
function agreedOutput(lease: Lease, done: Done): Output | string {
  const { job, meter } = lease
  if (lease.phase === 'signing') return 'a second end of its output'
  const choices = meter.choices(done.finish)
  if (!choices) return 'finish reasons that do not match its output'
  const hash = outputHash(choices)
  if (hash !== done.outputHash) return `output with hash ${hash}, but claims ${done.outputHash}`
  const isEmbedding = job.order.request.kind === 'embedding'
  if (isEmbedding && (choices.length !== job.limits.maxChoices || choices.some(choice => choice.embeddingHash === undefined))) {
    return `${choices.length} vectors for ${job.limits.maxChoices} inputs`
  }
  return { choices, hash }
}

function unitsOf(context: RouterContext, lease: Lease, choices: readonly ChoiceOutput[], claimed: number): JobUnits {
  const { job, meter } = lease
  const { order } = job
  if (order.request.kind === 'embedding') return { inputUnits: order.inputUnits, outputUnits: 0 }
  const counted = meter.tokens()
  const isCommand = order.request.kind === 'command'
  const charged = isCommand
    ? chargedPieces(counted, choices)
    : chargedTokens(counted, choices, context.dependencies.tokenizerFor(order.pod))
  if (isOverclaim(claimed, charged, choices.length)) reportOverclaim(context, lease, claimed, charged)
  return { inputUnits: order.inputUnits, outputUnits: Math.min(charged, job.tokensAtCancel ?? charged) }
}

/** All output is here: count it once more, draft the receipt and ask the node to sign it. Its slot is free from now. */
function onDone(context: RouterContext, lease: Lease, done: Done): void {
  const { job, leaseId, fencingToken } = lease
  const output = agreedOutput(lease, done)
  if (typeof output === 'string') {
    misbehaved(context, lease, output)
    return
  }
  settleOn(context, lease)
  if (job.state === 'leased') moveJob(job, 'running')
  job.cancelTotalTimer()
  const units = unitsOf(context, lease, output.choices, done.outputUnits)
  const finishedAtMs = context.dependencies.clock.now()
  if (showsSpeed(lease)) context.fleet.showed(lease.hosting, { ...units, elapsedMs: finishedAtMs - lease.grantedAtMs })
  context.leases.freeSlot(lease)
  const receipt = draftReceipt({ order: job.order, lease, units, outputHash: output.hash, finishedAtMs })
  const digest = receiptDigest(context.separator, receipt)
  job.draft = { receipt, digest, digestHex: bytesToHex(digest), units, choices: output.choices }
  lease.session.send(JSON.stringify({ type: 'sign', leaseId, fencingToken, receipt: receiptToJson(receipt) }))
  enterPhase(context, lease, 'signing')
}

/** A load, a client that was behind or that left, and anything but tokens of text say nothing about the device. */
function showsSpeed({ job, hasLoaded, wasHeldUp }: Lease): boolean {
  const { kind } = job.order.request
  return (kind === 'chat' || kind === 'completion') && !hasLoaded && !wasHeldUp && job.tokensAtCancel === null
}

function reportOverclaim(context: RouterContext, lease: Lease, claimed: number, charged: number): void {
  context.metrics.overclaims.inc()
  const evidence = { nodeId: lease.hosting.nodeId, jobId: lease.job.order.jobId, leaseId: lease.leaseId, claimed, charged }
  context.dependencies.logger.warn(evidence, 'A node claimed more tokens than it sent.')
}

/**
 * The client is gone. Before it was sent output the job ends at once and costs nothing; in the middle of a stream the node
 * is asked to finish with what it has, and the client pays for what it was sent.
 */
export function cancelJob(context: RouterContext, job: Job, reason: string): void {
  if (isFinished(job) || job.tokensAtCancel !== null) return
  const { lease } = job
  const fault = { code: 'ROUTER_CANCELLED', message: `The job was cancelled: ${reason}.` } as const
  // Whoever waits for a whole answer was sent nothing yet, whatever the node has produced.
  const wasSentOutput = job.startedOutput && job.order.request.body.stream === true
  if (lease && wasSentOutput) finishEarly(context, lease, fault, reason)
  else failAttempt(context, job, fault)
}

function finishEarly(context: RouterContext, lease: Lease, fault: Fault, reason: string): void {
  const { job, leaseId, fencingToken } = lease
  job.tokensAtCancel = lease.meter.tokens()
  if (lease.phase === 'signing') return
  lease.session.send(JSON.stringify({ type: 'cancel', leaseId, fencingToken, reason: `finish:${reason}`.slice(0, 200) }))
  const { cancelGraceMs } = context.options
  const message = `${fault.message} Its node did not finish within ${cancelGraceMs} ms.`
  lease.cancelDeadline()
  lease.cancelDeadline = context.dependencies.clock.after(cancelGraceMs, () => failLease(context, lease, { ...fault, message }))
}

/** The client has taken tokens: the node may send as many more. Told in steps of half a window, not per token. */
export function grantCredit(context: RouterContext, job: Job, tokens: number): void {
  const { lease } = job
  if (!lease?.live || !Number.isInteger(tokens) || tokens <= 0) return
  lease.unsentCreditTokens += tokens
  if (2 * lease.unsentCreditTokens < context.options.creditTokens) return
  lease.session.send(JSON.stringify({ type: 'credit', channel: lease.channel, tokens: lease.unsentCreditTokens }))
  lease.creditTokens += lease.unsentCreditTokens
  lease.unsentCreditTokens = 0
}
