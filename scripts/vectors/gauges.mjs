// DESIGN §6.4: votes -> emission multiplier 1.0 to 2.5, replica ceiling, and what a voter gets of its gauge's pot.
import { add, columns, divide, floor, fraction, larger, multiply, smaller, WAD } from './rational.mjs'

const BPS = 10_000n

/** Share of all votes, or of the quorum when fewer voted. */
function shareRows() {
  const million = 10n ** 6n * 10n ** 18n * BPS
  const rows = []
  for (const quorumWeight of [0n, 1n, million / 10n])
    for (const [weight, totalWeight] of [
      [0n, 0n],
      [1n, 1n],
      [1n, 3n],
      [million / 20n, million / 20n],
      [million / 10n, million / 10n],
      [3n * million + 1n, 77n * million],
      [1n, 1_000n * million],
    ]) {
      const whole = larger(fraction(totalWeight), fraction(quorumWeight))
      const share = whole.n === 0n ? fraction(0n) : divide(fraction(weight), whole)
      rows.push({ weight, totalWeight, quorumWeight, shareWad: floor(multiply(share, fraction(WAD))) })
    }
  return rows
}

const SHARES_WAD = [0n, 1n, 999_999n, WAD / 3n, WAD / 20n - 1n, WAD / 20n, WAD / 20n + 1n, WAD / 77n, WAD - 1n, WAD]

/** 1 + 1.5 × share of votes / share that gives the whole bonus, at most 2.5. */
function multiplierRows() {
  const one = fraction(1n)
  const bonus = fraction(3n, 2n)
  return [10n, 100n, 500n, 3_333n, BPS].flatMap(saturationBps =>
    SHARES_WAD.map(shareWad => {
      const part = smaller(one, divide(fraction(shareWad, WAD), fraction(saturationBps, BPS)))
      return { shareWad, saturationBps, multiplierWad: floor(multiply(add(one, multiply(bonus, part)), fraction(WAD))) }
    }),
  )
}

/** max(guaranteed minimum, share of votes × slots × factor). */
function ceilingRows() {
  const rows = []
  for (const networkSlots of [0n, 1n, 7n, 1_000n, 100_003n])
    for (const shareWad of SHARES_WAD)
      for (const [factorBps, guaranteedReplicas] of [
        [10_000n, 1n],
        [20_000n, 2n],
        [99_999n, 0n],
      ]) {
        const byVotes = multiply(fraction(shareWad, WAD), fraction(networkSlots), fraction(factorBps, BPS))
        const ceiling = floor(larger(fraction(guaranteedReplicas), byVotes))
        rows.push({ shareWad, networkSlots, factorBps, guaranteedReplicas, ceiling })
      }
  return rows
}

function voterRows() {
  const rows = []
  for (const pot of [0n, 1n, 100n, 10n ** 18n + 1n, 2n ** 96n])
    for (const [voterWeight, weight] of [
      [0n, 1n],
      [1n, 3n],
      [2n, 3n],
      [3n, 3n],
      [10n ** 23n + 1n, 10n ** 27n],
    ])
      rows.push({ pot, voterWeight, weight, amount: floor(fraction(pot * voterWeight, weight)) })
  return rows
}

export function gaugeVectors() {
  return {
    about:
      'share: shareWad = floor(weight / max(totalWeight, quorumWeight)), zero without votes and quorum; weights are wei of stHEU × basis points. multiplier: multiplierWad = floor(1 + 1.5 × min(1, shareWad / (saturationBps / 10,000))). ceiling = floor(max(guaranteedReplicas, shareWad × networkSlots × factorBps / 10,000)). voters: amount = floor(pot × voterWeight / weight).',
    share: columns(shareRows()),
    multiplier: columns(multiplierRows()),
    ceiling: columns(ceilingRows()),
    voters: columns(voterRows()),
  }
}
