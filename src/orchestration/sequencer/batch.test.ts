import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SPLIT_ROLES } from '#economics'
import type { StoredReceipt } from '#platform'
import { type Address, keccak256, ZERO_ADDRESS } from '#protocol'
import { fittingPrefix, formBatch, MAX_ROW_AMOUNT } from './batch.ts'
import { createReceiptFactory } from './testing.ts'

const account = (digit: number): Address => `0x${digit.toString(16).padStart(2, '0').repeat(20)}`
const heu = account(0xa1)
const usd = account(0xa2)
const rule = { countsOpenRoutes: true }
const assets = { heu, usd }
const previous = { number: 6, hash: keccak256('previous') }
const factory = createReceiptFactory({ chainId: 31_337, settlement: account(9) }, { deployer: account(0xd1), protocol: account(0xd2) })

let sequence = 0
function receipt(payer: Address, asset: Address, price: bigint): StoredReceipt {
  return { ...factory.make({ payer, asset, price }), sequence: ++sequence, batchNumber: null }
}

type Row = { account: string; role: number; asset: number; amount: bigint }
function unpack(row: bigint): Row {
  const key = row >> 88n
  return {
    account: `0x${(key >> 8n).toString(16).padStart(40, '0')}`,
    role: Number((key >> 4n) & 15n),
    asset: Number(key & 15n),
    amount: row & MAX_ROW_AMOUNT,
  }
}
const sum = (rows: readonly Row[], asset: number): bigint =>
  rows.filter(row => row.asset === asset).reduce((total, row) => total + row.amount, 0n)

