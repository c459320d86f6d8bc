// Vesting of the genesis allocations (docs.heurist.ai tokenomics): a part at the start, nothing until the cliff, then linear.
import { add, columns, floor, fraction, HEU, multiply } from './rational.mjs'

const BPS = 10_000n
const DAY = 86_400n
/** A twelfth of 365 days, in seconds. */
const MONTH = (365n * DAY) / 12n

/** Bucket, HEU, part at the start (basis points), months of cliff, months of linear vesting after it. */
const PUBLISHED = [
  ['testnet miners of season 1', 50_000_000n, BPS, 0n, 0n],
  ['liquidity', 28_000_000n, BPS, 0n, 0n],
  ['marketing', 18_500_000n, BPS, 0n, 0n],
  ['Imaginaries NFT holders', 12_845_000n, BPS, 0n, 0n],
  ['grants', 300_000n, BPS, 0n, 0n],
  ['KOLs', 6_500_000n, 2_000n, 0n, 6n],
  ['unallocated grants', 6_855_000n, 0n, 3n, 0n],
  ['angels and VC', 60_000_000n, 0n, 3n, 24n],
  ['team and advisors', 150_000_000n, 0n, 3n, 24n],
  ['mining', 500_000_000n, 0n, 3n, 120n],
  ['treasury', 167_000_000n, 0n, 6n, 48n],
]

function vestedAt({ total, startBps, cliffSeconds, vestSeconds }, elapsed) {
  if (elapsed < 0n) return 0n
  const atStart = floor(multiply(fraction(total), fraction(startBps, BPS)))
  if (elapsed < cliffSeconds) return atStart
  const since = elapsed - cliffSeconds
  if (since >= vestSeconds) return total
  return floor(add(fraction(atStart), multiply(fraction(total - atStart), fraction(since, vestSeconds))))
}

function rows() {
  const allocations = [
    ...PUBLISHED.map(([, heu, startBps, cliff, vest]) => ({
      total: heu * HEU,
      startBps,
      cliffSeconds: cliff * MONTH,
      vestSeconds: vest * MONTH,
    })),
    { total: 10n ** 18n + 7n, startBps: 3_333n, cliffSeconds: 1n, vestSeconds: 3n },
    { total: 1n, startBps: 9_999n, cliffSeconds: 0n, vestSeconds: 7n },
  ]
  return allocations.flatMap(allocation => {
    const end = allocation.cliffSeconds + allocation.vestSeconds
    const times = [0n, 1n, 2n, allocation.cliffSeconds - 1n, allocation.cliffSeconds, allocation.cliffSeconds + 1n, 5n * MONTH]
    const later = [365n * DAY, 1_000n * DAY + 1n, end / 2n, end - 1n, end, end + 1n, 100n * 365n * DAY]
    const ascending = [...new Set([...times, ...later])].filter(time => time >= 0n).sort((a, b) => (a < b ? -1 : 1))
    return ascending.map(elapsedSeconds => ({ ...allocation, elapsedSeconds, vested: vestedAt(allocation, elapsedSeconds) }))
  })
}

export function vestingVectors() {
  return {
    about:
      'elapsedSeconds counts from the start. vested = atStart = floor(total × startBps / 10,000) before the cliff; from the cliff on atStart + floor((total - atStart) × (elapsedSeconds - cliffSeconds) / vestSeconds), and total once vestSeconds have passed since the cliff. A month is 365 days / 12 = 2,628,000 seconds.',
    monthSeconds: MONTH,
    publishedTotal: PUBLISHED.reduce((sum, [, heu]) => sum + heu, 0n) * HEU,
    schedule: columns(rows()),
  }
}
