import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { DEFAULT_SPLIT_BPS, SPLIT_ROLES, type SplitParties, splitPayment } from './split.ts'

const address = (digit: number): `0x${string}` => `0x${String(digit).repeat(40)}`
const party = fc.option(fc.constantFrom(address(2), address(3)), { nil: null })
const parties: fc.Arbitrary<SplitParties> = fc.record({
  node: fc.constant(address(1)),
  deployer: party,
  frontend: party,
  voters: party,
  protocol: party,
})
const sumOf = (shares: readonly { readonly amount: bigint }[]): bigint => shares.reduce((sum, { amount }) => sum + amount, 0n)

describe('splitPayment', () => {
  test('default: 80 % to the node, 8 to the deployer, 5 to the frontend, 2 to the voters, 5 to the protocol', () => {
    const shares = splitPayment(10_000n, {
      node: address(1),
      deployer: address(2),
      frontend: address(3),
      voters: address(4),
      protocol: address(5),
    })
    expect(shares.map(({ role, amount }) => [role, amount])).toEqual([
      ['node', 8000n],
      ['deployer', 800n],
      ['frontend', 500n],
      ['voters', 200n],
      ['protocol', 500n],
    ])
  })

  test("behavior: a missing party's share and the dust go to the node", () => {
    const alone = splitPayment(999n, { node: address(1), deployer: null, frontend: null, voters: null, protocol: null })
    expect(alone).toEqual([{ role: 'node', account: address(1), amount: 999n }])
    expect(splitPayment(1n, { node: address(1), deployer: address(2), frontend: null, voters: null, protocol: address(5) })).toEqual([
      { role: 'node', account: address(1), amount: 1n },
    ])
  })

  test('property: C3 shares add up to the price, none is negative, the node keeps at least its rate', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 96n }), parties, (price, who) => {
        const shares = splitPayment(price, who)
        expect(sumOf(shares)).toBe(price)
        expect(shares.every(({ amount }) => amount >= 0n)).toBe(true)
        const others = Object.values(DEFAULT_SPLIT_BPS).reduce((sum, bps) => sum + bps, 0)
        expect(shares[0]?.role).toBe('node')
        expect((shares[0]?.amount ?? 0n) * 10_000n).toBeGreaterThanOrEqual(price * BigInt(10_000 - others))
      }),
    )
  })

  test('behavior: the vectors that the contracts are checked against', () => {
    const column = z.array(z.string().transform(BigInt))
    const vectors = z
      .object({
        payments: column,
        parties: z.array(z.number()),
        node: column,
        deployer: column,
        frontend: column,
        voters: column,
        protocol: column,
      })
      .parse(JSON.parse(readFileSync(new URL('../../vectors/split.json', import.meta.url), 'utf8')))
    expect(vectors.payments.length).toBeGreaterThan(50)
    vectors.payments.forEach((price, index) => {
      const has = (bit: number): `0x${string}` | null => (((vectors.parties[index] ?? 0) >> bit) & 1 ? address(bit + 2) : null)
      const shares = splitPayment(price, { node: address(1), deployer: has(0), frontend: has(1), voters: has(2), protocol: address(9) })
      for (const role of SPLIT_ROLES)
        expect(shares.find(share => share.role === role)?.amount ?? 0n, `${role} of ${price}`).toBe(vectors[role][index])
    })
  })
})
