import { type CreditPool, type JobPricing, type JobUnits, mulDivDown, mulDivUp, type UnitPrices } from '#protocol'

/**
 * The one place where the price of a job is made (DESIGN §4.8, docs/adr/0004-credits-and-lots.md). Pods price 1,000,000 input and output
 * units in nano-credits; the payer's asset backs its credits at the rate of the lot that was bought.
 */

const UNITS_PER_PRICE = 1_000_000n

/**
 * Charges are whole multiples of this many nano-credits: one millionth of a US dollar, the smallest unit of the stablecoin.
 * So credits and stablecoin never drift apart by rounding, and the smallest charge is one atomic unit.
 */
export const CHARGE_STEP_NANO_CREDITS = 100_000n

/** Nano-credits, rounded up to the charge step. */
export function roundUpToStep(nanoCredits: bigint): bigint {
  return mulDivUp(nanoCredits, 1n, CHARGE_STEP_NANO_CREDITS) * CHARGE_STEP_NANO_CREDITS
}

/**
 * Nano-credits for counted units, rounded up to the charge step; zero only for a free pod or no units.
 * @throws RangeError for negative or fractional counts
 */
export function creditsOfUnits(units: JobUnits, prices: UnitPrices): bigint {
  if (units.inputUnits < 0 || units.outputUnits < 0) throw new RangeError('units can not be negative')
  const scaled = BigInt(units.inputUnits) * prices.input + BigInt(units.outputUnits) * prices.output
  return roundUpToStep(mulDivUp(scaled, 1n, UNITS_PER_PRICE))
}

/** Atomic units for `credits` out of `held`, at least one; at most all that is held (law L6). */
export function assetPrice(held: CreditPool, credits: bigint): bigint {
  if (credits <= 0n) return 0n
  if (credits >= held.credits) return held.amount
  return mulDivDown(credits, held.amount, held.credits) || 1n
}

/** Price of a job in atomic units of its asset; never above the hold (law L6). */
export function priceOfJob({ prices, held }: JobPricing, units: JobUnits): bigint {
  return assetPrice(held, creditsOfUnits(units, prices))
}
