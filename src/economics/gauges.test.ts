import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import {
  MAX_MULTIPLIER_WAD,
  MIN_MULTIPLIER_WAD,
  multiplierWadDown,
  QUORUM_WEIGHT,
  replicaCeilingDown,
  voterPartDown,
  voteShareWadDown,
} from './gauges.ts'
import { vectorRows } from './testing.ts'

const shares = fc.bigInt({ min: 0n, max: WAD })
const weights = fc.bigInt({ min: 0n, max: 2n ** 110n })

describe('voteShareWadDown', () => {
  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('gauges', 'share', ['weight', 'totalWeight', 'quorumWeight', 'shareWad'])
    for (const row of rows) expect(voteShareWadDown(row.weight, row.totalWeight, row.quorumWeight)).toBe(row.shareWad)
  })

  test('behavior: few votes are measured against the quorum', () => {
    expect(voteShareWadDown(QUORUM_WEIGHT / 4n, QUORUM_WEIGHT / 4n)).toBe(WAD / 4n)
    expect(voteShareWadDown(QUORUM_WEIGHT, QUORUM_WEIGHT * 2n)).toBe(WAD / 2n)
    expect(voteShareWadDown(0n, 0n)).toBe(0n)
  })

  test('property: all shares together are at most one', () => {
    fc.assert(
      fc.property(fc.array(weights, { minLength: 1, maxLength: 20 }), all => {
        const total = all.reduce((sum, weight) => sum + weight, 0n)
        expect(all.reduce((sum, weight) => sum + voteShareWadDown(weight, total), 0n)).toBeLessThanOrEqual(WAD)
      }),
    )
  })
})

describe('multiplierWadDown', () => {
  test('default: 1.0 without votes, 2.5 at saturation and above, a straight line between', () => {
    const multipliers = [0n, WAD / 80n, WAD / 40n, WAD / 20n, WAD].map(share => multiplierWadDown(share))
    expect(multipliers).toEqual([WAD, (WAD * 11n) / 8n, (WAD * 7n) / 4n, MAX_MULTIPLIER_WAD, MAX_MULTIPLIER_WAD])
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('gauges', 'multiplier', ['shareWad', 'saturationBps', 'multiplierWad'])
    for (const row of rows) expect(multiplierWadDown(row.shareWad, Number(row.saturationBps))).toBe(row.multiplierWad)
  })

  test('property: stays between 1.0 and 2.5 and never falls with votes', () => {
    fc.assert(
      fc.property(shares, shares, fc.integer({ min: 10, max: 10_000 }), (share, other, saturationBps) => {
        const [low, high] = share < other ? [share, other] : [other, share]
        const multiplier = multiplierWadDown(low, saturationBps)
        expect(multiplier).toBeGreaterThanOrEqual(MIN_MULTIPLIER_WAD)
        expect(multiplierWadDown(high, saturationBps)).toBeGreaterThanOrEqual(multiplier)
        expect(multiplierWadDown(high, saturationBps)).toBeLessThanOrEqual(MAX_MULTIPLIER_WAD)
      }),
    )
  })
})

describe('replicaCeilingDown', () => {
  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('gauges', 'ceiling', ['shareWad', 'networkSlots', 'factorBps', 'guaranteedReplicas', 'ceiling'])
    expect(rows.length).toBeGreaterThan(100)
    for (const { shareWad, ceiling, factorBps, ...limits } of rows)
      expect(replicaCeilingDown(shareWad, { ...limits, factorBps: Number(factorBps) })).toBe(ceiling)
  })

  test('property: never below the guarantee, never above factor times the slots', () => {
    const limits = fc.record({
      networkSlots: fc.bigInt({ min: 0n, max: 1_000_000n }),
      factorBps: fc.integer({ min: 1000, max: 100_000 }),
      guaranteedReplicas: fc.bigInt({ min: 0n, max: 1000n }),
    })
    fc.assert(
      fc.property(shares, limits, (share, limit) => {
        const ceiling = replicaCeilingDown(share, limit)
        const most = (limit.networkSlots * BigInt(limit.factorBps)) / 10_000n
        expect(ceiling).toBeGreaterThanOrEqual(limit.guaranteedReplicas)
        expect(ceiling).toBeLessThanOrEqual(most > limit.guaranteedReplicas ? most : limit.guaranteedReplicas)
      }),
    )
  })
})

describe('voterPartDown', () => {
  test('behavior: the vectors that the contracts are checked against', () => {
    const rows = vectorRows('gauges', 'voters', ['pot', 'voterWeight', 'weight', 'amount'])
    for (const row of rows) expect(voterPartDown(row.pot, row.voterWeight, row.weight)).toBe(row.amount)
  })

  test('property: the parts of a pot never exceed it, and miss it by less than a unit for each voter', () => {
    fc.assert(
      fc.property(weights, fc.array(fc.bigInt({ min: 1n, max: 2n ** 100n }), { minLength: 1, maxLength: 20 }), (pot, voters) => {
        const weight = voters.reduce((sum, voter) => sum + voter, 0n)
        const paid = voters.reduce((sum, voter) => sum + voterPartDown(pot, voter, weight), 0n)
        expect(paid).toBeLessThanOrEqual(pot)
        expect(pot - paid).toBeLessThan(BigInt(voters.length))
      }),
    )
  })

  test('behavior: without votes nobody gets anything', () => {
    expect(voterPartDown(100n, 0n, 0n)).toBe(0n)
  })
})
