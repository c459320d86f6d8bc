import { roundUpToStep } from '#economics'
import { type CreditPool, mulDivDown, mulDivUp } from '#protocol'

/**
 * Credits and the asset that backs them, moved together (docs/adr/0004-credits-and-lots.md). Spending takes the asset in
 * proportion, rounded down, so that what backs the remaining credits never falls: the vault is solvent by construction.
 */

export const EMPTY_POOL: CreditPool = { amount: 0n, credits: 0n }

export function addPools(a: CreditPool, b: CreditPool): CreditPool {
  return { amount: a.amount + b.amount, credits: a.credits + b.credits }
}

export function subtractPools(a: CreditPool, b: CreditPool): CreditPool {
  return { amount: a.amount - b.amount, credits: a.credits - b.credits }
}

/** The part of `pool` that holds `credits` (at most all of them) and their share of the asset, rounded down. */
export function portionOf(pool: CreditPool, credits: bigint): CreditPool {
  if (credits >= pool.credits) return pool
  return { credits, amount: mulDivDown(credits, pool.amount, pool.credits) }
}

/**
 * Credits that a price stands for: the inverse of `assetPrice` on whole charge steps. Never less than the price's share,
 * so that a price cut by somebody else still leaves the rest backed.
 */
export function creditsOfPrice(held: CreditPool, price: bigint): bigint {
  if (price <= 0n) return 0n
  if (price >= held.amount) return held.credits
  return lesser(roundUpToStep(mulDivUp(price, held.credits, held.amount)), held.credits)
}

function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

export function greater(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}
