import { BPS, maxOf, minOf, mulDivDown, mulDivUp, WAD } from '#protocol'

/**
 * Appendix A of the whitepaper, corrected (DESIGN §7.4): cheating does not pay while
 *
 *   F S + escrow + min(δ V_h, K)  >=  (g + B) (n_det + L)
 *
 * with g = (C_h - C_m) + (1 - 1/s)(R - C_h), n_det = n_aud / a and V_h = (R - C_h) / (1 - δ).
 *
 * A.6 "simplifies" Σ δ^t E_h > Σ δ^t E_m to E_h / (1 - δ) > E_m. That is an algebra slip: both sides carry 1 / (1 - δ), so what is
 * left is A.4 again. As printed it compares a perpetuity with one payoff, and a patient miner satisfies it with no stake at all
 * ({@link printedConditionHolds}). The repeated game enters as the future a caught node loses, capped by K, the cost of coming
 * back under a new name. A.4 itself lacks the tasks served before detection, the outside gain B and the speed of a cheat.
 */
export type SecurityParameters = {
  /** R: what a task pays a node, emission included (wei). */
  readonly rewardWei: bigint
  /** C_h, C_m: what doing a task costs, and what faking it costs (wei). R >= C_h >= C_m. */
  readonly honestCostWei: bigint
  readonly cheatCostWei: bigint
  /** B: the most that a wrong result brings in elsewhere (wei). */
  readonly outsideGainWei: bigint
  /** K: cost of a fresh identity (wei); 0 where anyone can register again. */
  readonly identityCostWei: bigint
  /** s: how much faster a cheat is than an honest node (WAD, at least one). */
  readonly speedupWad: bigint
  /** δ: patience (WAD, below one). */
  readonly discountWad: bigint
  /** n_aud: audited requests until the evidence is decisive. */
  readonly auditsToDetect: bigint
  /** L: tasks served between the decisive audit and the stop. */
  readonly latencyTasks: bigint
  /** a: share of requests that is audited (basis points). */
  readonly auditShareBps: number
  /** F: share of the collateral that a first offence costs (basis points). */
  readonly slashBps: number
  /** How far the price of HEU falls when the fraud is public (basis points). */
  readonly heuHaircutBps: number
}

/**
 * At launch: a chat request of 500 tokens for 0.001 HEU, of which doing it costs 60 % and faking it 15 %, four times as fast. Five audits
 * decide, not three, because a node can bank honest evidence before it cheats; 2,400 more tasks are served until the jail. A first offence
 * costs 10 %, HEU may lose 30 %, and names are free. Found by simulation: `docs/reference/economics.md`.
 */
export const LAUNCH_SECURITY: SecurityParameters = {
  rewardWei: WAD / 1000n,
  honestCostWei: (WAD * 6n) / 10_000n,
  cheatCostWei: (WAD * 15n) / 100_000n,
  outsideGainWei: 0n,
  identityCostWei: 0n,
  speedupWad: 4n * WAD,
  discountWad: (WAD * 99n) / 100n,
  auditsToDetect: 5n,
  latencyTasks: 2_400n,
  auditShareBps: 500,
  slashBps: 1_000,
  heuHaircutBps: 3_000,
}

/** g: what a cheat gains on one task (wei). */
export function gainUp(p: SecurityParameters): bigint {
  const profit = p.rewardWei - p.honestCostWei
  return p.honestCostWei - p.cheatCostWei + mulDivUp(profit, p.speedupWad - WAD, p.speedupWad)
}

/** n_det: cheated tasks until the decisive audit. */
export const tasksToDetectUp = (p: SecurityParameters): bigint => mulDivUp(p.auditsToDetect, BPS, BigInt(p.auditShareBps))

/** Right side of the inequality: what a cheat gains before it is stopped (wei). */
export const exposureUp = (p: SecurityParameters): bigint => (gainUp(p) + p.outsideGainWei) * (tasksToDetectUp(p) + p.latencyTasks)

/** min(δ V_h, K): the future that a caught node loses (wei). */
export function lostFutureDown(p: SecurityParameters): bigint {
  const future = mulDivDown(p.rewardWei - p.honestCostWei, p.discountWad, WAD - p.discountWad)
  return minOf(future, p.identityCostWei)
}

/** Left side of the inequality: what a cheat loses (wei). `collateralWei` counts at the price after the haircut. */
export function deterrentDown(p: SecurityParameters, collateralWei: bigint, escrowWei: bigint): bigint {
  const atLoss = mulDivDown(collateralWei, BPS - BigInt(p.heuHaircutBps), BPS)
  return mulDivDown(atLoss, BigInt(p.slashBps), BPS) + escrowWei + lostFutureDown(p)
}

/** S: the least collateral at a stable price that makes the inequality hold (wei). */
export function requiredCollateralUp(p: SecurityParameters, escrowWei: bigint): bigint {
  const uncovered = exposureUp(p) - escrowWei - lostFutureDown(p)
  return mulDivUp(maxOf(uncovered, 0n), BPS, BigInt(p.slashBps))
}

/** The same in HEU that loses `heuHaircutBps` of its price: the floor of a node (wei). */
export const collateralFloorUp = (p: SecurityParameters, escrowWei: bigint): bigint =>
  mulDivUp(requiredCollateralUp(p, escrowWei), BPS, BPS - BigInt(p.heuHaircutBps))

/** One miner's repeated game in the words of A.2: money in wei; P, F and δ in WAD. */
export type RepeatedGame = {
  readonly rewardWad: bigint
  readonly honestCostWad: bigint
  readonly cheatCostWad: bigint
  readonly detectionWad: bigint
  readonly slashedWad: bigint
  readonly stakeWad: bigint
  readonly patienceWad: bigint
  readonly reentryWad: bigint
}

/** A.6 as the paper prints it: (R - C_h) / (1 - δ) > R - C_m - P F S. Kept to show that it proves nothing; nothing uses it. */
export function printedConditionHolds(game: RepeatedGame): boolean {
  const loss = game.detectionWad * game.slashedWad * game.stakeWad
  const cheat = (game.rewardWad - game.cheatCostWad) * WAD * WAD - loss
  return (game.rewardWad - game.honestCostWad) * WAD * WAD * WAD > cheat * (WAD - game.patienceWad)
}

/** What A.6 should say: C_h - C_m <= P (F S + min(δ V_h, K)), V_h = (R - C_h) / (1 - δ); exact, nothing is rounded. */
export function correctedConditionHolds(game: RepeatedGame): boolean {
  const impatience = WAD - game.patienceWad
  const future = (game.rewardWad - game.honestCostWad) * game.patienceWad
  const capped = game.reentryWad * impatience
  const lost = game.slashedWad * game.stakeWad * impatience + minOf(future, capped) * WAD
  return (game.honestCostWad - game.cheatCostWad) * WAD * WAD * impatience <= game.detectionWad * lost
}
