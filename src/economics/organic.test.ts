import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { minOf } from '#protocol'
import { heuForUsdDown, organicRevenueDown, organicUnitsDown } from './organic.ts'
import { vectorRows } from './testing.ts'

describe('organicRevenueDown', () => {
  test('default: open jobs in full, the rest at what the protocol got', () => {
    expect(organicRevenueDown({ open: 600n, payments: 1000n, protocol: 50n })).toBe(620n)
    expect(organicRevenueDown({ open: 0n, payments: 0n, protocol: 0n })).toBe(0n)
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('emission', 'organic', ['open', 'payments', 'protocol', 'organic'])
    for (const { organic, ...amounts } of rows) expect(organicRevenueDown(amounts)).toBe(organic)
  })

  test('error: open jobs can not have paid more than all jobs', () => {
    expect(() => organicRevenueDown({ open: 2n, payments: 1n, protocol: 0n })).toThrow(RangeError)
  })

  test('property: closed payments never add more than the protocol got', () => {
    const amounts = fc.tuple(
      fc.bigInt({ min: 0n, max: 2n ** 96n }),
      fc.bigInt({ min: 0n, max: 2n ** 96n }),
      fc.bigInt({ min: 0n, max: 2n ** 96n }),
    )
    fc.assert(
      fc.property(amounts, ([open, closed, most]) => {
        const payments = open + closed
        const protocol = minOf(most, payments)
        const organic = organicRevenueDown({ open, payments, protocol })
        expect(organic).toBeGreaterThanOrEqual(open)
        expect(organic - open).toBeLessThanOrEqual(protocol)
      }),
    )
  })
})

describe('heuForUsdDown', () => {
  test('default: a dollar at 10 cents is 10 HEU', () => {
    expect(heuForUsdDown(1_000_000n, 10n ** 17n)).toBe(10n * 10n ** 18n)
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    for (const row of vectorRows('emission', 'dollars', ['usd', 'heuPriceUsdWad', 'heu']))
      expect(heuForUsdDown(row.usd, row.heuPriceUsdWad)).toBe(row.heu)
  })
})

describe('organicUnitsDown', () => {
  const job = { computeUnits: 1000n, paidWei: 5_000n, protocolWei: 250n, isOpen: true }

  test('default: an open job counts its units, a closed one two fifths of what the protocol got', () => {
    expect(organicUnitsDown(job, 5n)).toBe(1000n)
    expect(organicUnitsDown({ ...job, isOpen: false }, 5n)).toBe(20n)
  })

  test('behavior: units that nobody paid for do not count', () => {
    expect(organicUnitsDown({ ...job, computeUnits: 8_000n }, 5n)).toBe(1000n)
    expect(organicUnitsDown({ ...job, computeUnits: 8_000n, isOpen: false }, 5n)).toBe(20n)
    expect(organicUnitsDown({ ...job, paidWei: 0n }, 5n)).toBe(0n)
    expect(() => organicUnitsDown(job, 0n)).toThrow(RangeError)
  })
})
