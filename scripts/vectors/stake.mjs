// stHEU (wp §3.4.3): what deposits and exits are worth, and how weekly rewards reach the rate, over ten years.
import { ceil, columns, floor, fraction, HEU, WAD } from './rational.mjs'

/** One HEU that belongs to nobody is part of every rate. */
const VIRTUAL = HEU
const STREAM_SECONDS = 7n * 86_400n
const DAY = 86_400n

const rateOf = ({ assets, shares }) => fraction(assets + VIRTUAL, shares + VIRTUAL)

/** What has not reached the rate yet of the rewards given so far. */
function unstreamedAt(state, now) {
  if (now >= state.endsAt) return 0n
  return ceil(fraction(state.unstreamed * (state.endsAt - now), state.endsAt - state.since))
}

function streamed(state, now) {
  const unstreamed = unstreamedAt(state, now)
  return { ...state, assets: state.assets + state.unstreamed - unstreamed, unstreamed, since: now }
}

const OPERATIONS = {
  deposit(state, amount) {
    const rate = rateOf(state)
    const shares = floor(fraction(amount * rate.d, rate.n))
    return [{ ...state, assets: state.assets + amount, shares: state.shares + shares }, shares]
  },
  /** The stream's end moves by the weight of the new amount. */
  reward(state, amount, now) {
    const left = state.endsAt > now ? state.endsAt - now : 0n
    const newLeft = floor(fraction(state.unstreamed * left + amount * STREAM_SECONDS, state.unstreamed + amount))
    return [{ ...state, unstreamed: state.unstreamed + amount, endsAt: now + newLeft }, newLeft]
  },
  exit(state, shares) {
    const rate = rateOf(state)
    const assets = floor(fraction(shares * rate.n, rate.d))
    return [{ ...state, assets: state.assets - assets, shares: state.shares - shares }, assets]
  },
  look: state => [state, 0n],
}
const CODES = { deposit: 0n, reward: 1n, exit: 2n, look: 3n }

/** A story of uneven amounts: stakes and exits in some weeks, a reward in each of 520, a look in between. */
function story() {
  const steps = [
    { at: 1n, name: 'deposit', amount: 1n },
    { at: 2n, name: 'deposit', amount: 100_000_000n * HEU + 7n },
  ]
  for (let week = 1n; week <= 520n; week += 1n) {
    const at = week * 7n * DAY
    if (week > 20n && week % 52n > 2n) continue
    steps.push({ at: at + week, name: 'reward', amount: 50_000n * HEU + week * 1_234_567_890_123n })
    if (week % 3n === 0n) steps.push({ at: at + 3n * DAY, name: 'deposit', amount: (week * 1_000_003n * HEU) / 7n })
    if (week % 4n === 1n) steps.push({ at: at + 3n * DAY + 11n, name: 'exit', amount: (week * 333_331n * HEU) / 3n + 1n })
    if (week % 5n === 0n) steps.push({ at: at + 4n * DAY, name: 'reward', amount: week })
    steps.push({ at: at + 5n * DAY + 12_345n, name: 'look', amount: 0n })
  }
  return [...steps, { at: 521n * 7n * DAY, name: 'look', amount: 0n }]
}

function timeline() {
  let state = { assets: 0n, shares: 0n, unstreamed: 0n, since: 0n, endsAt: 0n }
  return story().map(({ at, name, amount }) => {
    const [next, result] = OPERATIONS[name](streamed(state, at), amount, at)
    state = next
    const rate = rateOf(state)
    const after = { totalAssets: state.assets, totalShares: state.shares, unstreamed: state.unstreamed, streamEndsAt: state.endsAt }
    return { at, operation: CODES[name], amount, result, ...after, rateWad: floor(fraction(rate.n * WAD, rate.d)) }
  })
}

/** The amounts of one exchange at rates from one to far above it. */
function conversions() {
  const rows = []
  for (const [assets, shares] of [
    [0n, 0n],
    [1n, 0n],
    [3n * HEU, 2n * HEU],
    [10n ** 27n + 1n, 10n ** 26n + 7n],
    [10n ** 27n, 1n],
  ])
    for (const amount of [0n, 1n, 2n, HEU - 1n, HEU, 10n ** 26n + 3n]) {
      const rate = rateOf({ assets, shares })
      const [down, up] = [fraction(amount * rate.d, rate.n), fraction(amount * rate.n, rate.d)]
      rows.push({ totalAssets: assets, totalShares: shares, amount, sharesDown: floor(down), assetsDown: floor(up), assetsUp: ceil(up) })
    }
  return rows
}

export function stakeVectors() {
  return {
    about:
      'Rate = (totalAssets + 1 HEU) / (totalShares + 1 HEU). timeline, in order: operation 0 deposit (amount assets, result shares, rounded down), 1 reward (result: seconds until the stream is empty), 2 exit request (amount shares, result assets, rounded down), 3 look. at: seconds after the start. Unstreamed at t = ceil(unstreamed × (streamEndsAt - t) / (streamEndsAt - last operation)); a reward sets the seconds left to floor((unstreamed × left + amount × 7 days) / (unstreamed + amount)). Columns after amount tell the state right after the operation. An exit is claimable 365 days after its request.',
    virtualStake: VIRTUAL,
    streamSeconds: STREAM_SECONDS,
    exitSeconds: 365n * DAY,
    timeline: columns(timeline()),
    conversions: columns(conversions()),
  }
}
