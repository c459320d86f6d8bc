import type { BatchRef, RevertPayload, StoredReceipt } from '#platform'
import { type Address, isHeuristError, messageOf } from '#protocol'
import { type FormedBatch, fittingPrefix, formBatch, rowsOf, type SettlementAssets } from './batch.ts'
import { accountKey, createHolds, type Holds, receiptKey } from './holds.ts'
import type { SequencerMetrics } from './metrics.ts'
import type { SequencerDependencies, SequencerOptions } from './options.ts'
import type { OrganicRule } from './organic.ts'
import { contentRefusal } from './settle.ts'

/** What the vault's refusals say about one account: how much of the asset it can still be debited. */
const COVERAGE_ERRORS: Readonly<Record<string, (args: RevertPayload['args']) => bigint>> = {
  CreditVault_InsufficientBalance: args => BigInt(args[2] ?? 0),
  CreditVault_OverCap: args => BigInt(args[2] ?? 0),
  CreditVault_CapExpired: () => 0n,
}

/** Keeps what the chain refuses out of batches, so that one account without cover does not stop everybody else. */
export type Isolation = {
  /** The batch to form next out of these receipts (oldest first); null when none of them can be settled now. */
  choose(receipts: readonly StoredReceipt[], tip: BatchRef): Promise<FormedBatch | null>
  /** How many of the receipts last seen are kept out now. */
  heldCount(): number
}

type Dependencies = Pick<SequencerDependencies, 'chain' | 'signer' | 'clock' | 'logger'>
type Context = { readonly dependencies: Dependencies; readonly assets: SettlementAssets; readonly rule: OrganicRule; readonly holds: Holds }

export function createIsolation(
  options: Pick<SequencerOptions, 'maxRows' | 'maxJobs' | 'holdMs' | 'countsOpenRoutes'>,
  dependencies: Dependencies,
  metrics: SequencerMetrics,
): Isolation {
  const { WrappedHeu: heu, DevUsd: usd } = dependencies.chain.contracts
  const context: Context = { dependencies, assets: { heu, usd }, rule: options, holds: createHolds(options, dependencies) }
  let held = 0
  return {
    heldCount: () => held,
    async choose(receipts, tip) {
      const free = receipts.filter(receipt => !context.holds.isHeld(receipt) && wellFormed(context, receipt))
      const pool = fittingPrefix(free.slice(0, options.maxJobs), context.assets, options.maxRows)
      const batch = await settleable(context, pool, tip)
      held = receipts.filter(context.holds.isHeld).length
      metrics.held.set(held)
      return batch
    },
  }
}

/** Takes receipts away until the chain would accept the batch. Asking costs one read and leaves nothing behind. */
async function settleable(context: Context, receipts: readonly StoredReceipt[], tip: BatchRef): Promise<FormedBatch | null> {
  let pool = receipts
  while (pool.length > 0) {
    const batch = formBatch(pool, tip, context.assets, context.rule)
    const refusal = await refusalOf(context, batch)
    if (refusal === null) return batch
    pool = shrink(context, pool, refusal)
  }
  return null
}

async function refusalOf({ dependencies }: Context, batch: FormedBatch): Promise<RevertPayload | null> {
  try {
    await dependencies.chain.simulateSettle(dependencies.signer.address, batch.calldata)
    return null
  } catch (error) {
    const refusal = contentRefusal(error)
    if (refusal === null) throw error
    return refusal
  }
}

function shrink(context: Context, pool: readonly StoredReceipt[], refusal: RevertPayload): readonly StoredReceipt[] {
  const coverage = refusal.error === null ? undefined : COVERAGE_ERRORS[refusal.error]
  const [account, asset] = refusal.args
  if (coverage && typeof account === 'string' && typeof asset === 'string') {
    // casts: the contract's error carries two addresses here
    const smaller = withoutUncovered(context, pool, {
      account: account as Address, // cast: see above
      asset: asset as Address, // cast: see above
      coverage: coverage(refusal.args),
    })
    if (smaller.length < pool.length) return smaller
  }
  // The refusal names no culprit: halve until one receipt stands alone.
  if (pool.length > 1) return pool.slice(0, Math.ceil(pool.length / 2))
  const [only] = pool
  if (only) holdReceipt(context, only, refusal.error ?? 'the contract gave no reason')
  return []
}

/** Keeps the oldest receipts of the account that are covered and holds the account for the others. */
function withoutUncovered(
  { holds, dependencies }: Context,
  pool: readonly StoredReceipt[],
  { account, asset, coverage }: { account: Address; asset: Address; coverage: bigint },
): StoredReceipt[] {
  let left = coverage
  let uncovered = 0
  const kept = pool.filter(candidate => {
    const { payer, asset: paidIn, price } = candidate.signed.receipt
    if (payer !== account || paidIn !== asset) return true
    if (uncovered === 0 && price <= left) {
      left -= price
      return true
    }
    uncovered++
    return false
  })
  const retryInMs = holds.hold(accountKey(account, asset))
  dependencies.logger.error(
    { account, asset, coverage: coverage.toString(), uncovered, retryInMs },
    "the account's vault balance or spending cap does not cover its receipts; they wait outside the batches",
  )
  return kept
}

function wellFormed(context: Context, receipt: StoredReceipt): boolean {
  try {
    rowsOf(receipt, context.assets)
    return true
  } catch (error) {
    if (!isHeuristError(error, 'SEQUENCER_BAD_RECEIPT')) throw error
    holdReceipt(context, receipt, messageOf(error))
    return false
  }
}

function holdReceipt({ holds, dependencies }: Context, receipt: StoredReceipt, why: string): void {
  const retryInMs = holds.hold(receiptKey(receipt))
  dependencies.logger.error({ jobId: receipt.jobId, why, retryInMs }, 'a receipt can not be settled; it is kept out of the batches')
}
