import type { BatchRef, BatchRow, NodeWork, StoredReceipt } from '#platform'
import { HeuristError, isHeuristError, messageOf } from '#protocol'
import type { FormedBatch } from './batch.ts'
import type { SequencerErrorCode } from './errors.ts'
import { createIsolation, type Isolation } from './isolate.ts'
import { createSequencerMetrics, type SequencerMetrics } from './metrics.ts'
import { DEFAULT_SEQUENCER_OPTIONS, type SequencerDependencies, type SequencerOptions } from './options.ts'
import { createSettlement, type Settlement } from './settle.ts'
import { organicWork } from './work.ts'

export type SequencerStatus = {
  /** `halted`: the history on the chain is not ours; only an operator can go on. */
  readonly state: 'stopped' | 'running' | 'retrying' | 'halted'
  /** What the last failed step said; null when the last step went well. */
  readonly problem: string | null
  /** Receipts that the chain refuses and that wait outside the batches. */
  readonly heldReceipts: number
}

export type Sequencer = {
  start(): void
  /** Receipts were stored: the batch may be full before it is old. */
  notify(receipts?: number): void
  /** Settles what can be settled, now. Resolves true when nothing is left but held receipts, false after `timeoutMs`. */
  flush(options: { timeoutMs: number }): Promise<boolean>
  /** Ends after the step in progress. What is formed is posted by the next start. */
  stop(): Promise<void>
  status(): SequencerStatus
}

const HALTING: ReadonlySet<string> = new Set<SequencerErrorCode>(['SEQUENCER_FOREIGN_BATCH', 'SEQUENCER_BROKEN_HISTORY'])

/**
 * Receipts -> batches -> one transaction each (DESIGN §4.9). One batch is in flight at a time; a batch is stored before it is
 * posted; every step begins by comparing chain and database, so a restart, a lost answer, a re-org and a chain that lost its
 * last second all end in the same place.
 */
export function createSequencer(options: Partial<SequencerOptions>, dependencies: SequencerDependencies): Sequencer {
  return new BatchSequencer({ ...DEFAULT_SEQUENCER_OPTIONS, ...options }, dependencies)
}