/** Small numbers of accounts, so that rows are really netted. */
const receipts = fc
  .array(
    fc.record({ payer: fc.integer({ min: 1, max: 4 }), asset: fc.constantFrom(heu, usd), price: fc.bigInt({ min: 0n, max: 10n ** 20n }) }),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  .map(jobs => jobs.map(job => receipt(account(job.payer), job.asset, job.price)))

describe('formBatch', () => {
  test('default: two jobs of one payer become one debit and one credit per party', () => {
    const batch = formBatch([receipt(account(1), usd, 1_000n), receipt(account(1), usd, 500n)], previous, assets, rule)
    expect(batch).toMatchObject({ number: 7, previousHash: previous.hash, jobCount: 2 })
    expect(batch.debits.map(unpack)).toEqual([{ account: account(1), role: 0, asset: 1, amount: 1_500n }])
    expect(batch.credits.map(unpack).sort((a, b) => a.role - b.role)).toEqual([
      { account: factory.node.address, role: 0, asset: 1, amount: 1_305n },
      { account: account(0xd1), role: 1, asset: 1, amount: 120n },
      { account: account(0xd2), role: 4, asset: 1, amount: 75n },
    ])
  })

  test('behavior: only what open jobs paid counts as open, per asset', () => {
    const of = (asset: Address, price: bigint, routeClass: number): StoredReceipt => ({
      ...factory.make({ payer: account(1), asset, price, routeClass }),
      sequence: ++sequence,
      batchNumber: null,
    })
    const jobs = [of(usd, 100n, 0), of(usd, 30n, 1), of(heu, 7n, 0), of(heu, 5n, 0), of(heu, 1_000n, 2), of(heu, 2_000n, 3)]
    expect(formBatch(jobs, previous, assets, rule)).toMatchObject({ openUsd: 100n, openHeu: 12n })
    expect(formBatch(jobs, previous, assets, { countsOpenRoutes: false })).toMatchObject({ openUsd: 0n, openHeu: 0n })
  })

  test('behavior: free jobs are receipted and move nothing', () => {
    const batch = formBatch([receipt(account(1), usd, 0n)], previous, assets, rule)
    expect(batch).toMatchObject({ jobCount: 1, debits: [], credits: [] })
  })

  test.each([
    ['an unknown asset', { ...receipt(account(1), account(0xee), 5n) }],
    ['an unknown role', { ...receipt(account(1), usd, 5n), split: [{ role: 'king', account: account(2), amount: 5n }] }],
    ['shares that do not add up', { ...receipt(account(1), usd, 5n), split: [{ role: 'node', account: account(2), amount: 4n }] }],
    ['the zero address', { ...receipt(account(1), usd, 5n), split: [{ role: 'node', account: ZERO_ADDRESS, amount: 5n }] }],
    [
      'a negative share',
      {
        ...receipt(account(1), usd, 5n),
        split: [
          { role: 'node', account: account(2), amount: 6n },
          { role: 'protocol', account: account(2), amount: -1n },
        ],
      },
    ],
  ])('error: a receipt with %s', (_, bad) => {
    expect(() => formBatch([bad], previous, assets, rule)).toThrowError(expect.objectContaining({ code: 'SEQUENCER_BAD_RECEIPT' }))
  })

  test('error: a price, or a sum of prices, that a row can not hold', () => {
    const tooMuch = receipt(account(1), heu, MAX_ROW_AMOUNT + 1n)
    expect(() => formBatch([tooMuch], previous, assets, rule)).toThrowError(expect.objectContaining({ code: 'SEQUENCER_BAD_RECEIPT' }))
    const most = [receipt(account(1), heu, MAX_ROW_AMOUNT), receipt(account(1), heu, 1n)]
    expect(() => formBatch(most, previous, assets, rule)).toThrowError(RangeError)
  })

  test('property: per asset the credits are the debits and the debits are the prices (law C3)', () => {
    fc.assert(
      fc.property(receipts, jobs => {
        const batch = formBatch(jobs, previous, assets, rule)
        const debits = batch.debits.map(unpack)
        const credits = batch.credits.map(unpack)
        for (const [number, asset] of [heu, usd].entries()) {
          const prices = jobs.filter(job => job.signed.receipt.asset === asset).reduce((total, job) => total + job.signed.receipt.price, 0n)
          expect([sum(debits, number), sum(credits, number)]).toEqual([prices, prices])
        }
      }),
    )
  })

  test('property: rows ascend strictly, so no row comes twice', () => {
    fc.assert(
      fc.property(receipts, jobs => {
        const batch = formBatch(jobs, previous, assets, rule)
        for (const rows of [batch.debits, batch.credits]) {
          const keys = rows.map(row => row >> 88n)
          expect(keys.filter((key, index) => index > 0 && key <= keys[index - 1]!)).toEqual([])
          for (const row of rows.map(unpack)) expect(row.role).toBeLessThan(SPLIT_ROLES.length)
        }
      }),
    )
  })

  test('property: the order of the receipts changes nothing, a changed receipt changes the hash', () => {
    fc.assert(
      fc.property(receipts, fc.infiniteStream(fc.nat()), (jobs, random) => {
        const batch = formBatch(jobs, previous, assets, rule)
        const weights = new Map(jobs.map(job => [job, random.next().value as number]))
        const shuffled = jobs.toSorted((a, b) => weights.get(a)! - weights.get(b)!)
        expect(formBatch(shuffled, previous, assets, rule)).toEqual(batch)
        const another = [...jobs.slice(1), receipt(account(1), usd, 1n)]
        expect(formBatch(another, previous, assets, rule).batchHash).not.toBe(batch.batchHash)
      }),
      { numRuns: 30 },
    )
  })
})

describe('fittingPrefix', () => {
  test('default: it ends before the rows exceed the limit', () => {
    const jobs = [1, 2, 3, 4].map(payer => receipt(account(payer), usd, 1_000n))
    // One debit each; node, deployer and protocol are shared.
    expect(fittingPrefix(jobs, assets, 5)).toEqual(jobs.slice(0, 2))
    expect(fittingPrefix(jobs, assets, 7)).toEqual(jobs)
  })

  test('behavior: at least one receipt, whatever the limit', () => {
    expect(fittingPrefix([receipt(account(1), usd, 1_000n)], assets, 1)).toHaveLength(1)
  })
})
