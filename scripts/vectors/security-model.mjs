// The corrected Appendix A (DESIGN §7.4): F S + escrow + min(δ V_h, K) >= (g + B) (n_det + L), solved for the stake S.
import {
  add,
  ceil,
  columns,
  decimal,
  divide,
  floor,
  fraction,
  HEU,
  isBelow,
  larger,
  multiply,
  smaller,
  subtract,
  WAD,
} from './rational.mjs'

const BPS = 10_000n
const bps = value => fraction(value, BPS)

const ONE = fraction(1n)

function floorRow(input) {
  const profit = fraction(input.rewardWei - input.honestCostWei)
  const speedup = fraction(input.speedupWad, WAD)
  const discount = fraction(input.discountWad, WAD)
  const gain = ceil(add(fraction(input.honestCostWei - input.cheatCostWei), multiply(profit, subtract(ONE, divide(ONE, speedup)))))
  const tasksToDetect = ceil(divide(fraction(input.auditsToDetect), bps(input.auditShareBps)))
  const exposure = (gain + input.outsideGainWei) * (tasksToDetect + input.latencyTasks)
  const future = multiply(profit, divide(discount, subtract(ONE, discount)))
  const lostFuture = floor(smaller(future, fraction(input.identityCostWei)))
  const missing = larger(fraction(0n), subtract(fraction(exposure), fraction(input.escrowWei + lostFuture)))
  const required = ceil(divide(missing, bps(input.slashBps)))
  const floorWei = ceil(divide(fraction(required), bps(BPS - input.heuHaircutBps)))
  return { ...input, gain, tasksToDetect, exposure, lostFuture, required, floor: floorWei }
}

/** The table of required stake per job price (g = 0.75 R, F = 1, nothing held), then each other term alone and together. */
function floorRows() {
  const [price, wei] = [HEU, 1n]
  const costs = { rewardWei: price, honestCostWei: (price * 6n) / 10n, cheatCostWei: (price * 15n) / 100n, speedupWad: 4n * WAD }
  const nothing = { outsideGainWei: 0n, identityCostWei: 0n, discountWad: 0n, escrowWei: 0n, slashBps: BPS, heuHaircutBps: 0n }
  const table = [1n, 3n, 21n].flatMap(auditsToDetect =>
    [100n, 200n, 500n, 2_000n].flatMap(auditShareBps =>
      [0n, 600n, 86_400n].map(latencyTasks => ({ ...costs, ...nothing, auditsToDetect, auditShareBps, latencyTasks })),
    ),
  )
  const plain = { ...costs, ...nothing, auditsToDetect: 3n, auditShareBps: 300n, latencyTasks: 77n }
  const others = [
    { outsideGainWei: 5n * price },
    { escrowWei: 10n * price + wei },
    { escrowWei: 10n ** 9n * price },
    { discountWad: (WAD * 9n) / 10n, identityCostWei: 3n * price },
    { discountWad: (WAD * 9n) / 10n, identityCostWei: 50n * price },
    { discountWad: (WAD * 9_999n) / 10_000n, identityCostWei: 10n ** 24n },
    { slashBps: 5_000n },
    { slashBps: 1n },
    { heuHaircutBps: 3_000n },
    { heuHaircutBps: 9_000n, slashBps: 1_000n },
    { speedupWad: WAD },
    { speedupWad: WAD + wei },
    { speedupWad: 15n * WAD },
    { rewardWei: 0n, honestCostWei: 0n, cheatCostWei: 0n },
    { rewardWei: 7n, honestCostWei: 5n, cheatCostWei: 0n, speedupWad: 3n * WAD, slashBps: 3_333n, heuHaircutBps: 333n, escrowWei: 1n },
    {
      rewardWei: 10n ** 24n,
      honestCostWei: 10n ** 24n - 1n,
      cheatCostWei: 1n,
      latencyTasks: 10n ** 7n,
      auditShareBps: 1n,
      outsideGainWei: 10n ** 24n,
    },
  ].map(change => ({ ...plain, ...change }))
  return [...table, ...others].map(floorRow)
}

/** Row by row: what Appendix A.6 prints, what it should say, and the simulated truth of a miner who cheats until caught. */
function repeatedGameRows() {
  const cases = [
    // The counter-example of the knowledge page: no stake at all, and the printed line holds.
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.01', slashed: '1', stake: '0', patience: '0.9', reentry: '1000' },
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.01', slashed: '1', stake: '39', patience: '0.9', reentry: '0' },
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.01', slashed: '1', stake: '40', patience: '0.9', reentry: '0' },
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.01', slashed: '1', stake: '41', patience: '0.9', reentry: '0' },
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.01', slashed: '0.5', stake: '78', patience: '0.9', reentry: '1' },
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.2', slashed: '1', stake: '0', patience: '0.9', reentry: '2' },
    { reward: '1', honestCost: '0.6', cheatCost: '0.2', detection: '0.2', slashed: '1', stake: '0', patience: '0.9', reentry: '1.9' },
    { reward: '1', honestCost: '0.99', cheatCost: '0.01', detection: '0.5', slashed: '0.1', stake: '19', patience: '0.5', reentry: '5' },
  ]
  return cases.map(texts => {
    const value = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, decimal(text)]))
    const { reward, honestCost, cheatCost, detection, slashed, stake, patience, reentry } = value
    const one = fraction(1n)
    const honest = subtract(reward, honestCost)
    const loss = multiply(detection, slashed, stake)
    const future = divide(honest, subtract(one, patience))
    const printed = isBelow(subtract(subtract(reward, cheatCost), loss), future)
    const deterred = multiply(detection, add(multiply(slashed, stake), smaller(multiply(patience, future), reentry)))
    const corrected = !isBelow(deterred, subtract(honestCost, cheatCost))
    const wei = rational => (rational.n * HEU) / rational.d
    const inWei = Object.fromEntries(Object.entries(value).map(([name, rational]) => [`${name}Wad`, wei(rational)]))
    return { ...inWei, printedHolds: printed ? 1 : 0, correctedHolds: corrected ? 1 : 0 }
  })
}

export function securityModelVectors() {
  return {
    about:
      'floor: gain g = ceil(C_h - C_m + (1 - 1/s) (R - C_h)); tasksToDetect = ceil(auditsToDetect × 10,000 / auditShareBps); exposure = (gain + outsideGainWei) × (tasksToDetect + latencyTasks); lostFuture = floor(min(δ (R - C_h) / (1 - δ), identityCostWei)); required = ceil(max(0, exposure - escrowWei - lostFuture) × 10,000 / slashBps); floor = ceil(required × 10,000 / (10,000 - heuHaircutBps)). Wei of HEU and tasks; R rewardWei, C_h honestCostWei, C_m cheatCostWei, s speedupWad, δ discountWad. repeatedGame: Appendix A.6 as printed, (R - C_h) / (1 - δ) > R - C_m - P F S, which is an algebra slip, beside C_h - C_m <= P (F S + min(δ V_h, K)), V_h = (R - C_h) / (1 - δ); 1 holds, 0 does not.',
    floor: columns(floorRows()),
    repeatedGame: columns(repeatedGameRows()),
  }
}
