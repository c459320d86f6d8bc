import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assetPrice, CHARGE_STEP_NANO_CREDITS, creditsOfUnits } from '#economics'
import { addPools, creditsOfPrice, EMPTY_POOL, portionOf, subtractPools } from './credit-pool.ts'

const STEP = CHARGE_STEP_NANO_CREDITS

describe('creditsOfUnits', () => {
  test('default: units times price per million', () => {
    // 1,000 prompt tokens at 20 credits and 500 output tokens at 60 credits per million: 0.02 + 0.03 credits.
    const prices = { input: 20_000_000_000n, output: 60_000_000_000n }
    expect(creditsOfUnits({ inputUnits: 1_000, outputUnits: 500 }, prices)).toBe(50_000_000n)
  })
  test('behavior: the smallest charge is one step, a free pod costs nothing', () => {
    expect(creditsOfUnits({ inputUnits: 1, outputUnits: 0 }, { input: 1n, output: 1n })).toBe(STEP)
    expect(creditsOfUnits({ inputUnits: 9_999, outputUnits: 9_999 }, { input: 0n, output: 0n })).toBe(0n)
    expect(creditsOfUnits({ inputUnits: 0, outputUnits: 0 }, { input: 5n, output: 5n })).toBe(0n)
  })
  test('error: negative units', () => {
    expect(() => creditsOfUnits({ inputUnits: -1, outputUnits: 0 }, { input: 1n, output: 1n })).toThrow(RangeError)
  })
  test('property: more units never cost less', () => {
    const units = fc.nat({ max: 1_000_000 })
    const price = fc.bigInt({ min: 0n, max: 10n ** 13n })
    fc.assert(
      fc.property(units, units, units, price, price, (inputUnits, outputUnits, more, input, output) => {
        const prices = { input, output }
        const less = creditsOfUnits({ inputUnits, outputUnits }, prices)
        expect(creditsOfUnits({ inputUnits, outputUnits: outputUnits + more }, prices) >= less).toBe(true)
        expect(less % STEP).toBe(0n)
      }),
    )
  })
})

describe('credit pool', () => {
  const heuPool = fc.record({ amount: fc.bigInt({ min: 10n ** 12n, max: 10n ** 24n }), credits: fc.bigInt({ min: STEP, max: 10n ** 15n }) })
  const usdPool = fc.bigInt({ min: 1n, max: 10n ** 12n }).map(amount => ({ amount, credits: amount * STEP }))
  const pool = fc.oneof(heuPool, usdPool)
  const share = fc.bigInt({ min: 0n, max: 1_000_000n })

  test('property: the stablecoin is exact: a step is an atomic unit, in every order of holds', () => {
    fc.assert(
      fc.property(usdPool, fc.array(share, { maxLength: 20 }), (start, shares) => {
        let rest = start
        for (const part of shares) {
          const credits = ((rest.credits * part) / 1_000_000n / STEP) * STEP
          const held = portionOf(rest, credits)
          expect(held.amount * STEP).toBe(held.credits)
          rest = subtractPools(rest, { credits, amount: assetPrice(held, credits) })
        }
        expect(rest.amount * STEP).toBe(rest.credits)
      }),
    )
  })
  test('property: spending never lowers what backs the remaining credits', () => {
    fc.assert(
      fc.property(pool, share, share, (start, holdShare, useShare) => {
        const held = portionOf(start, ((start.credits * holdShare) / 1_000_000n / STEP) * STEP)
        const used = ((held.credits * useShare) / 1_000_000n / STEP) * STEP
        const price = assetPrice(held, used)
        const after = subtractPools(start, { amount: price, credits: creditsOfPrice(held, price) })
        expect(price <= held.amount).toBe(true)
        expect(after.amount >= 0n && after.credits >= 0n).toBe(true)
        expect(after.amount * start.credits >= start.amount * after.credits).toBe(true)
      }),
    )
  })
  test('property: a price stands for exactly the credits that it was made from', () => {
    fc.assert(
      fc.property(pool, share, share, (start, holdShare, useShare) => {
        const held = portionOf(start, ((start.credits * holdShare) / 1_000_000n / STEP) * STEP)
        const used = ((held.credits * useShare) / 1_000_000n / STEP) * STEP
        expect(creditsOfPrice(held, assetPrice(held, used))).toBe(used)
      }),
    )
  })
  test('behavior: all credits take all of the asset, dust included', () => {
    expect(portionOf({ amount: 1_000_003n, credits: STEP * 3n }, STEP * 3n).amount).toBe(1_000_003n)
    expect(addPools(EMPTY_POOL, { amount: 1n, credits: 2n })).toEqual({ amount: 1n, credits: 2n })
  })
})
