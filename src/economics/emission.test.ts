import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import {
  EMISSION_EPOCHS,
  EMISSION_VAULT_WEI,
  type EpochEmission,
  emissionBudgetOf,
  emissionOf,
  emissionRateWadDown,
  epochAt,
  type NodeReport,
  nodeEmissions,
  revenueRateWadDown,
  shareExactly,
  TOTAL_SUPPLY_WEI,
  tipOf,
} from './emission.ts'
import { vectorRows } from './testing.ts'

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n)
const trailing = fc.bigInt({ min: 0n, max: TOTAL_SUPPLY_WEI })
const epochs = fc.integer({ min: 0, max: EMISSION_EPOCHS + 10 })
const report: fc.Arbitrary<NodeReport> = fc.record({
  availabilityBps: fc.bigInt({ min: 0n, max: 10_000n }),
  capacity: fc.bigInt({ min: 0n, max: 2n ** 100n }),
  organicComputeUnits: fc.bigInt({ min: 0n, max: 2n ** 100n }),
  multiplierWad: fc.bigInt({ min: WAD, max: (WAD * 5n) / 2n }),
})

describe('emissionOf', () => {
  test('default: R = 0, 2.5, 5, 7.5 and 10 % of the supply a year give E = 1.25, 2.5, 3.75, 5 and 5 %', () => {
    const yearly = [0n, 25n, 50n, 75n, 100n].map(permille => (TOTAL_SUPPLY_WEI * permille) / 1000n)
    const rates = yearly.map(wei => emissionRateWadDown(revenueRateWadDown(wei / 4n)))
    expect(rates).toEqual([125n, 250n, 375n, 500n, 500n].map(tenThousandths => (tenThousandths * WAD) / 10_000n))
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    const names = ['epoch', 'trailingRevenue', 'revenueRateWad', 'rateWad', 'budget', 'emission', 'base', 'dynamic', 'reservoir'] as const
    const rows = vectorRows('emission', 'curve', names)
    expect(rows.length).toBeGreaterThan(80)
    for (const { epoch, trailingRevenue, revenueRateWad, rateWad, ...expected } of rows) {
      const label = `epoch ${epoch}, revenue ${trailingRevenue}`
      expect(revenueRateWadDown(trailingRevenue), label).toBe(revenueRateWad)
      expect(emissionRateWadDown(revenueRateWad), label).toBe(rateWad)
      expect(emissionOf(Number(epoch), trailingRevenue), label).toEqual(expected)
    }
  })

  test('behavior: 520 epochs drain the vault to exactly nothing, whatever the revenue', () => {
    expect(sum([...Array(EMISSION_EPOCHS).keys()].map(emissionBudgetOf))).toBe(EMISSION_VAULT_WEI)
    expect(emissionBudgetOf(EMISSION_EPOCHS)).toBe(0n)
    expect(emissionBudgetOf(10_000)).toBe(0n)
  })

  test('property: C2 the parts add up to the budget, none is negative', () => {
    fc.assert(
      fc.property(epochs, trailing, (epoch, revenue) => {
        const { budget, emission, base, dynamic, reservoir } = emissionOf(epoch, revenue)
        expect(emission + reservoir).toBe(budget)
        expect(base + dynamic).toBe(emission)
        for (const part of [budget, emission, base, dynamic, reservoir]) expect(part).toBeGreaterThanOrEqual(0n)
      }),
    )
  })

  test('property: more revenue never means less emission, and never more than half of it', () => {
    fc.assert(
      fc.property(epochs, trailing, trailing, (epoch, revenue, more) => {
        const [before, after] = [emissionOf(epoch, revenue), emissionOf(epoch, revenue + more)]
        expect(after.emission).toBeGreaterThanOrEqual(before.emission)
        expect(after.base).toBe(before.base)
        // A wei of trailing revenue counts in 13 epochs, so in each it may add at most a 26th; the rates are WAD, so to 1e-18 of the supply.
        expect((after.emission - before.emission) * 26n).toBeLessThanOrEqual(more + 3n * 10n ** 9n)
      }),
    )
  })
})

describe('shareExactly', () => {
  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('emission', 'shares', ['case', 'pool', 'weight', 'payout'])
    const cases = Map.groupBy(rows, row => row.case)
    expect(cases.size).toBeGreaterThan(5)
    for (const [name, members] of cases) {
      const weights = members.map(({ weight }) => weight)
      expect(shareExactly(members[0]?.pool ?? 0n, weights), `case ${name}`).toEqual(members.map(({ payout }) => payout))
    }
  })

  test('property: the shares are the pool, each within a wei of its exact part, and nothing for no weight', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: EMISSION_VAULT_WEI }), weights, (pool, parts) => {
        const shares = shareExactly(pool, parts)
        const all = sum(parts)
        expect(sum(shares)).toBe(all === 0n ? 0n : pool)
        shares.forEach((share, index) => {
          const exact = pool * (parts[index] ?? 0n)
          const error = share * all - exact
          expect(error > -all || all === 0n, `share ${index}`).toBe(true)
          expect(error < all || all === 0n, `share ${index}`).toBe(true)
          if (parts[index] === 0n) expect(share).toBe(0n)
        })
      }),
    )
  })
})

describe('nodeEmissions', () => {
  const epoch: EpochEmission = { budget: 400n, emission: 200n, base: 100n, dynamic: 100n, reservoir: 200n }
  const idle: NodeReport = { availabilityBps: 10_000n, capacity: 5n, organicComputeUnits: 0n, multiplierWad: WAD }

  test('default: base by availability and capacity, dynamic by organic work, both times the votes', () => {
    const busy = { ...idle, organicComputeUnits: 7n, multiplierWad: (WAD * 5n) / 2n }
    const half = { ...idle, availabilityBps: 5000n, organicComputeUnits: 7n }
    expect(nodeEmissions(epoch, [idle, busy, half])).toEqual({ nodes: [25n, 62n + 71n, 13n + 29n], reservoir: 200n })
  })

  test('behavior: what nobody earned goes to the reservoir', () => {
    expect(nodeEmissions(epoch, [])).toEqual({ nodes: [], reservoir: 400n })
    expect(nodeEmissions(epoch, [idle, idle])).toEqual({ nodes: [50n, 50n], reservoir: 300n })
    expect(nodeEmissions(epoch, [{ ...idle, availabilityBps: 0n }])).toEqual({ nodes: [0n], reservoir: 400n })
  })

  test('property: C2 nodes and reservoir together are the budget', () => {
    fc.assert(
      fc.property(epochs, trailing, fc.array(report, { maxLength: 20 }), (at, revenue, reports) => {
        const split = emissionOf(at, revenue)
        const { nodes, reservoir } = nodeEmissions(split, reports)
        expect(sum(nodes) + reservoir).toBe(split.budget)
        expect(reservoir).toBeGreaterThanOrEqual(split.reservoir)
      }),
    )
  })
})

describe('tipOf', () => {
  test('default: the tip rounds down, the node gets the rest', () => {
    expect(tipOf(999n, 1000)).toEqual({ payout: 900n, tip: 99n })
    expect(tipOf(999n, 0)).toEqual({ payout: 999n, tip: 0n })
    expect(tipOf(999n, 10_000)).toEqual({ payout: 0n, tip: 999n })
  })
})

describe('epochAt', () => {
  test.each([
    [99, -1],
    [100, 0],
    [100 + 604_799, 0],
    [100 + 604_800, 1],
  ])('default: second %i is in epoch %i', (second, epoch) => expect(epochAt(100, second)).toBe(epoch))
})
