import { BPS, mulDivDown, WAD } from '#protocol'

/** The state of a Uniswap v3 pool of stablecoin and wrapped HEU, and how far Buyback lets a buy move its price. */
export type BuybackMarket = {
  /** Root of (token 1 / token 0) in the tokens' smallest units, 64.96 fixed point. */
  readonly sqrtPriceX96: bigint
  readonly usdIsToken0: boolean
  /** Hundredths of a basis point. */
  readonly fee: number
  readonly maxSlippageBps: number
}
export type BuybackQuote = {
  /** USD per HEU now, without the fee (WAD, rounded down). */
  readonly priceUsdWad: bigint
  /** Wei of HEU for all of the stablecoin at the worst price at which the contract still buys, after the fee. */
  readonly leastHeu: bigint
}

const Q192 = 2n ** 192n
const FEE_UNITS = 1_000_000n
/** USD per HEU (WAD) of one micro-dollar per wei. */
const PER_WEI = WAD * 10n ** 12n

/**
 * What a buyback of `usd` micro-dollars brings at least (`Buyback._priceLimit`). The contract stops where the price has moved by the
 * allowed slippage; what it has not sold by then waits, and what it has sold brought no less than this rate.
 */
export function quoteBuyback(usd: bigint, { sqrtPriceX96, usdIsToken0, fee, maxSlippageBps }: BuybackMarket): BuybackQuote {
  const step = (sqrtPriceX96 * BigInt(maxSlippageBps)) / (2n * BPS)
  const worst = usdIsToken0 ? sqrtPriceX96 - step : sqrtPriceX96 + step
  const afterFee = mulDivDown(usd, FEE_UNITS - BigInt(fee), FEE_UNITS)
  const square = sqrtPriceX96 * sqrtPriceX96
  return {
    priceUsdWad: usdIsToken0 ? mulDivDown(PER_WEI, Q192, square) : mulDivDown(PER_WEI, square, Q192),
    leastHeu: usdIsToken0 ? mulDivDown(afterFee, worst * worst, Q192) : mulDivDown(afterFee, Q192, worst * worst),
  }
}
