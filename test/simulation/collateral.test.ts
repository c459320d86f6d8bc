import { describe, expect, test } from 'vitest'
import { collateralFloorUp } from '#economics'
import { WAD } from '#protocol'
import {
  bestHitAndRun,
  COLLATERAL_STRATEGIES,
  gainOfHitAndRun,
  gainOfPhantomCapacity,
  gainUntilCaught,
  PROPOSED_SETTING,
  type Setting,
  simulateUntilCaught,
} from './collateral.ts'
import { seededRandom } from './random.ts'

const withParameters = (change: Partial<Setting['parameters']>): Setting => ({
  ...PROPOSED_SETTING,
  parameters: { ...PROPOSED_SETTING.parameters, ...change },
})

describe('a cheating node at the floor', () => {
  test('default: no way to cheat is expected to earn anything', () => {
    for (const { name, gainOf } of COLLATERAL_STRATEGIES) expect(gainOf(PROPOSED_SETTING), name).toBeLessThanOrEqual(1e-9)
  })

  test('behavior: below the floor an exit scam pays, so the floor is not just high', () => {
    const { parameters } = PROPOSED_SETTING
    const halved = collateralFloorUp({ ...parameters, slashBps: parameters.slashBps * 2 }, 0n)
    expect(halved * 2n - collateralFloorUp(parameters, 0n)).toBeLessThan(10n)
    const gain = gainUntilCaught(PROPOSED_SETTING, Number(parameters.auditsToDetect))
    const halfDeterrent = (Number(halved) * 0.7 * 0.1) / Number(WAD)
    expect(gain + halfDeterrent).toBeGreaterThan(0)
  })

  test('behavior: a floor for 3 audits does not hold a node that banked honest evidence, one for 5 does', () => {
    const banked = COLLATERAL_STRATEGIES.find(({ name }) => name === 'evidence banking')
    expect(banked?.gainOf(withParameters({ auditsToDetect: 3n }))).toBeGreaterThan(0)
    expect(banked?.gainOf(PROPOSED_SETTING)).toBeLessThanOrEqual(1e-9)
  })

  test('behavior: without escalation a hit and run pays; with it only what no audit can prove, which bound capital eats', () => {
    const relaxed = { ...PROPOSED_SETTING, escalates: false, capitalCost: 0 }
    expect(bestHitAndRun(relaxed).gain).toBeGreaterThan(0)
    const free = { ...PROPOSED_SETTING, capitalCost: 0 }
    expect(bestHitAndRun(free).tasks).toBe(Number(free.parameters.auditsToDetect) - 1)
    expect(gainOfHitAndRun(free, Number(free.parameters.auditsToDetect))).toBeLessThan(0)
    expect(bestHitAndRun(PROPOSED_SETTING).gain).toBeLessThan(0)
  })

  test('behavior: an identity cost that nobody really pays lets whitewashing pay', () => {
    const whitewash = COLLATERAL_STRATEGIES.find(({ name }) => name === 'whitewashing')
    expect(whitewash?.gainOf(withParameters({ identityCostWei: WAD }))).toBeGreaterThan(0)
    expect(whitewash?.gainOf(PROPOSED_SETTING)).toBeLessThanOrEqual(1e-9)
  })

  test('behavior: phantom capacity pays unless base rewards wait for a benchmark: no floor of job prices outweighs them', () => {
    expect(gainOfPhantomCapacity(PROPOSED_SETTING, 10)).toBeLessThan(0)
    expect(gainOfPhantomCapacity({ ...PROPOSED_SETTING, benchmarkChance: 0.5 }, 10)).toBeGreaterThan(20_000)
  })

  test('property: drawing lots gives what the sums say', () => {
    const setting = withParameters({ latencyTasks: 20n })
    const expected = gainUntilCaught(setting, Number(setting.parameters.auditsToDetect))
    const found = simulateUntilCaught(setting, 4000, seededRandom(7))
    // The standard error of the mean of 4,000 negative-binomial sums is 0.7 cheated tasks.
    expect(Math.abs(found - expected)).toBeLessThan(4 * 0.7 * 0.00075)
  })
})
