import type { BatchRef, BatchRow, StoredReceipt } from '#platform'
import { HeuristError, isHeuristError, messageOf } from '#protocol'
import type { FormedBatch } from './batch.ts'
import type { SequencerErrorCode } from './errors.ts'
import { createIsolation } from './isolate.ts'
import { createSequencerMetrics } from './metrics.ts'
import { DEFAULT_SEQUENCER_OPTIONS, type SequencerDependencies, type SequencerOptions } from './options.ts'
import { createSettlement } from './settle.ts'

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
  const settings: SequencerOptions = { ...DEFAULT_SEQUENCER_OPTIONS, ...options }
  const { batches, clock, logger } = dependencies
  const metrics = createSequencerMetrics(dependencies.metrics)
  const settlement = createSettlement(dependencies, metrics)
  const isolation = createIsolation(settings, dependencies, metrics)
  let state: SequencerStatus['state'] = 'stopped'
  let problem: string | null = null
  let waiting = 0
  let wake = (): void => undefined
  let loop: Promise<void> = Promise.resolve()
  /** Steps of the loop and of a flush never overlap. */
  let turn: Promise<unknown> = Promise.resolve()

  /** ms until the oldest free receipt is due; null without one. */
  function dueInMs(receipts: readonly StoredReceipt[]): number | null {
    const oldest = receipts[isolation.heldCount()] ?? receipts.at(-1)
    if (oldest === undefined) return null
    if (waiting >= settings.maxJobs) return 0
    return Math.max(0, oldest.signed.receipt.finishedAtMs + settings.maxAgeMs - clock.now())
  }

  /** Looks past what the chain refuses until it finds a batch or nothing new is refused. */
  async function chooseFrom(tip: BatchRef): Promise<FormedBatch | null> {
    for (;;) {
      const heldBefore = isolation.heldCount()
      const formed = await isolation.choose(await batches.unsettled(settings.maxJobs + heldBefore), tip)
      if (formed !== null || isolation.heldCount() === heldBefore) return formed
    }
  }

  async function formNext(tip: BatchRef): Promise<BatchRow | null> {
    const formed = await chooseFrom(tip)
    if (formed === null) return null
    const row = toRow(formed, clock.now())
    await batches.form(row, formed.sequences)
    waiting = Math.max(0, waiting - formed.jobCount)
    return row
  }

  /** One batch forward. Answers how long to wait before the next step. */
  async function step(force: boolean): Promise<{ moved: boolean; nextInMs: number }> {
    const tip = await settlement.reconcile()
    const [open] = await batches.unconfirmed()
    if (open) {
      demandSuccessor(open, tip)
      await settlement.post(open)
      return { moved: true, nextInMs: 0 }
    }
    const nextInMs = dueInMs(await batches.unsettled(1 + isolation.heldCount()))
    if (nextInMs === null || (nextInMs > 0 && !force))
      return { moved: false, nextInMs: Math.min(nextInMs ?? settings.pollMs, settings.pollMs) }
    const row = await formNext(tip)
    if (row === null) return { moved: false, nextInMs: settings.pollMs }
    await settlement.post(row)
    return { moved: true, nextInMs: 0 }
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = turn.then(work, work)
    turn = result.catch(() => undefined)
    return result
  }

  function halt(error: unknown): void {
    state = 'halted'
    problem = messageOf(error)
    logger.error({ err: problem }, 'the sequencer halted; receipts are kept and nothing is posted')
  }

  function failed(error: unknown, backoffMs: number): void {
    const code = isHeuristError(error) ? error.code : 'UNKNOWN'
    metrics.failures.inc({ code })
    problem = messageOf(error)
    if (isHeuristError(error) && HALTING.has(error.code)) {
      halt(error)
      return
    }
    state = 'retrying'
    logger.warn({ code, err: problem, retryInMs: backoffMs }, 'a settlement step failed; trying again')
  }

  function sleep(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = clock.after(delayMs, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }

  async function run(): Promise<void> {
    let backoffMs = settings.backoffMs
    while (state === 'running' || state === 'retrying') {
      let delayMs: number
      try {
        delayMs = (await inTurn(() => step(false))).nextInMs
        recovered()
        backoffMs = settings.backoffMs
      } catch (error) {
        failed(error, backoffMs)
        delayMs = backoffMs
        backoffMs = Math.min(backoffMs * 2, settings.maxBackoffMs)
      }
      if (delayMs > 0 && (state === 'running' || state === 'retrying')) await sleep(delayMs)
    }
  }

  function recovered(): void {
    if (state !== 'retrying') return
    state = 'running'
    problem = null
  }

  return {
    start() {
      if (state !== 'stopped') return
      state = 'running'
      loop = run()
    },
    notify(receipts = 1) {
      waiting += receipts
      if (waiting >= settings.maxJobs) wake()
    },
    async flush({ timeoutMs }) {
      const untilMs = clock.now() + timeoutMs
      while (state !== 'halted' && clock.now() < untilMs) {
        try {
          if (!(await inTurn(() => step(true))).moved) return true
        } catch (error) {
          failed(error, settings.backoffMs)
          await sleep(Math.min(settings.backoffMs, Math.max(1, untilMs - clock.now())))
        }
      }
      return false
    },
    async stop() {
      if (state !== 'halted') state = 'stopped'
      wake()
      await loop
      await turn
    },
    status: () => ({ state, problem, heldReceipts: isolation.heldCount() }),
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
