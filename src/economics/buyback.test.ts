import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import { quoteBuyback } from './buyback.ts'

/** One HEU for ten cents: 10^13 wei of HEU for a micro-dollar. The root of that as 64.96 fixed point. */
const ROOT_HEU_PER_USD = 3_162_278n * 2n ** 96n
const market = { sqrtPriceX96: ROOT_HEU_PER_USD, usdIsToken0: true, fee: 3_000, maxSlippageBps: 60 }

describe('quoteBuyback', () => {
  test('default: ten cents a HEU; at least ten HEU less fee and slippage for a dollar', () => {
    const { priceUsdWad, leastHeu } = quoteBuyback(1_000_000n, market)
    expect(Number(priceUsdWad) / 1e18).toBeCloseTo(0.1, 6)
    expect(Number(leastHeu) / 1e18).toBeCloseTo(10 * 0.997 * 0.997 ** 2, 3)
  })

  test('behavior: the order of the tokens in the pool changes nothing', () => {
    const sqrtPriceX96 = 2n ** 192n / ROOT_HEU_PER_USD
    const turned = quoteBuyback(1_000_000n, { ...market, sqrtPriceX96, usdIsToken0: false })
    const { priceUsdWad, leastHeu } = quoteBuyback(1_000_000n, market)
    expect(Number(turned.priceUsdWad) / Number(priceUsdWad)).toBeCloseTo(1, 9)
    // 1 / (1 + x)^2 for (1 - x)^2: the contract's step is by the price as the pool has it.
    expect(Number(turned.leastHeu) / Number(leastHeu)).toBeCloseTo(1, 4)
  })

  test('property: more slippage or a higher fee never promise more, and nothing is promised for nothing', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 12n),
        fc.integer({ min: 1, max: 199 }),
        fc.integer({ min: 0, max: 9_999 }),
        (usd, maxSlippageBps, fee) => {
          const quote = quoteBuyback(usd, { ...market, maxSlippageBps, fee }).leastHeu
          expect(quoteBuyback(usd, { ...market, maxSlippageBps: maxSlippageBps + 1, fee }).leastHeu).toBeLessThanOrEqual(quote)
          expect(quoteBuyback(usd, { ...market, maxSlippageBps, fee: fee + 1 }).leastHeu).toBeLessThanOrEqual(quote)
          expect(quote).toBeLessThan((usd * WAD) / 10n ** 5n + 1n)
        },
      ),
    )
    expect(quoteBuyback(0n, market).leastHeu).toBe(0n)
  })
})
