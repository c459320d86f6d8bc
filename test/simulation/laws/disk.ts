import type { BatchRow, JobOutcome, JobStart, LedgerEvent, Posting, StoredReceipt } from '#platform'
import { type Address, HeuristError, type JobId, type JournalPiece } from '#protocol'

export type DiskWatcher = {
  /** An event was written, with the sums per asset over all accounts after it. */
  posted(event: LedgerEvent, totals: ReadonlyMap<string, bigint>): void
  ended(outcome: JobOutcome, before: JobOutcome | undefined): void
}

/** What a database holds: outlives every process. Its methods are one transaction each. Planted bugs replace them. */
export class Disk {
  readonly balances = new Map<string, bigint>()
  readonly totals = new Map<string, bigint>()
  readonly businessIds = new Set<string>()
  readonly open = new Map<JobId, JobStart>()
  readonly jobs = new Map<JobId, JobOutcome>()
  readonly receipts: StoredReceipt[] = []
  readonly batches = new Map<number, BatchRow>()
  readonly pieces = new Map<string, JournalPiece>()
  readonly #watcher: DiskWatcher

  constructor(watcher: DiskWatcher) {
    this.#watcher = watcher
  }

  balance(account: string, asset: Address): bigint {
    return this.balances.get(`${account}|${asset}`) ?? 0n
  }

  isKnown = (event: LedgerEvent): boolean => this.businessIds.has(event.businessId)

  /** @throws HeuristError LEDGER_UNBALANCED, LEDGER_OVERDRAWN, and writes nothing of any of them */
  append(events: readonly LedgerEvent[]): ('applied' | 'duplicate')[] {
    const fresh = events.map((event, i) => !this.isKnown(event) && events.findIndex(other => other.businessId === event.businessId) === i)
    const applied = events.filter((_, i) => fresh[i])
    for (const event of applied) demandBalance(event)
    this.#demandCover(applied)
    for (const event of applied) {
      this.businessIds.add(event.businessId)
      for (const posting of event.postings) this.post(posting)
      this.#watcher.posted(event, this.totals)
    }
    return fresh.map(isFresh => (isFresh ? 'applied' : 'duplicate'))
  }

  post = ({ account, asset, amount }: Posting): void => {
    const key = `${account}|${asset}`
    this.balances.set(key, (this.balances.get(key) ?? 0n) + amount)
    this.totals.set(asset, (this.totals.get(asset) ?? 0n) + amount)
  }

  #demandCover(events: readonly LedgerEvent[]): void {
    const after = new Map<string, bigint>()
    for (const { account, asset, amount } of events.flatMap(({ postings }) => postings)) {
      const key = `${account}|${asset}`
      after.set(key, (after.get(key) ?? this.balances.get(key) ?? 0n) + amount)
    }
    for (const [key, amount] of after) {
      if (amount < 0n && /^(credits|allowance):/.test(key)) throw new HeuristError('LEDGER_OVERDRAWN', `${key} would be ${amount}.`)
    }
  }

  isEnded = (jobId: JobId): boolean => this.jobs.has(jobId)

  closeJob = (jobId: JobId): void => void this.open.delete(jobId)

  /** @throws HeuristError JOB_ALREADY_ENDED when it ended in another way */
  end(outcome: JobOutcome): void {
    const { jobId } = outcome.start
    const before = this.jobs.get(jobId)
    if (this.isEnded(jobId) && before) {
      if (isSameEnd(before, outcome)) return
      throw new HeuristError('JOB_ALREADY_ENDED', `Job ${jobId} had already ended as ${before.state}.`)
    }
    this.append(outcome.ledger)
    this.jobs.set(jobId, outcome)
    this.closeJob(jobId)
    if (outcome.receipt) this.receipts.push({ sequence: this.receipts.length + 1, jobId, ...outcome.receipt, batchNumber: null })
    this.#watcher.ended(outcome, before)
  }

  unsettled = (): StoredReceipt[] => this.receipts.filter(({ batchNumber }) => batchNumber === null)

  /** @throws HeuristError BATCH_CONFLICT */
  form(batch: BatchRow, sequences: readonly number[]): void {
    const taken = sequences.some(sequence => !this.isFree(sequence))
    if (this.batches.has(batch.number) || taken) throw new HeuristError('BATCH_CONFLICT', `Batch ${batch.number} was not formed.`)
    this.batches.set(batch.number, batch)
    this.#tie(sequences, batch.number)
  }

  isFree = (sequence: number): boolean => this.receipts[sequence - 1]?.batchNumber === null

  #tie(sequences: readonly number[], batchNumber: number | null): void {
    for (const sequence of sequences) this.receipts[sequence - 1] = { ...this.receipts[sequence - 1]!, batchNumber }
  }

  change(number: number, changes: Partial<BatchRow>): void {
    const batch = this.batches.get(number)
    if (batch) this.batches.set(number, { ...batch, ...changes })
  }

  dissolveFrom(number: number): number {
    const freed = this.receipts.filter(({ batchNumber }) => batchNumber !== null && batchNumber >= number).map(({ sequence }) => sequence)
    this.#tie(freed, null)
    for (const each of [...this.batches.keys()]) if (each >= number) this.batches.delete(each)
    return freed.length
  }
}

function isSameEnd(a: JobOutcome, b: JobOutcome): boolean {
  return a.state === b.state && a.finishedAtMs === b.finishedAtMs && a.price === b.price && a.errorCode === b.errorCode
}

function demandBalance({ businessId, postings }: LedgerEvent): void {
  const sums = new Map<string, bigint>()
  for (const { asset, amount } of postings) sums.set(asset, (sums.get(asset) ?? 0n) + amount)
  if (postings.length === 0 || [...sums.values()].some(sum => sum !== 0n))
    throw new HeuristError('LEDGER_UNBALANCED', `Ledger event ${businessId} does not sum to zero.`)
}
