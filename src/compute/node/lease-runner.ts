import type { Clock, Logger, Signer, Tracer } from '#platform'
import type { Bytes32, PodRecord } from '#protocol'
import type { Journal } from './journal.ts'
import { Lease, type LeaseDependencies, type LeaseLink } from './lease.ts'
import { type LeaseMessage, leaseError } from './lease-checks.ts'
import { createLeaseTracing, type TraceLease } from './lease-trace.ts'
import type { LinkTraffic } from './link-client.ts'
import { type Agreed, createSigningQueue } from './signing-queue.ts'

export type RunnerDependencies = {
  readonly link: LeaseLink
  readonly clock: Clock
  readonly logger: Logger
  readonly signer: Signer
  readonly journal: Pick<Journal, 'admit'>
  pod(podId: Bytes32): PodRecord | undefined
  ready: LeaseDependencies['ready']
  readonly tracer?: Tracer | undefined
  /** For metrics. */
  readonly ended?: (outcome: 'done' | 'failed') => void
}
/** Numbers for doctor and metrics. */
export type RunnerCounts = { readonly active: number; readonly done: number; readonly failed: number; readonly lastError: string | null }

/** More leases at once than any node has slots and queue places for: a router that sends more is broken or hostile. */
const MAX_LEASES = 4096

/** All leases of one node: hands each message of the link to the lease that it belongs to. */
export class LeaseRunner {
  readonly #deps: RunnerDependencies
  readonly #leases = new Map<string, Lease>()
  readonly #channels = new Map<number, Lease>()
  readonly #running = new Set<Promise<void>>()
  readonly #watchers: (() => void)[] = []
  readonly #trace: TraceLease | undefined
  #separator: Uint8Array = new Uint8Array(32)
  #agree: (agreed: Agreed) => void = () => {}
  #isDraining = false
  #done = 0
  #failed = 0
  #lastError: string | null = null

  constructor(dependencies: RunnerDependencies) {
    const { tracer, clock, signer } = dependencies
    this.#deps = dependencies
    this.#trace = tracer && createLeaseTracing({ tracer, clock, nodeId: signer.address })
  }

  get counts(): RunnerCounts {
    return { active: this.#leases.size, done: this.#done, failed: this.#failed, lastError: this.#lastError }
  }

  /** Signatures on this link are made under this EIP-712 domain. */
  linkUp(separator: Uint8Array): void {
    const { link, signer, clock } = this.#deps
    this.#separator = separator
    this.#agree = createSigningQueue({ signer, separator, send: message => link.send(message), later: clock.afterTurn })
  }

  linkDown(reason: string): void {
    for (const lease of [...this.#leases.values()]) lease.abandon(reason)
  }

  receive(message: Exclude<LinkTraffic, { type: 'pods' | 'scale' | 'logs' }>): void {
    if (message.type === 'lease') this.#grant(message)
    else if (message.type === 'credit') this.#channels.get(message.channel)?.addCredit(message.tokens)
    else if (message.type === 'cancel') this.#find(message)?.cancel(message.reason)
    else this.#sign(message)
  }

  /** Takes no more leases and resolves when the last is signed for or over; `signal` ends them early. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true
    const hurried = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    while (this.#leases.size > 0 && !signal.aborted) {
      await Promise.race([hurried, new Promise<void>(resolve => this.#watchers.push(resolve))])
    }
    for (const lease of [...this.#leases.values()]) {
      lease.fail(leaseError('NODE_DRAINING', 'The node is stopping.', { retryable: true }))
      lease.abandon('the node is stopping')
    }
    await Promise.all(this.#running)
  }

  #find(reference: { leaseId: string; fencingToken: number }): Lease | undefined {
    const lease = this.#leases.get(reference.leaseId)
    return lease?.message.fencingToken === reference.fencingToken ? lease : undefined
  }

  #sign(message: Extract<LinkTraffic, { type: 'sign' }>): void {
    const { leaseId, fencingToken, receipt } = message
    const lease = this.#find(message)
    if (lease) lease.sign(receipt)
    else this.#deps.link.send({ type: 'declined', leaseId, fencingToken, reason: 'This node does not hold that lease.' })
  }

  #grant(message: LeaseMessage): void {
    const known = this.#leases.has(message.leaseId)
    const lease = new Lease(message, this.#leaseDependencies())
    if (known) {
      // Answering would end the lease that runs under the same id; the router repeated itself.
      this.#deps.logger.warn({ leaseId: message.leaseId }, 'the router sent a lease twice')
      return
    }
    const objection = this.#objection(message)
    if (objection) {
      lease.fail(objection)
      return
    }
    this.#leases.set(message.leaseId, lease)
    this.#channels.set(message.channel, lease)
    const running = lease.run().finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #objection(message: LeaseMessage): Error | null {
    if (this.#isDraining) return leaseError('NODE_DRAINING', 'The node is stopping.', { retryable: true })
    if (this.#leases.size >= MAX_LEASES)
      return leaseError('NODE_NO_SLOT', `The node holds ${MAX_LEASES} leases already.`, { retryable: true })
    if (this.#channels.has(message.channel)) {
      return leaseError('NODE_LEASE_STALE', `Channel ${message.channel} belongs to another lease.`, { retryable: true })
    }
    const { leaseId, jobId, fencingToken } = message
    try {
      if (this.#deps.journal.admit({ leaseId, jobId, fencingToken })) return null
    } catch (error) {
      return error as Error // cast: the journal throws HeuristErrors only
    }
    return leaseError('NODE_LEASE_STALE', 'This node has already run this lease, or a newer one of the same job.', { retryable: true })
  }

  #leaseDependencies(): LeaseDependencies {
    const { link, clock, logger, signer, pod, ready } = this.#deps
    return {
      link,
      clock,
      logger,
      signer,
      separator: this.#separator,
      agree: this.#agree,
      pod,
      ready,
      trace: this.#trace,
      over: lease => this.#forget(lease),
    }
  }

  #forget(lease: Lease): void {
    if (lease.error) {
      this.#failed += 1
      this.#lastError = `${lease.error.code}: ${lease.error.message}`
      this.#deps.ended?.('failed')
    } else if (lease.isDone) {
      this.#done += 1
      this.#deps.ended?.('done')
    }
    const { leaseId, channel } = lease.message
    if (this.#leases.get(leaseId) === lease) this.#leases.delete(leaseId)
    if (this.#channels.get(channel) === lease) this.#channels.delete(channel)
    for (const wake of this.#watchers.splice(0)) wake()
  }
}
