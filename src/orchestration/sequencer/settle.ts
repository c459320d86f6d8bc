import type { BatchRef, BatchRow, Chain, RevertPayload } from '#platform'
import { type Bytes32, HeuristError, isHeuristError } from '#protocol'
import type { SequencerErrorCode } from './errors.ts'
import type { SequencerMetrics } from './metrics.ts'
import type { SequencerDependencies } from './options.ts'

/**
 * Transaction only on success: the one place from which a settlement transaction goes out. What it posts is a stored batch,
 * and a batch is made of receipts, which exist only for jobs that succeeded (law L3). The contract takes each number once
 * and only after its predecessor, so posting the same bytes again is always safe.
 */
export type Settlement = {
  /** Brings database and chain together; resolves with the chain's last batch. @throws HeuristError SEQUENCER_FOREIGN_BATCH */
  reconcile(): Promise<BatchRef>
  /** Posts a stored batch and waits for it. Resolves false when the chain refused it for good and it was dissolved. */
  post(batch: BatchRow): Promise<boolean>
}

/** Refusals that speak about the sequencer's own position, not about what is in the batch. */
const POSITION_ERRORS: ReadonlySet<string> = new Set([
  'JobSettlement_NotSequencer',
  'JobSettlement_WrongNumber',
  'JobSettlement_WrongPredecessor',
])

/** The contract's refusal of a batch's content; null for every other failure. */
export function contentRefusal(error: unknown): RevertPayload | null {
  if (!isHeuristError(error, 'CHAIN_REVERTED')) return null
  const payload = error.payload as RevertPayload // cast: CHAIN_REVERTED always carries it
  return payload.error !== null && POSITION_ERRORS.has(payload.error) ? null : payload
}

type Context = { readonly dependencies: SequencerDependencies; readonly metrics: SequencerMetrics }
type Facts = { readonly transactionHash: Bytes32; readonly blockNumber: number; readonly gasUsed: number }

export function createSettlement(dependencies: SequencerDependencies, metrics: SequencerMetrics): Settlement {
  const context = { dependencies, metrics }
  return { reconcile: () => reconcile(context), post: batch => post(context, batch) }
}

async function reconcile({ dependencies, metrics }: Context): Promise<BatchRef> {
  const { batches, chain, logger } = dependencies
  const tip = await chain.lastBatch()
  await demandOurs(dependencies, tip)
  const open = await batches.unconfirmed()
  await confirmPosted({ dependencies, metrics }, open, tip)
  const lastConfirmed = open[0] ? open[0].number - 1 : ((await batches.last())?.number ?? 0)
  if (lastConfirmed > tip.number) {
    const reopened = await batches.reopenAfter(tip.number)
    metrics.lost.inc(lastConfirmed - tip.number)
    logger.warn(
      { chainHas: tip.number, confirmed: lastConfirmed, reopened },
      'the chain lost confirmed batches; posting them again in order',
    )
  }
  return tip
}

async function post(context: Context, batch: BatchRow): Promise<boolean> {
  const { batches, chain, signer, logger } = context.dependencies
  try {
    const receipt = await chain.settle(signer, batch.calldata, { onSent: hash => batches.markPosted(batch.number, hash) })
    await confirm(context, batch, receipt)
    return true
  } catch (error) {
    const refusal = contentRefusal(error)
    // While an earlier copy may still be mined, the batch must stay as it is.
    if (refusal === null || (await chain.hasPending(signer.address))) throw error
    const receipts = await batches.dissolveFrom(batch.number)
    context.metrics.dissolved.inc()
    logger.warn({ batch: batch.number, receipts, refusal: refusal.error }, 'the chain refuses a stored batch; its receipts go into others')
    return false
  }
}

/** Batches that reached the chain while we did not look: a crash, a lost answer. */
async function confirmPosted(context: Context, open: readonly BatchRow[], tip: BatchRef): Promise<void> {
  for (const batch of open) {
    if (batch.number > tip.number) return
    const event = await context.dependencies.chain.batchEvent(batch.number)
    if (!event) throw eventMissing(batch.number)
    if (event.batchHash !== batch.batchHash) throw foreign({ number: batch.number, hash: event.batchHash })
    await confirm(context, batch, event)
  }
}

async function confirm({ dependencies, metrics }: Context, batch: BatchRow, facts: Facts): Promise<void> {
  const confirmedAtMs = dependencies.clock.now()
  const { transactionHash, blockNumber, gasUsed } = facts
  await dependencies.batches.markConfirmed(batch.number, { transactionHash, blockNumber, gasUsed, confirmedAtMs })
  metrics.jobs.inc(batch.jobCount)
  metrics.batches.inc()
  metrics.gas.inc(gasUsed)
  metrics.lastBatch.set(batch.number)
  metrics.settleSeconds.observe(Math.max(0, confirmedAtMs - batch.formedAtMs) / 1_000)
  dependencies.logger.info({ batch: batch.number, jobs: batch.jobCount, gasUsed, transactionHash }, 'batch settled')
}

function eventMissing(number: number): HeuristError {
  const message = `The chain has batch ${number} but its RPC server does not show the event yet; it is asked again.`
  return new HeuristError('CHAIN_UNAVAILABLE', message, { retryable: true })
}

/** The chain's last batch must be one that we formed, else two sequencers write one history. */
async function demandOurs({ batches, chain }: Pick<SequencerDependencies, 'batches' | 'chain'>, tip: BatchRef): Promise<void> {
  const ours = tip.number === 0 ? await batches.get(1) : await batches.get(tip.number)
  if (tip.number === 0) {
    if (ours && ours.previousHash !== tip.hash) throw otherContract(chain)
  } else if (ours?.batchHash !== tip.hash) throw foreign(tip)
}

function foreign(batch: BatchRef): HeuristError<SequencerErrorCode> {
  return new HeuristError(
    'SEQUENCER_FOREIGN_BATCH',
    `The chain's batch ${batch.number} (${batch.hash}) is not the one in this database. Another sequencer posts with this role, or the ` +
      'database is older than the chain. Nothing is posted any more: stop the other one or restore the newest database, then start again.',
    { payload: batch },
  )
}

function otherContract(chain: Chain): HeuristError<SequencerErrorCode> {
  return new HeuristError(
    'SEQUENCER_FOREIGN_BATCH',
    `The database holds batches for another settlement contract than ${chain.contracts.JobSettlement}. Nothing is posted: point to the ` +
      'chain and contracts that belong to this database, or start with a new HEURIST_HOME.',
  )
}
