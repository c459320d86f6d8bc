import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SplitParties, splitPayment } from '#economics'
import type { LedgerEvent } from '#platform'
import type { Address } from '#protocol'
import { creditUnitOf, parseAllowance } from './accounts.ts'
import { captureEvent, depositEvent, leaseEvent, returnEvent } from './ledger.ts'

const addressArbitrary = fc.integer({ min: 1, max: 5 }).map((n): Address => `0x${n.toString(16).padStart(40, '0')}`)
const amountArbitrary = fc.bigInt({ min: 0n, max: 10n ** 30n })
const poolArbitrary = fc.record({ amount: amountArbitrary, credits: amountArbitrary })
const owner = { instance: 'gateway-0', epoch: 'e1' }

function sums(event: LedgerEvent): bigint[] {
  const perAsset = new Map<Address, bigint>()
  for (const { asset, amount } of event.postings) perAsset.set(asset, (perAsset.get(asset) ?? 0n) + amount)
  return [...perAsset.values()]
}

test('property: every event sums to zero per asset and per credit unit (L1)', () => {
  const nullable = fc.option(addressArbitrary)
  const partiesArbitrary = fc.record({
    node: addressArbitrary,
    deployer: nullable,
    frontend: nullable,
    voters: nullable,
    protocol: nullable,
  })
  fc.assert(
    fc.property(addressArbitrary, addressArbitrary, poolArbitrary, partiesArbitrary, (account, asset, pool, parties) => {
      const place = { owner, account, asset, pool, id: '1', atMs: 1 }
      const split = splitPayment(pool.amount, parties as SplitParties) // cast: the record has every role
      const events = [
        leaseEvent(place),
        returnEvent(place),
        captureEvent({ jobId: 'job_00', split, ...place }),
        depositEvent({
          account,
          asset,
          amount: pool.amount,
          nanoCredits: pool.credits,
          chainId: 1,
          transactionHash: '0xAB',
          logIndex: 0,
          atMs: 1,
        }),
      ]
      for (const event of events)
        expect(
          sums(event).every(sum => sum === 0n),
          event.kind,
        ).toBe(true)
    }),
  )
})

test('behavior: a deposit is known by chain, transaction and log, whatever the case of its hash', () => {
  const deposit = { account: '0x01', asset: '0x02', amount: 5n, nanoCredits: 7n, chainId: 31337, logIndex: 3, atMs: 1 } as const
  const id = depositEvent({ ...deposit, transactionHash: '0xABCD' }).businessId
  expect(id).toBe('deposit:31337:0xabcd:3')
  expect(depositEvent({ ...deposit, transactionHash: '0xabcd' }).businessId).toBe(id)
})

test('behavior: credits bought with different assets are different units and no asset', () => {
  const [usd, heu] = ['0x00000000000000000000000000000000000000aa', '0x00000000000000000000000000000000000000bb'] as const
  expect(new Set([usd, heu, creditUnitOf(usd), creditUnitOf(heu)]).size).toBe(4)
  expect(creditUnitOf(usd)).toMatch(/^0x[0-9a-f]{40}$/)
})

test('behavior: the name of an allowance tells instance and account', () => {
  const account: Address = '0x00000000000000000000000000000000000000cc'
  const [posting] = leaseEvent({ owner, account, asset: account, pool: { amount: 1n, credits: 1n }, id: '1', atMs: 1 }).postings.filter(
    p => p.amount > 0n,
  )
  expect(parseAllowance(posting?.account ?? '')).toEqual({ instance: 'gateway-0', account })
  expect(parseAllowance('credits:0x01')).toBeNull()
})
