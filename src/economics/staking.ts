import { mulDivDown, mulDivUp, WAD } from '#protocol'

/** One HEU that belongs to nobody is part of every rate, so that the first staker can not be robbed by a donation (wei). */
export const VIRTUAL_STAKE_WEI = WAD
export const STREAM_SECONDS = 604_800n
/** wp §3.4.3: a year between the request of an exit and its claim. */
export const EXIT_SECONDS = 31_536_000n

/** The books of stHEU at `since` (unix seconds; amounts in wei). `unstreamed` reaches `totalAssets` until `streamEndsAt`. */
export type Stake = {
  readonly totalAssets: bigint
  readonly totalShares: bigint
  readonly unstreamed: bigint
  readonly since: bigint
  readonly streamEndsAt: bigint
}
export const EMPTY_STAKE: Stake = { totalAssets: 0n, totalShares: 0n, unstreamed: 0n, since: 0n, streamEndsAt: 0n }

type Totals = Pick<Stake, 'totalAssets' | 'totalShares'>

export const sharesForDown = (stake: Totals, assets: bigint): bigint =>
  mulDivDown(assets, stake.totalShares + VIRTUAL_STAKE_WEI, stake.totalAssets + VIRTUAL_STAKE_WEI)
export const assetsForDown = (stake: Totals, shares: bigint): bigint =>
  mulDivDown(shares, stake.totalAssets + VIRTUAL_STAKE_WEI, stake.totalShares + VIRTUAL_STAKE_WEI)
export const assetsForUp = (stake: Totals, shares: bigint): bigint =>
  mulDivUp(shares, stake.totalAssets + VIRTUAL_STAKE_WEI, stake.totalShares + VIRTUAL_STAKE_WEI)
/** HEU for one stHEU, rounded down (WAD). It never falls (law C1). */
export const stakeRateWadDown = (stake: Totals): bigint => assetsForDown(stake, WAD)

/** The books at `now`: the stream has come in by time, what is still out rounded up. @throws RangeError when `now` is in the past */
export function stakeAt(stake: Stake, now: bigint): Stake {
  if (now < stake.since) throw new RangeError(`stakeAt: ${now} is before ${stake.since}`)
  const left = stake.streamEndsAt - now
  const unstreamed = left <= 0n ? 0n : mulDivUp(stake.unstreamed, left, stake.streamEndsAt - stake.since)
  return { ...stake, totalAssets: stake.totalAssets + stake.unstreamed - unstreamed, unstreamed, since: now }
}

/** Stakes `assets` wei at `now`. */
export function depositStake(before: Stake, assets: bigint, now: bigint): { readonly stake: Stake; readonly shares: bigint } {
  const stake = stakeAt(before, now)
  const shares = sharesForDown(stake, assets)
  return { stake: { ...stake, totalAssets: stake.totalAssets + assets, totalShares: stake.totalShares + shares }, shares }
}

/** Adds a reward to the stream. Its end moves by the amount's weight: 7 days when the stream was empty, hardly for dust. */
export function rewardStake(before: Stake, assets: bigint, now: bigint): Stake {
  const stake = stakeAt(before, now)
  const unstreamed = stake.unstreamed + assets
  if (assets === 0n) return stake
  const left = stake.streamEndsAt > now ? stake.streamEndsAt - now : 0n
  const newLeft = mulDivDown(stake.unstreamed * left + assets * STREAM_SECONDS, 1n, unstreamed)
  return { ...stake, unstreamed, streamEndsAt: now + newLeft }
}

/** Requests an exit at `now`: burns the shares and fixes `assets`, which are claimable after {@link EXIT_SECONDS}. */
export function requestStakeExit(before: Stake, shares: bigint, now: bigint): { readonly stake: Stake; readonly assets: bigint } {
  const stake = stakeAt(before, now)
  if (shares > stake.totalShares) throw new RangeError(`requestStakeExit: ${shares} of ${stake.totalShares} shares`)
  const assets = assetsForDown(stake, shares)
  return { stake: { ...stake, totalAssets: stake.totalAssets - assets, totalShares: stake.totalShares - shares }, assets }
}
