import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import {
  assetsForDown,
  assetsForUp,
  depositStake,
  EMPTY_STAKE,
  requestStakeExit,
  rewardStake,
  STREAM_SECONDS,
  type Stake,
  sharesForDown,
  stakeAt,
  stakeRateWadDown,
} from './staking.ts'
import { vectorRows } from './testing.ts'

type Step = { readonly operation: bigint; readonly amount: bigint; readonly at: bigint }

function apply(stake: Stake, { operation, amount, at }: Step): { readonly stake: Stake; readonly result: bigint } {
  if (operation === 0n) {
    const { stake: after, shares } = depositStake(stake, amount, at)
    return { stake: after, result: shares }
  }
  if (operation === 1n) {
    const after = rewardStake(stake, amount, at)
    return { stake: after, result: after.streamEndsAt - at }
  }
  if (operation === 2n) {
    const { stake: after, assets } = requestStakeExit(stake, amount, at)
    return { stake: after, result: assets }
  }
  return { stake: stakeAt(stake, at), result: 0n }
}

describe('stake', () => {
  test('default: a reward reaches the rate over seven days', () => {
    const { stake } = depositStake(EMPTY_STAKE, 99n * WAD, 0n)
    const running = rewardStake(stake, 100n * WAD, 0n)
    const rates = [0n, STREAM_SECONDS / 2n, STREAM_SECONDS, 10n * STREAM_SECONDS].map(at => stakeRateWadDown(stakeAt(running, at)))
    expect(rates).toEqual([WAD, (WAD * 3n) / 2n, 2n * WAD, 2n * WAD])
  })

  test('behavior: the vectors that the contract is checked against, ten years of stakes, exits and rewards', () => {
    const names = ['at', 'operation', 'amount', 'result', 'totalAssets', 'totalShares', 'unstreamed', 'streamEndsAt', 'rateWad'] as const
    const rows = vectorRows('stake', 'timeline', names)
    expect(rows.length).toBeGreaterThan(100)
    let stake = EMPTY_STAKE
    for (const row of rows) {
      const next = apply(stake, row)
      stake = next.stake
      const { totalAssets, totalShares, unstreamed, streamEndsAt } = stake
      const found = { totalAssets, totalShares, unstreamed, streamEndsAt, result: next.result, rateWad: stakeRateWadDown(stake) }
      expect(found, `at ${row.at}`).toEqual({
        totalAssets: row.totalAssets,
        totalShares: row.totalShares,
        unstreamed: row.unstreamed,
        streamEndsAt: row.streamEndsAt,
        result: row.result,
        rateWad: row.rateWad,
      })
    }
  })

  test('behavior: conversions as the vectors say', () => {
    const rows = vectorRows('stake', 'conversions', ['totalAssets', 'totalShares', 'amount', 'sharesDown', 'assetsDown', 'assetsUp'])
    for (const { amount, ...row } of rows) {
      expect(sharesForDown(row, amount)).toBe(row.sharesDown)
      expect(assetsForDown(row, amount)).toBe(row.assetsDown)
      expect(assetsForUp(row, amount)).toBe(row.assetsUp)
    }
  })

  test('behavior: dust can not hold a running stream up', () => {
    const running = rewardStake(depositStake(EMPTY_STAKE, 100n * WAD, 0n).stake, 10n * WAD, 0n)
    expect(rewardStake(running, 1n, STREAM_SECONDS - 10n).streamEndsAt).toBe(STREAM_SECONDS)
    expect(rewardStake(running, 0n, 5n).streamEndsAt).toBe(STREAM_SECONDS)
  })

  test('error: time does not run backwards, nobody exits with more than there is', () => {
    const { stake, shares } = depositStake(EMPTY_STAKE, WAD, 100n)
    expect(() => stakeAt(stake, 99n)).toThrow(RangeError)
    expect(() => requestStakeExit(stake, shares + 1n, 100n)).toThrow(RangeError)
  })

  test('property: C1 the rate never falls, no HEU appears, the stream only comes in', () => {
    const step = fc.record({
      operation: fc.bigInt({ min: 0n, max: 3n }),
      amount: fc.bigInt({ min: 1n, max: 10n ** 26n }),
      wait: fc.bigInt({ min: 0n, max: 2n * STREAM_SECONDS }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), steps => {
        let [stake, at, held] = [EMPTY_STAKE, 0n, 0n]
        for (const { operation, amount, wait } of steps) {
          at += wait
          const capped = operation === 2n && amount > stake.totalShares ? stake.totalShares : amount
          const { stake: after, result } = apply(stake, { operation, amount: capped, at })
          if (operation < 2n) held += amount
          if (operation === 2n) held -= result
          // A rate is a fraction: compare without rounding.
          const [before, now] = [stake.totalShares + WAD, after.totalShares + WAD]
          expect((after.totalAssets + WAD) * before).toBeGreaterThanOrEqual((stake.totalAssets + WAD) * now)
          expect(after.totalAssets + after.unstreamed).toBe(held)
          expect(after.unstreamed).toBeGreaterThanOrEqual(0n)
          stake = after
        }
      }),
    )
  })

  test('property: who goes in and out at once never gains', () => {
    const amounts = fc.bigInt({ min: 1n, max: 10n ** 27n })
    fc.assert(
      fc.property(amounts, amounts, amounts, (others, gain, mine) => {
        const grown = stakeAt(rewardStake(depositStake(EMPTY_STAKE, others, 0n).stake, gain, 0n), STREAM_SECONDS)
        const { stake, shares } = depositStake(grown, mine, STREAM_SECONDS)
        expect(requestStakeExit(stake, shares, STREAM_SECONDS).assets).toBeLessThanOrEqual(mine)
      }),
    )
  })
})
