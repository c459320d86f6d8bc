import { mulDivDown, mulDivUp } from '#protocol'
import { roundUpToStep } from './pricing.ts'

/**
 * Credits and the asset that backs them, moved together (docs/adr/0004-credits-and-lots.md). Spending takes the asset in
 * proportion, rounded down, so that what backs the remaining credits never falls: the vault is solvent by construction.
 */
export type CreditPool = {
  /** Atomic units of the asset. */
  readonly amount: bigint
  readonly credits: bigint
}

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

/** Atomic units for `credits` out of `held`, at least one; at most all that is held (law L6). */
export function assetPrice(held: CreditPool, credits: bigint): bigint {
  if (credits <= 0n) return 0n
  if (credits >= held.credits) return held.amount
  return mulDivDown(credits, held.amount, held.credits) || 1n
}

/**
 * Credits that a price stands for: the inverse of {@link assetPrice} on whole charge steps. Never less than the price's share,
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
