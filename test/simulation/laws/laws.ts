import type { JobOutcome, LedgerEvent } from '#platform'
import type { Address, Delta, JobId, JobOrder, LeaseView, NodeId, SignedDecision, SignedReceipt } from '#protocol'
import type { SettleBatch } from '../../../src/orchestration/sequencer/encode.ts'
import type { Disk } from './disk.ts'
import type { Process } from './schedule.ts'

export const LAWS = ['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7', 'L8', 'R1', 'R2', 'R3', 'R4', 'R5', 'N1', 'N2'] as const
export type Law = (typeof LAWS)[number]

/** A law of DESIGN §10 was broken. */
export class LawBroken extends Error {
  readonly law: Law

  constructor(law: Law, what: string) {
    super(`${law}: ${what}`)
    this.law = law
  }
}

/** What the outside of the network saw of one job. */
export type WatchedJob = {
  readonly order: JobOrder
  /** The router that it was asked of. */
  readonly process: Process
  readonly maxCredits: bigint
  readonly leases: LeaseView[]
  readonly decisions: SignedDecision[]
  /** Nodes that failed it. */
  readonly failed: Set<NodeId>
  ends: number
  text: string
  pieces: number
  /** Since when it waits although a node that may take it is idle. */
  wrongedSinceMs: number | null
}

const USED_TIMES_MS = 60_000

/** Watches every port of the network and knows nothing of how it works. */
export class LawBook {
  readonly jobs = new Map<JobId, WatchedJob>()
  readonly disk: () => Disk
  readonly #businessIds = new Set<string>()
  readonly #ends = new Map<JobId, JobOutcome>()
  readonly #onChain = new Map<JobId, number>()
  readonly #credited = new Map<Address, bigint>()
  readonly #admissions = new Map<string, number[]>()
  readonly #waiting = new Set<WatchedJob>()
  #lastToken = 0
  broken: LawBroken | null = null

  constructor(disk: () => Disk) {
    this.disk = disk
  }

