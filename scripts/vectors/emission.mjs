// wp §3.4.4 and §3.4.5: E = min(5 %, 1.25 % + 0.5 R) of the supply a year, 52 epochs a year, 520 epochs; the rest of 5 % is the reservoir's.
import { add, columns, decimal, divide, floor, fraction, HEU, multiply, smaller, WAD } from './rational.mjs'

const SUPPLY = fraction(1_000_000_000n * HEU)
const VAULT = fraction(500_000_000n * HEU)
const EPOCHS = 520n
const MAXIMUM = decimal('0.05')
const BASELINE = decimal('0.0125')
const FACTOR = decimal('0.5')
const TRAILING_YEARS = fraction(13n, 52n)

const drainedBefore = epoch => floor(multiply(VAULT, fraction(epoch, EPOCHS)))
const budgetOf = epoch => (epoch < EPOCHS ? drainedBefore(epoch + 1n) - drainedBefore(epoch) : 0n)

/** R and E of the year, each rounded down to a WAD before it is used. */
function ratesWad(trailing) {
  const wad = fraction(WAD)
  const revenue = floor(multiply(divide(divide(fraction(trailing), TRAILING_YEARS), SUPPLY), wad))
  const half = floor(multiply(FACTOR, fraction(revenue)))
  return { revenueRateWad: revenue, rateWad: floor(smaller(multiply(MAXIMUM, wad), add(multiply(BASELINE, wad), fraction(half)))) }
}

function curveRow(epoch, trailing) {
  const budget = budgetOf(epoch)
  const rates = ratesWad(trailing)
  const emission = floor(multiply(fraction(budget), divide(fraction(rates.rateWad, WAD), MAXIMUM)))
  const base = floor(multiply(fraction(budget), divide(BASELINE, MAXIMUM)))
  const parts = { emission, base, dynamic: emission - base, reservoir: budget - emission }
  return { epoch, trailingRevenue: trailing, ...rates, budget, ...parts }
}

/** The revenue of thirteen epochs at an annual rate of R (percent of the supply), and that amount one wei off. */
function curve() {
  const exact = ['0', '0.01', '1', '2.5', '5', '7.5', '10', '100'].map(percent =>
    floor(multiply(SUPPLY, decimal(percent), fraction(1n, 100n), TRAILING_YEARS)),
  )
  const revenues = [...new Set(exact.flatMap(wei => [wei - 1n, wei, wei + 1n]).filter(wei => wei >= 0n)), 12_345_678_901_234_567_890_123n]
  const epochs = [0n, 1n, 259n, 519n, 520n]
  return epochs.flatMap(epoch => revenues.map(wei => curveRow(epoch, wei)))
}

/** Pools among weights: the first i nodes hold floor(pool × their weights / all weights), so all of them hold the pool. */
function shares() {
  const cases = [
    { pool: 100n, weights: [1n, 1n, 1n] },
    { pool: 1n, weights: [1n, 1n, 1n, 1n] },
    { pool: 7n, weights: [0n, 3n, 0n, 4n, 1n] },
    { pool: 240_384_615_384_615_384_615_384n, weights: [10_000n * 1_250n * WAD, (9_999n * 7n * (WAD * 5n)) / 2n, 1n * WAD] },
    { pool: 240_384_615_384_615_384_615_385n, weights: [2n ** 128n, 2n ** 127n - 1n, 3n, 0n, 2n ** 100n] },
    { pool: 0n, weights: [5n, 6n] },
  ]
  return cases.flatMap(({ pool, weights }, index) => {
    const all = weights.reduce((sum, weight) => sum + weight, 0n)
    let before = 0n
    return weights.map(weight => {
      const upTo = sum => floor(fraction(pool * sum, all))
      const row = { case: index, pool, weight, weightBefore: before, totalWeight: all, payout: upTo(before + weight) - upTo(before) }
      before += weight
      return row
    })
  })
}

/** DESIGN §6.3: open payments count in full, all others by what the protocol really got of them. */
function organic() {
  const payments = [
    [0n, 1n, 0n],
    [0n, 19n, 1n],
    [5n, 9n, 2n],
    [10n ** 18n, 10n ** 18n, 5n * 10n ** 16n],
    [123_456_789n, 987_654_321n, 49_382_716n],
    [1n, 2n ** 88n - 1n, 2n ** 84n],
  ]
  return payments.map(([open, all, protocol]) => {
    const closed = multiply(fraction(all - open), fraction(protocol, all))
    return { open, payments: all, protocol, organic: floor(add(fraction(open), closed)) }
  })
}

/** Micro-dollars -> wei of HEU at the price of HEU. */
function dollars() {
  const rows = []
  for (const usd of [0n, 1n, 999_999n, 1_000_000n, 123_456_789_012n, 2n ** 96n])
    for (const heuPriceUsdWad of [10n ** 14n, 33_333_333_333_333_333n, 10n ** 17n, 3n * WAD]) {
      const heu = divide(fraction(usd, 10n ** 6n), fraction(heuPriceUsdWad, WAD))
      rows.push({ usd, heuPriceUsdWad, heu: floor(multiply(heu, fraction(HEU))) })
    }
  return rows
}

export function emissionVectors() {
  const budgets = [...Array(Number(EPOCHS)).keys()].map(epoch => budgetOf(BigInt(epoch)))
  const noRevenue = budgets.map((_, epoch) => curveRow(BigInt(epoch), 0n))
  return {
    about:
      'Amounts in wei of HEU. Annual rates (WAD): revenueRateWad = floor(trailingRevenue of 13 epochs × 52 / 13 / supply), rateWad = min(5 %, 1.25 % + floor(0.5 × revenueRateWad)). budget(e) = floor(V (e+1) / 520) - floor(V e / 520); emission = floor(budget × rateWad / 5 %); base = floor(budget / 4); dynamic = emission - base; reservoir = budget - emission. shares: payout = floor(pool × (weightBefore + weight) / totalWeight) - floor(pool × weightBefore / totalWeight), nodes in ascending order of id. organic: open + floor((payments - open) × protocol / payments), asset units. dollars: heu = floor(usd × 1e30 / heuPriceUsdWad), usd in micro-dollars.',
    supply: SUPPLY.n,
    vault: VAULT.n,
    epochs: EPOCHS,
    budgets,
    budgetTotal: budgets.reduce((sum, budget) => sum + budget, 0n),
    reservoirTotalWithoutRevenue: noRevenue.reduce((sum, { reservoir }) => sum + reservoir, 0n),
    baseTotal: noRevenue.reduce((sum, { base }) => sum + base, 0n),
    curve: columns(curve()),
    shares: columns(shares()),
    organic: columns(organic()),
    dollars: columns(dollars()),
  }
}
