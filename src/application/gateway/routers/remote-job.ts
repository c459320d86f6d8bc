import type { Clock } from '#platform'
import type { JobControl, JobFailure, JobOrder, JobSink, SignedDiscardReceipt } from '#protocol'
import { createDeferredControl } from '../job.ts'
import type { RouterLink } from './link.ts'

export type RemoteJobDependencies = {
  /** A router that is not known to be away; null when there is none. */
  readonly choose: (order: JobOrder) => RouterLink | null
  /** Routers came or went a moment ago: nodes may be on their way from one to another. */
  readonly isUnsettled: () => boolean
  readonly signDiscard: (order: JobOrder, facts: { readonly attempts: number; readonly reason: string }) => SignedDiscardReceipt
  readonly clock: Clock
}

type Fault = { readonly code: string; readonly message: string }
const NO_ROUTER: Fault = { code: 'GATEWAY_NO_ROUTER', message: 'No router can be reached from this gateway now. Try again in a moment.' }
const LOST: Fault = { code: 'ROUTER_LOST', message: 'The router that had the job went away.' }
/** What a router says that is about to stop, or whose nodes have not come yet: another may take the job, or the same in a moment. */
const PASSING: ReadonlySet<string> = new Set(['ROUTER_STOPPING', 'ROUTER_NO_CANDIDATE', 'ROUTER_POD_UNKNOWN', NO_ROUTER.code])
const AGAIN_MS = 200
/** The router's own autoscaler leaves the pod to others, which its last word did not say yet. */
const ELSEWHERE = 'ROUTER_POD_ELSEWHERE'
/** How long a job is tried again while routers come and go. */
const PATIENCE_MS = 10_000

/** One job at a router in another process. Before its first output it survives the router: it begins again at another (law L7 still holds). */
export class RemoteJob {
  readonly #order: JobOrder
  readonly #sink: JobSink
  readonly #dependencies: RemoteJobDependencies
  readonly #startedMs: number
  #control = createDeferredControl()
  #attempts = 0
  #earlierAttempts = 0
  #hasOutput = false
  /** Decisions of the router that has the job now. */
  #decisions = 0
  #cancelReason: string | null = null

  constructor(order: JobOrder, sink: JobSink, dependencies: RemoteJobDependencies) {
    this.#order = order
    this.#sink = sink
    this.#dependencies = dependencies
    this.#startedMs = dependencies.clock.now()
    // Next microtask: no callback runs before the caller holds its control.
    queueMicrotask(() => this.#dispatch())
  }

  readonly control: JobControl = {
    cancel: reason => {
      this.#cancelReason ??= reason
      this.#control.cancel(reason)
    },
    grant: tokens => this.#control.grant(tokens),
  }

  #elapsedMs(): number {
    return this.#dependencies.clock.now() - this.#startedMs
  }

  #dispatch(): void {
    const order = this.#rest()
    const link = this.#dependencies.choose(order)
    if (link) this.#control.connect(link.dispatch(order, this.#heard(), () => this.#lost()))
    else this.#fail(this.#failureOf(NO_ROUTER))
  }

  /** What is left of the order's time and attempts. */
  #rest(): JobOrder {
    const { preferences, totalMs } = this.#order
    return {
      ...this.#order,
      preferences: { ...preferences, max_attempts: preferences.max_attempts - this.#attempts },
      totalMs: Math.max(1, totalMs - this.#elapsedMs()),
    }
  }

  #heard(): JobSink {
    return {
      ...this.#sink,
      decided: decision => {
        this.#decisions += 1
        this.#sink.decided(decision)
      },
      leased: lease => {
        this.#attempts = Math.max(this.#attempts, this.#earlierAttempts + lease.attempt)
        this.#sink.leased(lease)
      },
      delta: delta => {
        this.#hasOutput = true
        this.#sink.delta(delta)
      },
      failed: failure => this.#fail({ ...failure, attempts: this.#earlierAttempts + failure.attempts }),
    }
  }

  #mayRetry(): boolean {
    const { on_failure, max_attempts } = this.#order.preferences
    return !this.#hasOutput && this.#cancelReason === null && on_failure === 'retry' && this.#attempts < max_attempts
  }

  #lost(): void {
    this.#sink.undecided(this.#decisions)
    if (!this.#mayRetry()) {
      this.#sink.failed(this.#failureOf(LOST))
      return
    }
    this.#again(LOST)
    this.#dispatch()
  }

  #fail(failure: JobFailure): void {
    const { isUnsettled, clock } = this.#dependencies
    const isPassing = this.#elapsedMs() < PATIENCE_MS && (failure.code === ELSEWHERE || (PASSING.has(failure.code) && isUnsettled()))
    if (!isPassing || !this.#mayRetry()) {
      this.#sink.failed(failure)
      return
    }
    this.#again(failure)
    clock.after(AGAIN_MS, () => this.#dispatch())
  }

  #again({ code, message }: Fault): void {
    this.#sink.retrying(code, message)
    this.#earlierAttempts = this.#attempts
    this.#decisions = 0
    this.#control = createDeferredControl()
  }

  #failureOf({ code, message }: Fault): JobFailure {
    const attempts = this.#attempts
    const signedDiscard = this.#dependencies.signDiscard(this.#order, { attempts, reason: code })
    return { code, message, retryAfterMs: 1_000, param: null, startedOutput: this.#hasOutput, attempts, signedDiscard }
  }
}
