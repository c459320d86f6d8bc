import { priceOfJob, splitPayment } from '#economics'
import { type Address, type CreditPool, formatUnits, HeuristError, type JobPricing } from '#protocol'
import type { AllowanceOwner } from './accounts.ts'
import type { Allowances } from './allowances.ts'
import { creditsOfPrice, EMPTY_POOL } from './credit-pool.ts'
import type { KeyBudgets } from './key-budgets.ts'
import { captureEvent } from './ledger.ts'
import type { Hold, HoldRequest, PaymentErrorCode } from './types.ts'

export type TakenMoney = { readonly asset: Address; readonly pool: CreditPool }
type HoldDependencies = { readonly owner: AllowanceOwner; readonly allowances: Allowances; readonly budgets: KeyBudgets }

/** The hold of one job over money that was already taken from an allowance. */
export function createHold(request: HoldRequest, { asset, pool }: TakenMoney, dependencies: HoldDependencies): Hold {
  const { account, pod } = request
  const pricing: JobPricing = { prices: pod.manifest.spec.price, held: pool }
  let open = true

  const end = (used: CreditPool): void => {
    if (!open) return
    open = false
    if (pool.credits > 0n) dependencies.allowances.settle(account, asset, { taken: pool, used })
    dependencies.budgets.settle(request.key, pool.credits, used.credits)
  }
  const priceOf: Hold['priceOf'] = units => priceOfJob(pricing, units)

  return {
    asset,
    credits: pool.credits,
    maxPrice: pool.amount,
    pricing,
    priceOf,
    creditsFor: units => creditsOfPrice(pool, priceOf(units)),
    capture({ jobId, price, parties, bps, atMs }) {
      if (price < 0n || price > pool.amount) throw overHold(jobId, price, pool.amount)
      const split = splitPayment(price, parties, bps)
      if (price === 0n) return { events: [], split }
      const charged = { amount: price, credits: creditsOfPrice(pool, price) }
      return { events: [captureEvent({ jobId, owner: dependencies.owner, account, asset, pool: charged, split, atMs })], split }
    },
    captured: price => end({ amount: price, credits: creditsOfPrice(pool, price) }),
    release: () => end(EMPTY_POOL),
  }
}

/** Takes the money for a job from the first of `assets` that has enough. */
export async function takeMoney(request: HoldRequest, assets: readonly Address[], allowances: Allowances): Promise<TakenMoney | null> {
  for (const asset of assets) {
    if (request.credits === 0n) return { asset, pool: EMPTY_POOL }
    const pool = await allowances.take(request.account, asset, request.credits)
    if (pool) return { asset, pool }
  }
  return null
}

function overHold(jobId: string, price: bigint, held: bigint): HeuristError<PaymentErrorCode> {
  return new HeuristError<PaymentErrorCode>(
    'PAYMENT_OVER_HOLD',
    `Job ${jobId} would be charged ${price}, but only ${held} is held for it. Nothing was captured; this is a fault in metering.`,
    { payload: { jobId, price, held } },
  )
}

/** Credits as people read them. */
export function creditText(nanoCredits: bigint): string {
  return formatUnits(nanoCredits, 9)
}
