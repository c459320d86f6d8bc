import { BPS, mulDivDown } from '#protocol'
import { EMISSION_EPOCHS, EPOCHS_PER_YEAR, emissionRateWadDown, revenueRateWadDown, TOTAL_SUPPLY_WEI, TRAILING_EPOCHS } from './emission.ts'
import { organicRevenueDown } from './organic.ts'
import { DEFAULT_SPLIT_BPS } from './split.ts'

/** How revenue may grow over the ten years of emission. */
export type Scenario = {
  readonly name: string
  /** Yearly revenue that demand approaches, as basis points of the supply. */
  readonly limitBps: bigint
  /** Epoch at which half of it is reached. */
  readonly halfEpoch: bigint
}

/** Figure 9 shows growth at different speeds without giving numbers; these are ours. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'slow growth', limitBps: 250n, halfEpoch: 260n },
  { name: 'steady growth', limitBps: 800n, halfEpoch: 234n },
  { name: 'fast growth', limitBps: 1_500n, halfEpoch: 156n },
]

/** What all jobs of an epoch paid (wei): an S-curve, rounded down. */
export function revenueOf({ limitBps, halfEpoch }: Scenario, epoch: number): bigint {
  const at = BigInt(epoch) ** 2n
  return mulDivDown(TOTAL_SUPPLY_WEI * limitBps, at, BPS * BigInt(EPOCHS_PER_YEAR) * (at + halfEpoch ** 2n))
}

/** Of an epoch's revenue: what open jobs paid, and what the protocol's rows are credited (wei). Nine tenths are open. */
export function paymentsOf(
  scenario: Scenario,
  epoch: number,
): { readonly open: bigint; readonly payments: bigint; readonly protocol: bigint } {
  const payments = revenueOf(scenario, epoch)
  return { payments, open: mulDivDown(payments, 9n, 10n), protocol: mulDivDown(payments, BigInt(DEFAULT_SPLIT_BPS.protocol), BPS) }
}

/** R and E of an epoch, a year, as shares of the supply (WAD). */
export type CurvePoint = { readonly epoch: number; readonly revenueRateWad: bigint; readonly emissionRateWad: bigint }
export type Curve = { readonly name: string; readonly points: readonly CurvePoint[] }

/** Figure 9: what the rule E = min(5 %, 1.25 % + 0.5 R) makes of each scenario, every `stepEpochs` and at the end. */
export function figure9(stepEpochs = TRAILING_EPOCHS): Curve[] {
  const epochs = Array.from({ length: EMISSION_EPOCHS }, (_, epoch) => epoch)
  const shown = epochs.filter(epoch => epoch % stepEpochs === 0 || epoch === EMISSION_EPOCHS - 1)
  return SCENARIOS.map(scenario => {
    const revenues = epochs.map(epoch => organicRevenueDown(paymentsOf(scenario, epoch)))
    return { name: scenario.name, points: shown.map(epoch => pointOf(revenues, epoch)) }
  })
}

function pointOf(revenues: readonly bigint[], epoch: number): CurvePoint {
  const trailing = revenues.slice(Math.max(0, epoch + 1 - TRAILING_EPOCHS), epoch + 1).reduce((sum, wei) => sum + wei, 0n)
  const revenueRateWad = revenueRateWadDown(trailing)
  return { epoch, revenueRateWad, emissionRateWad: emissionRateWadDown(revenueRateWad) }
}
