import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import {
  collateralFloorUp,
  correctedConditionHolds,
  deterrentDown,
  exposureUp,
  gainUp,
  lostFutureDown,
  printedConditionHolds,
  type RepeatedGame,
  requiredCollateralUp,
  type SecurityParameters,
  tasksToDetectUp,
} from './security-model.ts'
import { vectorRows } from './testing.ts'

/** R = 1, C_h = 0.6, C_m = 0.15 HEU and a cheat four times as fast: g is three quarters of the price. */
const TYPICAL: SecurityParameters = {
  rewardWei: WAD,
  honestCostWei: (WAD * 6n) / 10n,
  cheatCostWei: (WAD * 15n) / 100n,
  outsideGainWei: 0n,
  identityCostWei: 0n,
  speedupWad: 4n * WAD,
  discountWad: 0n,
  auditsToDetect: 3n,
  latencyTasks: 600n,
  auditShareBps: 200,
  slashBps: 10_000,
  heuHaircutBps: 0,
}
const NUMBERS = ['rewardWei', 'honestCostWei', 'cheatCostWei', 'outsideGainWei', 'identityCostWei', 'speedupWad', 'discountWad'] as const
const COUNTS = ['auditsToDetect', 'latencyTasks', 'auditShareBps', 'slashBps', 'heuHaircutBps'] as const
const EXPECTED = ['escrowWei', 'gain', 'tasksToDetect', 'exposure', 'lostFuture', 'required', 'floor'] as const
const GAME = [
  'rewardWad',
  'honestCostWad',
  'cheatCostWad',
  'detectionWad',
  'slashedWad',
  'stakeWad',
  'patienceWad',
  'reentryWad',
  'printedHolds',
  'correctedHolds',
] as const

const parameters: fc.Arbitrary<SecurityParameters> = fc
  .record({
    costs: fc.array(fc.bigInt({ min: 0n, max: 10n ** 24n }), { minLength: 3, maxLength: 3 }),
    outsideGainWei: fc.bigInt({ min: 0n, max: 10n ** 24n }),
    identityCostWei: fc.bigInt({ min: 0n, max: 10n ** 24n }),
    speedupWad: fc.bigInt({ min: WAD, max: 15n * WAD }),
    discountWad: fc.bigInt({ min: 0n, max: (WAD * 9999n) / 10_000n }),
    auditsToDetect: fc.bigInt({ min: 1n, max: 1_000_000n }),
    latencyTasks: fc.bigInt({ min: 0n, max: 10_000_000n }),
    auditShareBps: fc.integer({ min: 1, max: 10_000 }),
    slashBps: fc.integer({ min: 1, max: 10_000 }),
    heuHaircutBps: fc.integer({ min: 0, max: 9000 }),
  })
  .map(({ costs, ...rest }) => {
    const [cheatCostWei = 0n, honestCostWei = 0n, rewardWei = 0n] = costs.toSorted((a, b) => (a < b ? -1 : 1))
    return { ...rest, cheatCostWei, honestCostWei, rewardWei }
  })

describe('collateralFloorUp', () => {
  test('default: 562.5 job prices for a Q4 swap at 2 % audits and ten minutes of lag', () => {
    expect(collateralFloorUp(TYPICAL, 0n)).toBe((5625n * WAD) / 10n)
    expect(collateralFloorUp({ ...TYPICAL, slashBps: 5000, heuHaircutBps: 2500 }, 0n)).toBe(1500n * WAD)
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('security-model', 'floor', [...NUMBERS, ...COUNTS, ...EXPECTED])
    expect(rows.length).toBeGreaterThan(45)
    for (const { auditShareBps, slashBps, heuHaircutBps, escrowWei, ...row } of rows) {
      const p = { ...row, auditShareBps: Number(auditShareBps), slashBps: Number(slashBps), heuHaircutBps: Number(heuHaircutBps) }
      expect(gainUp(p)).toBe(row.gain)
      expect(tasksToDetectUp(p)).toBe(row.tasksToDetect)
      expect(exposureUp(p)).toBe(row.exposure)
      expect(lostFutureDown(p)).toBe(row.lostFuture)
      expect(requiredCollateralUp(p, escrowWei)).toBe(row.required)
      expect(collateralFloorUp(p, escrowWei)).toBe(row.floor)
    }
  })

  test('property: at the floor a cheat loses at least what it gained, to a wei for each rounding', () => {
    fc.assert(
      fc.property(parameters, fc.bigInt({ min: 0n, max: 10n ** 30n }), (p, escrow) => {
        const floor = collateralFloorUp(p, escrow)
        expect(deterrentDown(p, floor, escrow) + 2n).toBeGreaterThanOrEqual(exposureUp(p))
        const bonds = floor - floor / 100n - 10n ** 6n
        if (bonds > 0n && floor > 10n ** 12n) expect(deterrentDown(p, bonds, escrow)).toBeLessThan(exposureUp(p))
      }),
    )
  })

  test('property: more audits, more escrow, a larger slash and a dearer identity never raise the floor; more lag never lowers it', () => {
    fc.assert(
      fc.property(parameters, p => {
        const floor = collateralFloorUp(p, 0n)
        expect(collateralFloorUp({ ...p, auditShareBps: Math.min(10_000, p.auditShareBps * 2) }, 0n)).toBeLessThanOrEqual(floor)
        expect(collateralFloorUp(p, 10n ** 20n)).toBeLessThanOrEqual(floor)
        expect(collateralFloorUp({ ...p, slashBps: Math.min(10_000, p.slashBps * 2) }, 0n)).toBeLessThanOrEqual(floor)
        expect(collateralFloorUp({ ...p, identityCostWei: p.identityCostWei * 2n }, 0n)).toBeLessThanOrEqual(floor)
        expect(collateralFloorUp({ ...p, latencyTasks: p.latencyTasks + 1n }, 0n)).toBeGreaterThanOrEqual(floor)
        expect(collateralFloorUp({ ...p, outsideGainWei: p.outsideGainWei + 1n }, 0n)).toBeGreaterThanOrEqual(floor)
      }),
    )
  })
})

describe('Appendix A.6', () => {
  test('behavior: as printed it holds with no stake at all, although cheating pays', () => {
    const patient: RepeatedGame = {
      rewardWad: WAD,
      honestCostWad: (WAD * 6n) / 10n,
      cheatCostWad: (WAD * 2n) / 10n,
      detectionWad: WAD / 100n,
      slashedWad: WAD,
      stakeWad: 0n,
      patienceWad: (WAD * 9n) / 10n,
      reentryWad: 1000n * WAD,
    }
    expect(printedConditionHolds(patient)).toBe(true)
    expect(correctedConditionHolds(patient)).toBe(false)
    expect(correctedConditionHolds({ ...patient, stakeWad: 40n * WAD })).toBe(true)
  })

  test('behavior: both as the vectors say', () => {
    for (const row of vectorRows('security-model', 'repeatedGame', GAME)) {
      expect(printedConditionHolds(row)).toBe(row.printedHolds === 1n)
      expect(correctedConditionHolds(row)).toBe(row.correctedHolds === 1n)
    }
  })
})
