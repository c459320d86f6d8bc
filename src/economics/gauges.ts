import { BPS, maxOf, minOf, mulDivDown, WAD } from '#protocol'

/** A node's emission is multiplied by 1.0 to 2.5 (wp §3.2.2). */
export const MIN_MULTIPLIER_WAD = WAD
export const MAX_MULTIPLIER_WAD = (WAD * 5n) / 2n
/** Share of all votes that gives a node the highest multiplier (basis points). */
export const DEFAULT_SATURATION_BPS = 500
/** Votes below this count as this many, so that a handful of votes is not the whole network's (wei of stHEU × basis points). */
export const QUORUM_WEIGHT = 100_000n * WAD * BPS

/** Share of the votes (WAD, rounded down); weights are wei of stHEU × basis points of a ballot. None when nobody voted. */
export function voteShareWadDown(weight: bigint, totalWeight: bigint, quorumWeight: bigint = QUORUM_WEIGHT): bigint {
  const whole = maxOf(totalWeight, quorumWeight)
  return whole === 0n ? 0n : mulDivDown(weight, WAD, whole)
}

/** 1 + 1.5 × min(1, share of votes / saturation), rounded down (WAD). */
export function multiplierWadDown(shareWad: bigint, saturationBps: number = DEFAULT_SATURATION_BPS): bigint {
  const room = MAX_MULTIPLIER_WAD - MIN_MULTIPLIER_WAD
  const bonus = mulDivDown(room, shareWad * BPS, BigInt(saturationBps) * WAD)
  return MIN_MULTIPLIER_WAD + minOf(bonus, room)
}

/** Replicas that a pod's votes allow (wp §3.2.4): its share of the network's slots times `factorBps`, at least the guaranteed ones. */
export function replicaCeilingDown(
  shareWad: bigint,
  limits: { readonly networkSlots: bigint; readonly factorBps: number; readonly guaranteedReplicas: bigint },
): bigint {
  const byVotes = mulDivDown(limits.networkSlots, shareWad * BigInt(limits.factorBps), WAD * BPS)
  return maxOf(byVotes, limits.guaranteedReplicas)
}

/** What one voter gets of a gauge's pot, rounded down: all voters together never more than the pot. Nothing without votes. */
export function voterPartDown(pot: bigint, voterWeight: bigint, weight: bigint): bigint {
  return weight === 0n ? 0n : mulDivDown(pot, voterWeight, weight)
}
