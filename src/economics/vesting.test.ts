import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { vectorRows } from './testing.ts'
import { MONTH_SECONDS, type VestingSchedule, vestedDown } from './vesting.ts'

const schedules: fc.Arbitrary<VestingSchedule> = fc.record({
  total: fc.bigInt({ min: 0n, max: 2n ** 100n }),
  startBps: fc.integer({ min: 0, max: 10_000 }),
  cliffSeconds: fc.bigInt({ min: 0n, max: 12n * MONTH_SECONDS }),
  vestSeconds: fc.bigInt({ min: 0n, max: 120n * MONTH_SECONDS }),
})
const times = fc.bigInt({ min: -MONTH_SECONDS, max: 150n * MONTH_SECONDS })

describe('vestedDown', () => {
  test('default: a fifth at the start, nothing until the cliff, then linear', () => {
    const schedule = { total: 1000n, startBps: 2000, cliffSeconds: 100n, vestSeconds: 400n }
    expect([-1n, 0n, 99n, 100n, 200n, 499n, 500n, 10_000n].map(at => vestedDown(schedule, at))).toEqual([
      0n,
      200n,
      200n,
      200n,
      400n,
      998n,
      1000n,
      1000n,
    ])
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('vesting', 'schedule', ['total', 'startBps', 'cliffSeconds', 'vestSeconds', 'elapsedSeconds', 'vested'])
    expect(rows.length).toBeGreaterThan(80)
    for (const { elapsedSeconds, vested, startBps, ...schedule } of rows)
      expect(vestedDown({ ...schedule, startBps: Number(startBps) }, elapsedSeconds)).toBe(vested)
  })

  test('property: never falls, never more than the total, all of it at the end', () => {
    fc.assert(
      fc.property(schedules, times, times, (schedule, one, other) => {
        const [early, late] = one < other ? [one, other] : [other, one]
        const vested = vestedDown(schedule, early)
        expect(vested).toBeGreaterThanOrEqual(0n)
        expect(vestedDown(schedule, late)).toBeGreaterThanOrEqual(vested)
        expect(vestedDown(schedule, late)).toBeLessThanOrEqual(schedule.total)
        expect(vestedDown(schedule, schedule.cliffSeconds + schedule.vestSeconds)).toBe(schedule.total)
      }),
    )
  })
})
