import { describe, expect, test } from 'vitest'
import type { StoredReceipt } from '#platform'
import { type Address, WAD } from '#protocol'
import { createReceiptFactory } from './testing.ts'
import { organicWork } from './work.ts'

const account = (digit: number): Address => `0x${digit.toString(16).padStart(2, '0').repeat(20)}`
const assets = { heu: account(0xa1), usd: account(0xa2) }
const factory = createReceiptFactory({ chainId: 31_337, settlement: account(9) }, { deployer: account(0xd1), protocol: account(0xd2) })
const prices = { weiPerUnit: 10n, heuPriceUsdWad: WAD / 10n, countsOpenRoutes: true }

function job(change: { asset?: Address; price: bigint; routeClass?: number; computeUnits: number; node?: Address }): StoredReceipt {
  const { node, computeUnits, ...made } = change
  const stored = { ...factory.make({ payer: account(1), asset: assets.heu, ...made }), sequence: 1, batchNumber: null }
  const receipt = { ...stored.signed.receipt, computeUnits, ...(node && { node }) }
  return { ...stored, signed: { ...stored.signed, receipt } }
}
const unitsOf = (...jobs: StoredReceipt[]): bigint =>
  organicWork(jobs, assets, prices).reduce((sum, { organicUnits }) => sum + organicUnits, 0n)

describe('organicWork', () => {
  test('default: paid units of open jobs count whole, by node, in the order of the nodes', () => {
    const jobs = [
      job({ price: 10_000n, routeClass: 0, computeUnits: 800, node: account(5) }),
      job({ price: 10_000n, routeClass: 0, computeUnits: 100, node: account(3) }),
      job({ price: 10_000n, routeClass: 0, computeUnits: 50, node: account(5) }),
    ]
    expect(organicWork(jobs, assets, prices)).toEqual([
      { nodeId: account(3), organicUnits: 100n },
      { nodeId: account(5), organicUnits: 850n },
    ])
  })

  test('behavior: units that the price does not buy do not count', () => {
    expect(unitsOf(job({ price: 10_000n, routeClass: 0, computeUnits: 5_000 }))).toBe(1_000n)
    expect(unitsOf(job({ price: 0n, routeClass: 0, computeUnits: 5_000 }))).toBe(0n)
  })

  test('behavior: a job that is not open counts by what the protocol got of it', () => {
    const open = unitsOf(job({ price: 10_000n, routeClass: 0, computeUnits: 800 }))
    for (const routeClass of [1, 2, 3]) {
      const closed = unitsOf(job({ price: 10_000n, routeClass, computeUnits: 800 }))
      expect(closed, `class ${routeClass}`).toBeGreaterThan(0n)
      expect(closed * 10n, `class ${routeClass}`).toBeLessThan(open)
    }
  })

  test('behavior: while open routes do not count, every job counts by what the protocol got of it', () => {
    const unitsBy = (countsOpenRoutes: boolean, routeClass: number): bigint | undefined =>
      organicWork([job({ price: 10_000n, routeClass, computeUnits: 800 })], assets, { ...prices, countsOpenRoutes })[0]?.organicUnits
    expect(unitsBy(false, 0)).toBe(unitsBy(true, 1))
    expect(unitsBy(false, 0)).toBeLessThan(unitsBy(true, 0) ?? 0n)
  })

  test('behavior: stablecoin is worth its HEU', () => {
    // 1 micro-dollar at 0.1 USD per HEU is 1e13 wei.
    const dear = { ...prices, weiPerUnit: 10n ** 13n }
    const jobs = [job({ asset: assets.usd, price: 7n, routeClass: 0, computeUnits: 100 })]
    expect(organicWork(jobs, assets, dear)[0]?.organicUnits).toBe(7n)
  })
})