/** Its face is made of arrow functions: they are passed around as plain functions. */
class BatchSequencer implements Sequencer {
  readonly #options: SequencerOptions
  readonly #dependencies: SequencerDependencies
  readonly #metrics: SequencerMetrics
  readonly #settlement: Settlement
  readonly #isolation: Isolation
  #state: SequencerStatus['state'] = 'stopped'
  #problem: string | null = null
  /** When the oldest receipt that waits ended its job, as of the last look; null without one. */
  #oldestMs: number | null = null
  /** Receipts announced since the last batch. */
  #announced = 0
  #wake = (): void => undefined
  #loop: Promise<void> = Promise.resolve()
  /** Steps of the loop and of a flush never overlap. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: SequencerOptions, dependencies: SequencerDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#metrics = createSequencerMetrics(dependencies.metrics, () =>
      this.#oldestMs === null ? 0 : Math.max(0, dependencies.clock.now() - this.#oldestMs) / 1000,
    )
    this.#settlement = createSettlement(dependencies, this.#metrics)
    this.#isolation = createIsolation(options, dependencies, this.#metrics)
  }

  readonly start = (): void => {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    this.#loop = this.#run()
  }

  readonly notify = (receipts = 1): void => {
    this.#announced += receipts
    if (this.#announced >= this.#options.maxJobs) this.#wake()
  }

  readonly flush = async ({ timeoutMs }: { timeoutMs: number }): Promise<boolean> => {
    const { clock } = this.#dependencies
    const untilMs = clock.now() + timeoutMs
    while (this.#state !== 'halted' && clock.now() < untilMs) {
      try {
        const { moved } = await this.#inTurn(() => this.#step(true))
        if (!moved) return true
      } catch (error) {
        this.#failed(error, this.#options.backoffMs)
        await this.#sleep(Math.min(this.#options.backoffMs, Math.max(1, untilMs - clock.now())))
      }
    }
    return false
  }

  readonly stop = async (): Promise<void> => {
    if (this.#state !== 'halted') this.#state = 'stopped'
    this.#wake()
    await this.#loop
    await this.#turn
  }

  readonly status = (): SequencerStatus => {
    return { state: this.#state, problem: this.#problem, heldReceipts: this.#isolation.heldCount() }
  }

  #active(): boolean {
    return this.#state === 'running' || this.#state === 'retrying'
  }

  async #run(): Promise<void> {
    const { backoffMs: firstBackoffMs, maxBackoffMs } = this.#options
    let backoffMs = firstBackoffMs
    while (this.#active()) {
      let delayMs: number
      try {
        delayMs = (await this.#inTurn(() => this.#step(false))).nextInMs
        this.#recovered()
        backoffMs = firstBackoffMs
      } catch (error) {
        this.#failed(error, backoffMs)
        delayMs = backoffMs
        backoffMs = Math.min(backoffMs * 2, maxBackoffMs)
      }
      if (delayMs > 0 && this.#active()) await this.#sleep(delayMs)
    }
  }

  /** One batch forward. Answers how long to wait before the next step. */
  async #step(force: boolean): Promise<{ moved: boolean; nextInMs: number }> {
    const { batches } = this.#dependencies
    const { pollMs } = this.#options
    const tip = await this.#settlement.reconcile()
    const [open] = await batches.unconfirmed()
    if (open) {
      demandSuccessor(open, tip)
      await this.#settlement.post(open)
      return { moved: true, nextInMs: 0 }
    }
    const dueInMs = this.#dueInMs(await batches.unsettled(1 + this.#isolation.heldCount()))
    if (dueInMs === null || (dueInMs > 0 && !force)) return { moved: false, nextInMs: Math.min(dueInMs ?? pollMs, pollMs) }
    const row = await this.#formNext(tip)
    if (row === null) return { moved: false, nextInMs: pollMs }
    await this.#settlement.post(row)
    return { moved: true, nextInMs: 0 }
  }

  /** ms until the oldest free receipt is due; null without one. At least one of the first `heldCount() + 1` is free. */
  #dueInMs(receipts: readonly StoredReceipt[]): number | null {
    const oldest = receipts[this.#isolation.heldCount()] ?? receipts.at(-1)
    // Kept through an outage, in which nobody can look: what waits grows older all the same.
    this.#oldestMs = receipts[0]?.signed.receipt.finishedAtMs ?? null
    if (oldest === undefined) return null
    if (this.#announced >= this.#options.maxJobs) return 0
    return Math.max(0, oldest.signed.receipt.finishedAtMs + this.#options.maxAgeMs - this.#dependencies.clock.now())
  }

  async #formNext(tip: BatchRef): Promise<BatchRow | null> {
    const { formed, receipts } = await this.#choose(tip)
    this.#announced = Math.max(0, this.#announced - (formed?.jobCount ?? this.#announced))
    if (formed === null) return null
    const row = toRow(formed, this.#dependencies.clock.now())
    await this.#dependencies.batches.form(row, formed.sequences, await this.#workOf(formed, receipts))
    return row
  }

  /** Looks past what the chain refuses until it finds a batch or nothing new is refused. */
  async #choose(tip: BatchRef): Promise<{ formed: FormedBatch | null; receipts: readonly StoredReceipt[] }> {
    for (;;) {
      const heldBefore = this.#isolation.heldCount()
      const receipts = await this.#dependencies.batches.unsettled(this.#options.maxJobs + heldBefore)
      const formed = await this.#isolation.choose(receipts, tip)
      if (formed !== null || this.#isolation.heldCount() === heldBefore) return { formed, receipts }
    }
  }

  /** Stablecoin is counted at the vault's price of now, as the emission contract counts it. */
  async #workOf({ sequences }: FormedBatch, receipts: readonly StoredReceipt[]): Promise<NodeWork[]> {
    const { chain } = this.#dependencies
    const { WrappedHeu, DevUsd } = chain.contracts
    const { weiPerUnit, countsOpenRoutes } = this.#options
    const terms = { weiPerUnit, countsOpenRoutes, heuPriceUsdWad: await chain.read('CreditVault', 'heuPriceUsdWad', []) }
    const inBatch = new Set(sequences)
    const settled = receipts.filter(({ sequence }) => inBatch.has(sequence))
    return organicWork(settled, { heu: WrappedHeu, usd: DevUsd }, terms)
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work, work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  #failed(error: unknown, backoffMs: number): void {
    const { logger } = this.#dependencies
    const code = isHeuristError(error) ? error.code : 'UNKNOWN'
    this.#metrics.failures.inc({ code })
    this.#problem = messageOf(error)
    if (HALTING.has(code)) {
      this.#state = 'halted'
      logger.error({ code, err: this.#problem }, 'the sequencer halted; receipts are kept and nothing is posted')
      return
    }
    if (this.#state === 'running') this.#state = 'retrying'
    logger.warn({ code, err: this.#problem, retryInMs: backoffMs }, 'a settlement step failed; trying again')
  }

  #recovered(): void {
    if (this.#state !== 'retrying') return
    this.#state = 'running'
    this.#problem = null
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#dependencies.clock.after(delayMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}

function toRow(batch: FormedBatch, formedAtMs: number): BatchRow {
  const { number, previousHash, batchHash, receiptsRoot, jobCount, calldata } = batch
  const facts = { transactionHash: null, blockNumber: null, gasUsed: null, confirmedAtMs: null }
  return { number, state: 'formed', previousHash, batchHash, receiptsRoot, jobCount, calldata, formedAtMs, ...facts }
}

function demandSuccessor(batch: BatchRow, tip: BatchRef): void {
  if (batch.number === tip.number + 1 && batch.previousHash === tip.hash) return
  throw new HeuristError<SequencerErrorCode>(
    'SEQUENCER_BROKEN_HISTORY',
    `Stored batch ${batch.number} does not follow the chain's batch ${tip.number}. The database was changed or restored in part; restore it whole.`,
    { payload: { stored: batch.number, chain: tip.number } },
  )
}
