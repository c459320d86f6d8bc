import { BPS, minOf, mulDivDown, WAD } from '#protocol'

/** The whole supply of HEU (wei, wp §3.4.2). */
export const TOTAL_SUPPLY_WEI = 1_000_000_000n * WAD
/** The emission's half of it, which drains to nothing in {@link EMISSION_EPOCHS} (wei). */
export const EMISSION_VAULT_WEI = 500_000_000n * WAD
export const EPOCH_SECONDS = 604_800
export const EPOCHS_PER_YEAR = 52
/** Ten years of 52 weeks (ADR 0011). */
export const EMISSION_EPOCHS = 520
/** Epochs whose organic revenue is R, the closing one included. */
export const TRAILING_EPOCHS = 13

/** wp §3.4.4: at most 5 % of the supply a year, 1.25 % without revenue, and half of the revenue on top. */
const MAX_RATE_WAD = WAD / 20n
const BASE_RATE_WAD = WAD / 80n
export const REVENUE_FACTOR_WAD = WAD / 2n
/** What one epoch gives to whom (wei). `base + dynamic = emission`, `emission + reservoir = budget`. */
export type EpochEmission = {
  readonly budget: bigint
  readonly emission: bigint
  readonly base: bigint
  readonly dynamic: bigint
  readonly reservoir: bigint
}

/** The epoch at a second of the chain's time; -1 before the first. */
export function epochAt(genesisSeconds: number, timestampSeconds: number): number {
  return Math.max(-1, Math.floor((timestampSeconds - genesisSeconds) / EPOCH_SECONDS))
}

/** What the vault has given before `epoch`, rounded down (wei). */
const drainedBeforeDown = (epoch: number): bigint => mulDivDown(EMISSION_VAULT_WEI, BigInt(epoch), BigInt(EMISSION_EPOCHS))

/** What the vault gives in `epoch` (wei): the 520 budgets are the vault, to the wei; later ones are zero. */
export function emissionBudgetOf(epoch: number): bigint {
  return epoch >= EMISSION_EPOCHS ? 0n : drainedBeforeDown(epoch + 1) - drainedBeforeDown(epoch)
}

/**
 * R: organic revenue as a share of the supply a year, rounded down (WAD).
 * @param trailingRevenueWei of the last 13 epochs, the closing one included; epochs before the first count as zero
 */
export function revenueRateWadDown(trailingRevenueWei: bigint): bigint {
  return mulDivDown(trailingRevenueWei, BigInt(EPOCHS_PER_YEAR) * WAD, BigInt(TRAILING_EPOCHS) * TOTAL_SUPPLY_WEI)
}

/** E = min(5 %, 1.25 % + 0.5 R) of the supply a year (wp §3.4.4), rounded down (WAD). Another factor than 0.5 is for studies. */
export function emissionRateWadDown(revenueRateWad: bigint, factorWad: bigint = REVENUE_FACTOR_WAD): bigint {
  const rate = BASE_RATE_WAD + mulDivDown(revenueRateWad, factorWad, WAD)
  return minOf(rate, MAX_RATE_WAD)
}

/**
 * Splits the budget of `epoch`: nodes get E / 5 % of it rounded down, a quarter of the budget as base rewards and the rest by
 * organic work; the reservoir gets what is left (wp §3.4.5).
 */
export function emissionOf(epoch: number, trailingRevenueWei: bigint, factorWad: bigint = REVENUE_FACTOR_WAD): EpochEmission {
  return emissionAtRate(epoch, revenueRateWadDown(trailingRevenueWei), factorWad)
}

/** The same from R (WAD, a year) instead of the revenue behind it. */
export function emissionAtRate(epoch: number, revenueRateWad: bigint, factorWad: bigint = REVENUE_FACTOR_WAD): EpochEmission {
  const budget = emissionBudgetOf(epoch)
  const emission = mulDivDown(budget, emissionRateWadDown(revenueRateWad, factorWad), MAX_RATE_WAD)
  const base = mulDivDown(budget, BASE_RATE_WAD, MAX_RATE_WAD)
  return { budget, emission, base, dynamic: emission - base, reservoir: budget - emission }
}

/** What a node did in one epoch, as the sequencer reports it. */
export type NodeReport = {
  readonly availabilityBps: bigint
  /** Benchmarked capacity, in the unit of the benchmark. */
  readonly capacity: bigint
  readonly organicComputeUnits: bigint
  readonly multiplierWad: bigint
}

/** Weights count the votes' multiplier in whole basis points. */
const multiplierBpsDown = (report: NodeReport): bigint => mulDivDown(report.multiplierWad, BPS, WAD)
/** Of the base part: availability × capacity × votes. */
export const baseWeightOf = (report: NodeReport): bigint => report.availabilityBps * report.capacity * multiplierBpsDown(report)
/** Of the dynamic part: organic work × votes. */
export const dynamicWeightOf = (report: NodeReport): bigint => report.organicComputeUnits * multiplierBpsDown(report)

/**
 * Divides `pool` by `weights`, in their order: the first i get floor(pool × their weights / all), so all together get the pool
 * to the wei, and nobody is further than one wei from its exact share. Without any weight nobody gets anything.
 */
export function shareExactly(pool: bigint, weights: readonly bigint[]): bigint[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0n)
  if (all === 0n) return weights.map(() => 0n)
  let weightBefore = 0n
  return weights.map(weight => {
    const givenBefore = mulDivDown(pool, weightBefore, all)
    weightBefore += weight
    return mulDivDown(pool, weightBefore, all) - givenBefore
  })
}

/** What each node of an epoch earns (wei), in the order of `reports`, and what the reservoir gets with the parts nobody earned. */
export function nodeEmissions(
  epoch: EpochEmission,
  reports: readonly NodeReport[],
): { readonly nodes: bigint[]; readonly reservoir: bigint } {
  const base = shareExactly(epoch.base, reports.map(baseWeightOf))
  const dynamic = shareExactly(epoch.dynamic, reports.map(dynamicWeightOf))
  const nodes = base.map((amount, index) => amount + (dynamic[index] ?? 0n))
  return { nodes, reservoir: epoch.budget - nodes.reduce((sum, amount) => sum + amount, 0n) }
}

/** A node's payout and the tip of its voters (wei): the tip rounds down, the payout is the rest (wp §3.2.2). */
export function tipOf(emissionWei: bigint, tipBps: number): { readonly payout: bigint; readonly tip: bigint } {
  const tip = mulDivDown(emissionWei, BigInt(tipBps), BPS)
  return { payout: emissionWei - tip, tip }
}
