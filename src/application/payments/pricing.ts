import { type JobUnits, mulDivUp, type PodRecord } from '#protocol'

/**
 * The one place where the price of a job is made. Pods price 1,000,000 input and output units in nano-credits.
 */

const UNITS_PER_PRICE = 1_000_000n

/**
 * Charges are whole multiples of this many nano-credits: one millionth of a US dollar, the smallest unit of the stablecoin.
 * So credits and stablecoin never drift apart by rounding, and the smallest charge is one atomic unit.
 */
export const CHARGE_STEP_NANO_CREDITS = 100_000n

export type UnitPrices = { readonly input: bigint; readonly output: bigint }

/** Nano-credits, rounded up to the charge step. */
export function roundUpToStep(nanoCredits: bigint): bigint {
  return mulDivUp(nanoCredits, 1n, CHARGE_STEP_NANO_CREDITS) * CHARGE_STEP_NANO_CREDITS
}

/**
 * Nano-credits for counted units, rounded up to the charge step; zero only for a free pod or no units.
 * @throws RangeError for negative or fractional counts
 */
export function priceOfUnits(units: JobUnits, prices: UnitPrices): bigint {
  if (units.inputUnits < 0 || units.outputUnits < 0) throw new RangeError('units can not be negative')
  const scaled = BigInt(units.inputUnits) * prices.input + BigInt(units.outputUnits) * prices.output
  return roundUpToStep(mulDivUp(scaled, 1n, UNITS_PER_PRICE))
}

/** Most nano-credits that a job on `pod` can cost. */
export function quoteMaximum(pod: PodRecord, units: { readonly inputUnits: number; readonly maxOutputUnits: number }): bigint {
  return priceOfUnits({ inputUnits: units.inputUnits, outputUnits: units.maxOutputUnits }, pod.manifest.spec.price)
}