  /** The first one counts: what follows may follow from it. */
  #demand(isKept: boolean, law: Law, what: () => string): void {
    if (!isKept) this.broken ??= new LawBroken(law, what())
  }

  break(law: Law, what: string): void {
    this.#demand(false, law, () => what)
  }

  posted(event: LedgerEvent, totals: ReadonlyMap<string, bigint>): void {
    const { businessId, kind, postings } = event
    for (const [asset, sum] of totals) this.#demand(sum === 0n, 'L1', () => `after ${businessId} all accounts of ${asset} add up to ${sum}`)
    this.#demand(!this.#businessIds.has(businessId), 'L4', () => `${businessId} was applied twice`)
    this.#businessIds.add(businessId)
    if (kind !== 'deposit') return
    for (const { account, asset, amount } of postings) {
      if (account.startsWith('credits:') && !asset.startsWith('unit')) this.#credited.set(asset, (this.#credited.get(asset) ?? 0n) + amount)
    }
  }

  ended(outcome: JobOutcome, before: JobOutcome | undefined): void {
    const { start, state, receipt, price, credits, ledger } = outcome
    const { jobId } = start
    this.#demand(!before && !this.#ends.has(jobId), 'L2', () => `${jobId} ended as ${before?.state} and then as ${state}`)
    this.#ends.set(jobId, outcome)
    const isPaid = receipt !== null || price !== 0n || ledger.length > 0
    this.#demand(state === 'succeeded' || !isPaid, 'L3', () => `${jobId} ended as ${state} and was paid`)
    this.#demand(price <= start.maxPrice, 'L6', () => `${jobId} was charged ${price}, held were ${start.maxPrice}`)
    const job = this.jobs.get(jobId)
    if (!job) return
    this.#demand(credits <= job.maxCredits, 'L6', () => `${jobId} was charged ${credits} nano-credits, its maximum is ${job.maxCredits}`)
    if (receipt) this.#demandLease(job, receipt.signed)
  }

  #demandLease(job: WatchedJob, { receipt }: SignedReceipt): void {
    const live = job.leases.at(-1)
    const { jobId, leaseId, node, fencingToken, attempt } = receipt
    const isLive = live?.leaseId === leaseId && live.nodeId === node && live.fencingToken === fencingToken && live.attempt === attempt
    this.#demand(isLive && !job.failed.has(node), 'L8', () => `${jobId} paid ${node} for lease ${leaseId}, live was ${live?.leaseId}`)
  }

  asked(order: JobOrder, process: Process, maxCredits: bigint): WatchedJob {
    const held = order.pricing.held.credits
    this.#demand(held <= maxCredits, 'L6', () => `${order.jobId} holds ${held} nano-credits, its maximum is ${maxCredits}`)
    const nothing = { ends: 0, text: '', pieces: 0, wrongedSinceMs: null }
    const job: WatchedJob = { order, process, maxCredits, leases: [], decisions: [], failed: new Set(), ...nothing }
    this.jobs.set(order.jobId, job)
    this.#waiting.add(job)
    return job
  }

  /** Jobs without a node, of the router that lives. */
  waiting(process: Process): WatchedJob[] {
    const waiting: WatchedJob[] = []
    for (const job of this.#waiting) if (job.process === process) waiting.push(job)
    return waiting
  }

  leased(job: WatchedJob, lease: LeaseView): void {
    const { jobId, preferences } = job.order
    this.#waiting.delete(job)
    const known = job.leases.findIndex(({ leaseId }) => leaseId === lease.leaseId)
    if (known >= 0) {
      // Of two attempts this one is left: the other failed, or was not first with its output.
      job.leases.push(...job.leases.splice(known, 1))
      return
    }
    job.leases.push(lease)
    this.#demand(job.leases.length <= preferences.max_attempts, 'L7', () => `${jobId} got attempt ${job.leases.length}`)
    this.#demand(job.pieces === 0, 'L7', () => `${jobId} was leased again after it had given output`)
    this.#demand(lease.fencingToken > this.#lastToken, 'L8', () => `fencing token ${lease.fencingToken} after ${this.#lastToken}`)
    this.#lastToken = Math.max(this.#lastToken, lease.fencingToken)
  }

  /**
   * No node here breaks the protocol, so none may be found to have broken it, whatever its link does to what it says (law N2). One that can
   * not be reached when its signature is due is late, and called so by the same name.
   */
  faulted({ order, leases }: WatchedJob, code: string, message: string): void {
    const isAccused = code === 'ROUTER_NODE_MISBEHAVED' && !message.includes('did not sign')
    this.#demand(!isAccused, 'N2', () => `${order.jobId}: ${leases.at(-1)?.nodeId} is accused: ${message}`)
  }

  retrying(job: WatchedJob): void {
    const last = job.leases.at(-1)
    if (last) job.failed.add(last.nodeId)
    this.#waiting.add(job)
    job.wrongedSinceMs = null
  }

  /** Each piece names its output and its place in it. */
  delta(job: WatchedJob, { text }: Delta): void {
    const [output, place] = text.trim().split('.')
    const { jobId } = job.order
    if (job.pieces === 0) job.text = output ?? ''
    this.#demand(output === job.text, 'L7', () => `${jobId} got pieces of ${job.text} and of ${output}`)
    this.#demand(Number(place) === job.pieces, 'L7', () => `${jobId} got piece ${place} of ${output} where ${job.pieces} was due`)
    job.pieces += 1
  }

  over(job: WatchedJob): void {
    this.#waiting.delete(job)
    job.ends += 1
    this.#demand(job.ends === 1, 'L2', () => `${job.order.jobId} was told its end ${job.ends} times`)
  }

  /** A client was told that its job succeeded. */
  acknowledged(jobId: JobId): void {
    const isThere = this.disk().jobs.get(jobId)?.state === 'succeeded'
    this.#demand(isThere, 'L5', () => `${jobId} was acknowledged and is not on the disk`)
  }

  acknowledgedDeposit(businessId: string): void {
    this.#demand(this.disk().businessIds.has(businessId), 'L5', () => `${businessId} was acknowledged and is not on the disk`)
  }

  settled({ number }: SettleBatch): void {
    for (const { jobId, batchNumber } of this.disk().receipts) {
      if (batchNumber !== number) continue
      const other = this.#onChain.get(jobId)
      this.#demand(other === undefined, 'L3', () => `${jobId} was settled in batch ${other} and in batch ${number}`)
      this.#onChain.set(jobId, number)
    }
  }

  lost({ number }: SettleBatch): void {
    for (const [jobId, batch] of this.#onChain) if (batch === number) this.#onChain.delete(jobId)
  }

  settledIn(jobId: JobId): number | undefined {
    return this.#onChain.get(jobId)
  }

  /** A process that starts knows nothing of what its predecessor admitted: the rate is each process's. */
  forgetAdmissions(): void {
    this.#admissions.clear()
  }

  admitted(keyId: string, requestsPerMinute: number, nowMs: number): void {
    const own = (this.#admissions.get(keyId) ?? []).filter(atMs => atMs > nowMs - USED_TIMES_MS)
    own.push(nowMs)
    this.#admissions.set(keyId, own)
    for (const [i, fromMs] of own.entries()) {
      const allowed = requestsPerMinute + ((nowMs - fromMs) * requestsPerMinute) / 60_000
      this.#demand(own.length - i <= allowed + 1e-6, 'R5', () => `${keyId} was let ${own.length - i} requests in ${nowMs - fromMs} ms`)
    }
  }
}
