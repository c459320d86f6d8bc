import type { Clock, Logger, Signer } from '#platform'
import {
  type Bytes32,
  type Delta,
  HeuristError,
  messageOf,
  type NodeMessage,
  outputHash,
  type PodRecord,
  type Receipt,
  receiptDigest,
} from '#protocol'
import type { EngineResult } from '../pod/engines/engine.ts'
import type { LoadedReplica } from '../pod/lifecycle/replicas.ts'
import { CreditWindow } from './credit-window.ts'
import type { DutyCycle } from './duty-cycle.ts'
import { checkLease, type LeaseMessage, leaseError, objectionToReceipt, paramOf, type WorkDone } from './lease-checks.ts'
import type { LeaseTrace, TraceLease } from './lease-trace.ts'
import { type Finish, OutputRecord, wireDelta } from './output.ts'
import type { Agreed } from './signing-queue.ts'

/** A loaded pod with the share of the device that it runs on. */
export type ReadyReplica = LoadedReplica & { readonly duty: DutyCycle }
export type LeaseLink = {
  send(message: NodeMessage): void
  sendDelta(channel: number, sequence: number, delta: Delta): void
  writable(): Promise<void> | null
}
export type LeaseDependencies = {
  readonly link: LeaseLink
  readonly clock: Clock
  readonly logger: Logger
  readonly signer: Signer
  readonly separator: Uint8Array
  pod(podId: Bytes32): PodRecord | undefined
  /** Signs the receipt with others of this turn. */
  agree(agreed: Agreed): void
  /** Loads the pod when it is cold; `onLoading` is called when that takes time. @throws HeuristError NODE_* */
  ready(pod: PodRecord, options: { signal: AbortSignal; onLoading(): void }): Promise<ReadyReplica>
  readonly trace: TraceLease | undefined
  /** The lease is over: signed, declined, failed, or never asked for again. */
  over(lease: Lease): void
}

/** Pieces that an engine may hand over ahead of the link; one that does not wait for `emit` must not fill the memory. */
const MAX_PENDING_DELTAS = 1024
/** How long an engine may go on after it was stopped before the node says so in its log. */
const STOP_WARNING_MS = 200
/** A done lease whose receipt nobody asks for is forgotten after this. */
const SIGN_TIMEOUT_MS = 120_000

/**
 * What a cancel means for the output. The router writes `finish:<why>` when the client is gone after output was sent to it:
 * the node stops, and what was produced is done and paid. Any other reason (`abort:<why>`) throws the output away.
 */
export function cancelKeepsOutput(reason: string): boolean {
  return reason.startsWith('finish')
}

/** One lease from its message to the signed receipt. Answers with exactly one of `done` and `failed`, whatever happens. */
export class Lease {
  readonly message: LeaseMessage
  readonly #deps: LeaseDependencies
  readonly #stop = new AbortController()
  readonly #credit: CreditWindow
  readonly #output = new OutputRecord()
  readonly #trace: LeaseTrace | undefined
  #sequence = 0
  #answered = false
  #isComputing = false
  #isOver = false
  #work: Omit<WorkDone, 'unsentUnits'> | null = null
  #unsentUnits = 0
  #error: HeuristError | null = null
  #tail: Promise<void> | null = null
  #pending = 0
  #cancelPhase: () => void = () => {}
  #cancelTotal: () => void = () => {}
  #cancelSign: () => void = () => {}

  constructor(message: LeaseMessage, dependencies: LeaseDependencies) {
    this.message = message
    this.#deps = dependencies
    this.#credit = new CreditWindow(message.creditTokens)
    this.#trace = dependencies.trace?.(message)
  }

  get isDone(): boolean {
    return this.#work !== null
  }

  /** Why it failed; null while it runs and after it was done. */
  get error(): HeuristError | null {
    return this.#error
  }

