import type { BatchRef, RevertPayload, StoredReceipt } from '#platform'
import { type Address, isHeuristError, messageOf } from '#protocol'
import { type FormedBatch, fittingPrefix, formBatch, rowsOf, type SettlementAssets } from './batch.ts'
import type { SequencerMetrics } from './metrics.ts'
import type { SequencerDependencies, SequencerOptions } from './options.ts'
import { contentRefusal } from './settle.ts'

/** What the vault's refusals say about one account: how much of the asset it can still be debited. */
const COVERAGE_ERRORS: Readonly<Record<string, (args: RevertPayload['args']) => bigint>> = {
  CreditVault_InsufficientBalance: args => BigInt(args[2] ?? 0),
  CreditVault_OverCap: args => BigInt(args[2] ?? 0),
  CreditVault_CapExpired: () => 0n,
}
const MAX_HOLD_FACTOR = 40

type Hold = { readonly untilMs: number; readonly holdMs: number }

/** Keeps what the chain refuses out of batches, so that one account without cover does not stop everybody else. */
export type Isolation = {
  /** The batch to form next out of these receipts (oldest first); null when none of them can be settled now. */
  choose(receipts: readonly StoredReceipt[], tip: BatchRef): Promise<FormedBatch | null>
  /** How many of the receipts last seen are kept out now. */
  heldCount(): number
}

export function createIsolation(
  options: Pick<SequencerOptions, 'maxRows' | 'maxJobs' | 'holdMs'>,
  dependencies: Pick<SequencerDependencies, 'chain' | 'signer' | 'clock' | 'logger'>,
  metrics: SequencerMetrics,
): Isolation {
  const { chain, signer, clock, logger } = dependencies
  const assets: SettlementAssets = { heu: chain.contracts.WrappedHeu, usd: chain.contracts.DevUsd }
  /** By payer and asset, or by receipt. */
  const holds = new Map<string, Hold>()
  let held = 0

  const payerKey = ({ signed: { receipt } }: StoredReceipt): string => `${receipt.payer}:${receipt.asset}`
  const receiptKey = (receipt: StoredReceipt): string => receipt.jobId

  function isHeld(key: string): boolean {
    const found = holds.get(key)
    return found !== undefined && found.untilMs > clock.now()
  }

  /** Holds are tried again, each time after twice the time. */
  function hold(key: string): Hold {
    const holdMs = Math.min((holds.get(key)?.holdMs ?? options.holdMs / 2) * 2, options.holdMs * MAX_HOLD_FACTOR)
    const entry = { untilMs: clock.now() + holdMs, holdMs }
    holds.set(key, entry)
    return entry
  }

  function holdReceipt(receipt: StoredReceipt, why: string): void {
    const { holdMs } = hold(receiptKey(receipt))
    logger.error({ jobId: receipt.jobId, why, retryInMs: holdMs }, 'a receipt can not be settled; it is kept out of the batches')
  }

  function wellFormed(receipt: StoredReceipt): boolean {
    try {
      rowsOf(receipt, assets)
      return true
    } catch (error) {
      if (!isHeuristError(error, 'SEQUENCER_BAD_RECEIPT')) throw error
      holdReceipt(receipt, messageOf(error))
      return false
    }
  }

  async function refusalOf(batch: FormedBatch): Promise<RevertPayload | null> {
    try {
      await chain.simulateSettle(signer.address, batch.calldata)
      return null
    } catch (error) {
      const refusal = contentRefusal(error)
      if (refusal === null) throw error
      return refusal
    }
  }

  /** Keeps the oldest receipts of the account that are covered and holds the account for the others. */
  function withoutUncovered(pool: readonly StoredReceipt[], account: Address, asset: Address, coverage: bigint): StoredReceipt[] {
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
    const { holdMs } = hold(`${account}:${asset}`)
    logger.error(
      { account, asset, coverage: coverage.toString(), uncovered, retryInMs: holdMs },
      "the account's vault balance or spending cap does not cover its receipts; they wait outside the batches",
    )
    return kept
  }

  function shrink(pool: readonly StoredReceipt[], refusal: RevertPayload): StoredReceipt[] {
    const coverage = refusal.error === null ? undefined : COVERAGE_ERRORS[refusal.error]
    const [account, asset] = refusal.args
    if (coverage && typeof account === 'string' && typeof asset === 'string') {
      const smaller = withoutUncovered(pool, account as Address, asset as Address, coverage(refusal.args)) // casts: the contract's error carries addresses
      if (smaller.length < pool.length) return smaller
    }
    // The refusal names no culprit: halve until one receipt stands alone.
    if (pool.length > 1) return pool.slice(0, Math.ceil(pool.length / 2))
    const [only] = pool
    if (only) holdReceipt(only, refusal.error ?? 'the contract gave no reason')
    return []
  }

  return {
    heldCount: () => held,
    async choose(receipts, tip) {
      const free = receipts.filter(receipt => !isHeld(payerKey(receipt)) && !isHeld(receiptKey(receipt)) && wellFormed(receipt))
      held = receipts.length - free.length
      let pool = fittingPrefix(free.slice(0, options.maxJobs), assets, options.maxRows)
      while (pool.length > 0) {
        const batch = formBatch(pool, tip, assets)
        const refusal = await refusalOf(batch)
        if (refusal === null) break
        pool = shrink(pool, refusal)
      }
      held = receipts.filter(receipt => isHeld(payerKey(receipt)) || isHeld(receiptKey(receipt))).length
      metrics.held.set(held)
      return pool.length > 0 ? formBatch(pool, tip, assets) : null
    },
  }
}
