import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import { EMISSION_EPOCHS } from './emission.ts'
import { figure9, SCENARIOS } from './figure-9.ts'

describe('figure9', () => {
  test('default: three curves over ten years that start at 1.25 % and never fall', () => {
    const curves = figure9()
    expect(curves.map(({ name }) => name)).toEqual(SCENARIOS.map(({ name }) => name))
    for (const { name, points } of curves) {
      expect([points[0]?.epoch, points.at(-1)?.epoch], name).toEqual([0, EMISSION_EPOCHS - 1])
      expect(points[0], name).toEqual({ epoch: 0, revenueRateWad: 0n, emissionRateWad: WAD / 80n })
      for (const [index, { emissionRateWad }] of points.entries()) {
        expect(emissionRateWad, `${name}, point ${index}`).toBeGreaterThanOrEqual(points[index - 1]?.emissionRateWad ?? 0n)
        expect(emissionRateWad, `${name}, point ${index}`).toBeLessThanOrEqual(WAD / 20n)
      }
    }
  })

  test('behavior: only fast growth reaches the cap of 5 %, and each scenario ends above the one before', () => {
    const ends = figure9(1).map(({ points }) => points.at(-1)?.emissionRateWad ?? 0n)
    expect(ends[2]).toBe(WAD / 20n)
    expect(ends[0]).toBeLessThan(ends[1] ?? 0n)
    expect(ends[1]).toBeLessThan(WAD / 20n)
  })

  test('behavior: a point averages the epochs up to it', () => {
    const [slow] = figure9(1)
    expect(slow?.points).toHaveLength(EMISSION_EPOCHS)
    const rates = slow?.points.map(({ revenueRateWad }) => revenueRateWad) ?? []
    expect(rates[13]).toBeGreaterThan(rates[12] ?? 0n)
  })
})
