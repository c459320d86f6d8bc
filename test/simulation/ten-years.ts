/**
 * Ten years of the economy: payments, votes, closed epochs, rewards, claims. Told as a list of what happens when, so that the
 * model here and the real contracts (`ten-years-chain.ts`) play the same story and must end with the same wei.
 */
import {
  DEFAULT_SPLIT_BPS,
  depositStake,
  EMISSION_EPOCHS,
  EMPTY_STAKE,
  EPOCH_SECONDS,
  EPOCHS_PER_YEAR,
  emissionOf,
  multiplierWadDown,
  type NodeReport,
  nodeEmissions,
  organicRevenueDown,
  revenueRateWadDown,
  rewardStake,
  type Stake,
  stakeAt,
  stakeRateWadDown,
  TOTAL_SUPPLY_WEI,
  TRAILING_EPOCHS,
  voteShareWadDown,
} from '#economics'
import { BPS, mulDivDown, WAD } from '#protocol'

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

/** Of an epoch's revenue: what open jobs paid, and what the protocol's rows are credited. */
export function paymentsOf(
  scenario: Scenario,
  epoch: number,
): { readonly open: bigint; readonly payments: bigint; readonly protocol: bigint } {
  const payments = revenueOf(scenario, epoch)
  return { payments, open: mulDivDown(payments, 9n, 10n), protocol: mulDivDown(payments, BigInt(DEFAULT_SPLIT_BPS.protocol), BPS) }
}

/** Seconds after the start of an epoch. Its own payments and rewards first; it is closed in the first hours of the next one. */
export const SCHEDULE = { settle: 86_400, reward: 172_800, report: EPOCH_SECONDS + 3_600, finalise: EPOCH_SECONDS + 90_000 } as const

/** One staker, who votes for the first two of three nodes from epoch 1 on. */
export const STAKED_WEI = 200_000_000n * WAD
export const BALLOT_BPS = [9_700n, 300n, 0n] as const

/** What the three nodes did: one always there, one that fails a little, one small one that comes and goes. */
export function reportsOf(epoch: number): Omit<NodeReport, 'multiplierWad'>[] {
  const at = BigInt(epoch)
  return [
    { availabilityBps: BPS, capacity: 1_000_000n, organicComputeUnits: 1_000_003n * at },
    { availabilityBps: BPS - (at % 100n), capacity: 777_777n, organicComputeUnits: 500_009n * at + 1n },
    { availabilityBps: at % 3n === 0n ? 0n : 5_000n, capacity: 33_333n, organicComputeUnits: at % 3n === 0n ? 0n : 12_347n },
  ]
}

/** Everything of one epoch that model and chain must agree on, to the wei. */
export type EpochRecord = {
  readonly epoch: number
  readonly organicRevenue: bigint
  readonly revenueRateWad: bigint
  readonly base: bigint
  readonly dynamic: bigint
  readonly nodes: readonly bigint[]
  readonly reservoirTotal: bigint
  readonly stakeRateWad: bigint
}

/** Multipliers of the three nodes in `epoch` (WAD). A vote counts from the epoch after it. */
export function multipliersOf(epoch: number, stakedShares: bigint): bigint[] {
  const total = epoch === 0 ? 0n : stakedShares * BPS
  return BALLOT_BPS.map(bps => multiplierWadDown(epoch === 0 ? 0n : voteShareWadDown(stakedShares * bps, total)))
}

/** The model's ten years, one record an epoch. */
export function playModel(scenario: Scenario, epochs: number = EMISSION_EPOCHS): EpochRecord[] {
  const revenues: bigint[] = []
  const records: EpochRecord[] = []
  let stake: Stake = depositStake(EMPTY_STAKE, STAKED_WEI, 0n).stake
  let reservoirTotal = 0n
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const payments = paymentsOf(scenario, epoch)
    revenues.push(organicRevenueDown(payments))
    stake = rewardStake(stake, payments.protocol, BigInt(epoch * EPOCH_SECONDS + SCHEDULE.reward))
    const trailing = revenues.slice(-TRAILING_EPOCHS).reduce((sum, wei) => sum + wei, 0n)
    const split = emissionOf(epoch, trailing)
    const multipliers = multipliersOf(epoch, stake.totalShares)
    const reports = reportsOf(epoch).map((report, index) => ({ ...report, multiplierWad: multipliers[index] ?? WAD }))
    const { nodes, reservoir } = nodeEmissions(split, reports)
    reservoirTotal += reservoir
    records.push({
      epoch,
      organicRevenue: revenues.at(-1) ?? 0n,
      revenueRateWad: revenueRateWadDown(trailing),
      base: split.base,
      dynamic: split.dynamic,
      nodes,
      reservoirTotal,
      stakeRateWad: stakeRateWadDown(stakeAt(stake, BigInt(epoch * EPOCH_SECONDS + SCHEDULE.finalise))),
    })
  }
  return records
}
