/**
 * Ten years of the economy: payments, votes, closed epochs, rewards, claims. Told as a list of what happens when, so that the
 * model here and the real contracts (`ten-years-chain.ts`) play the same story and must end with the same wei.
 */
import {
  depositStake,
  EMISSION_EPOCHS,
  EMPTY_STAKE,
  EPOCH_SECONDS,
  emissionOf,
  multiplierWadDown,
  type NodeReport,
  nodeEmissions,
  organicRevenueDown,
  paymentsOf,
  revenueRateWadDown,
  rewardStake,
  type Scenario,
  type Stake,
  stakeAt,
  stakeRateWadDown,
  TRAILING_EPOCHS,
  voteShareWadDown,
} from '#economics'
import { BPS, WAD } from '#protocol'

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