  /** Never rejects. Resolves when the engine has let go, so that a drain can wait for it. */
  async run(): Promise<void> {
    const { deadlines } = this.message
    this.#cancelTotal = this.#deps.clock.after(deadlines.totalMs, () => this.#expire('total', deadlines.totalMs))
    try {
      const pod = checkLease(this.message, this.#deps.pod(this.message.podId))
      const replica = await this.#load(pod)
      this.#trace?.mark('ready')
      const release = await this.#claim(replica)
      try {
        await this.#generate(replica)
      } finally {
        release()
      }
    } catch (error) {
      this.fail(error)
    } finally {
      this.#cancelPhase()
      this.#cancelTotal()
    }
  }

  addCredit(tokens: number): void {
    this.#credit.add(tokens)
  }

  /** Stops the engine. See {@link cancelKeepsOutput} for what happens to the output. */
  cancel(reason: string): void {
    const isKept = cancelKeepsOutput(reason)
    if (isKept) this.#unsentUnits = this.message.creditTokens
    if (this.#answered) {
      if (!isKept) this.#finishLease()
      return
    }
    if (isKept && !this.#output.isEmpty) this.#complete({ finish: [], inputUnits: null, outputUnits: this.#output.tokens })
    else this.fail(leaseError('CANCELLED', `The router took the lease back: ${reason || 'no reason given'}.`, { retryable: true }))
  }

  /** Answers `failed` once and stops the engine. */
  fail(cause: unknown): void {
    if (this.#answered) return
    const error = cause instanceof HeuristError ? cause : engineFailure(cause)
    const { leaseId, fencingToken, jobId } = this.message
    this.#answered = true
    this.#error = error
    this.#deps.logger.warn({ jobId, leaseId, code: error.code, reason: error.message }, 'lease failed')
    const message = error.message.slice(0, 1000)
    const param = paramOf(error)
    const code = error.code.slice(0, 60)
    this.#deps.link.send({ type: 'failed', leaseId, fencingToken, code, message, retryable: error.retryable, ...(param && { param }) })
    this.#halt()
    this.#finishLease()
  }

  /** The link is gone: nobody can take the output any more. */
  abandon(reason: string): void {
    if (!this.#answered) this.#deps.logger.warn({ jobId: this.message.jobId, reason }, 'lease abandoned')
    this.#answered = true
    this.#halt()
    this.#finishLease()
  }

  /** Has the receipt signed when it is what this lease did, else declines with the reason. */
  sign(receipt: Receipt): void {
    const { leaseId, fencingToken, jobId } = this.message
    const work = this.#work && { ...this.#work, unsentUnits: this.#unsentUnits }
    const objection = work ? objectionToReceipt(receipt, this.message, work) : 'The node has not finished this lease.'
    if (objection !== null) {
      this.#deps.logger.error({ jobId, leaseId, objection }, 'declined to sign a receipt')
      this.#deps.link.send({ type: 'declined', leaseId, fencingToken, reason: objection.slice(0, 500) })
      return
    }
    const digest = receiptDigest(this.#deps.separator, receipt)
    this.#deps.agree({ leaseId, fencingToken, digest, signed: () => this.#finishLease() })
  }

  async #load(pod: PodRecord): Promise<ReadyReplica> {
    this.#enter('load', this.message.deadlines.loadMs)
    return this.#deps.ready(pod, { signal: this.#stop.signal, onLoading: () => this.#phase('loading') })
  }

  async #claim(replica: ReadyReplica): Promise<() => void> {
    this.#enter('queue', this.message.deadlines.queueMs)
    const release = await replica.claim(this.#stop.signal)
    if (!release)
      throw leaseError('NODE_NO_SLOT', 'Every slot of the pod on this node is taken and its queue is full.', { retryable: true })
    return release
  }

  async #generate(replica: ReadyReplica): Promise<void> {
    this.#stop.signal.throwIfAborted()
    this.#enter('firstToken', this.message.deadlines.firstTokenMs)
    this.#phase('running')
    replica.duty.begin()
    this.#isComputing = true
    try {
      const emit = (delta: Delta) => this.#emit(wireDelta(delta), replica.duty)
      const traceparent = this.#trace?.traceparent ?? this.message.traceparent
      const options = { signal: this.#stop.signal, emit, ...(traceparent && { traceparent }) }
      const result = await replica.model.run(this.message.request, options)
      await this.#tail
      await replica.duty.pace(true)
      this.#complete(result)
    } finally {
      this.#isComputing = false
      replica.duty.end()
    }
  }

  #emit(delta: Delta, duty: DutyCycle): void | Promise<void> {
    if (this.#answered) return
    this.#cancelPhase()
    const isFree = this.#tail === null && this.#deps.link.writable() === null && duty.pace() === null
    if (isFree && this.#credit.tryTake(delta.tokens)) return this.#deliver(delta)
    if (this.#pending >= MAX_PENDING_DELTAS) {
      throw leaseError('NODE_OUTPUT_OVERFLOW', 'The engine produced without waiting for the link.', { retryable: true })
    }
    this.#pending += 1
    this.#tail = this.#deliverAfter(this.#tail, delta, duty)
    return this.#tail
  }

  /** Order is kept by a chain: a piece never overtakes one that waits. */
  async #deliverAfter(before: Promise<void> | null, delta: Delta, duty: DutyCycle): Promise<void> {
    await before
    await duty.pace()
    if (!this.#credit.tryTake(delta.tokens)) {
      await this.#credit.take(delta.tokens)
      duty.resume()
    }
    await this.#deps.link.writable()
    this.#pending -= 1
    if (this.#pending === 0) this.#tail = null
    this.#deliver(delta)
  }

  #deliver(delta: Delta): void {
    if (this.#answered) return
    if (this.#sequence === 0) this.#trace?.mark('first_token')
    this.#output.add(delta)
    this.#deps.link.sendDelta(this.message.channel, this.#sequence, delta)
    this.#sequence += 1
  }

  #complete(result: { finish: EngineResult['finish']; inputUnits: number | null; outputUnits: number }): void {
    if (this.#answered) return
    this.#answered = true
    const { leaseId, fencingToken } = this.message
    const finish: Finish[] = this.#output.finish(result.finish)
    const hash = outputHash(this.#output.choices(finish))
    const { inputUnits, outputUnits } = result
    const isCountable = this.#deps.pod(this.message.podId)?.manifest.spec.tokenizerSha256 !== undefined
    this.#work = { nodeId: this.#deps.signer.address, outputHash: hash, inputUnits: isCountable ? inputUnits : null, outputUnits }
    // 0 stands for "stopped before it was counted": the field is advisory, and the router bills by its own count.
    this.#deps.link.send({ type: 'done', leaseId, fencingToken, outputHash: hash, inputUnits: inputUnits ?? 0, outputUnits, finish })
    this.#halt()
    this.#cancelSign = this.#deps.clock.after(SIGN_TIMEOUT_MS, () => this.#finishLease())
  }

  #phase(phase: 'loading' | 'running'): void {
    const { leaseId, fencingToken } = this.message
    if (!this.#answered) this.#deps.link.send({ type: 'phase', leaseId, fencingToken, phase })
  }

  #enter(phase: string, limitMs: number): void {
    this.#cancelPhase()
    if (this.#answered) return
    this.#cancelPhase = this.#deps.clock.after(limitMs, () => this.#expire(phase, limitMs))
  }

  #expire(phase: string, limitMs: number): void {
    this.fail(leaseError('NODE_DEADLINE', `The ${phase} phase took longer than its ${limitMs} ms.`, { retryable: true }))
  }

  /** Stops the engine and frees everybody who waits in emit. */
  #halt(): void {
    this.#cancelPhase()
    this.#cancelTotal()
    this.#stop.abort(leaseError('CANCELLED', 'The lease is over.', { retryable: true }))
    this.#credit.open()
    const { clock, logger } = this.#deps
    clock.after(STOP_WARNING_MS, () => {
      if (this.#isComputing)
        logger.warn({ jobId: this.message.jobId, podId: this.message.podId }, `the engine did not stop within ${STOP_WARNING_MS} ms`)
    })
  }

  #finishLease(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelSign()
    this.#trace?.end(this.#error)
    this.#deps.over(this)
  }
}

function engineFailure(cause: unknown): HeuristError {
  return leaseError('NODE_ENGINE_FAILED', `The engine failed: ${messageOf(cause)}`, { retryable: true, cause })
}
