import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { LedgerStore } from '../port.ts'
import type { TestDatabase } from '../testing/index.ts'
import { ASSET, address, transfer } from './fixtures.ts'

export function ledgerConformance(subject: () => TestDatabase): void {
  describe('ledger', () => {
    let ledger: LedgerStore
    beforeAll(() => {
      ledger = subject().database.ledger
    })

    test('default: an event moves balances and stands in the history', async () => {
      const account = `earned:node:${address()}`
      const event = transfer('vault', account, 25n, { memo: { jobId: 'job_1', attempt: 2 } })
      expect(await ledger.append([event])).toEqual(['applied'])
      expect(await ledger.balance(account, ASSET)).toBe(25n)
      const [row] = await ledger.history({ account, limit: 10 })
      expect(row).toMatchObject({ businessId: event.businessId, kind: 'test', atMs: 1_000, memo: { jobId: 'job_1', attempt: 2 } })
      expect(row?.postings.toSorted((a, b) => Number(a.amount - b.amount))).toEqual(event.postings)
    })

    test('behavior: an unknown account has nothing', async () => {
      expect(await ledger.balance('credits:0xnobody', ASSET)).toBe(0n)
      expect(await ledger.history({ account: 'credits:0xnobody', limit: 5 })).toEqual([])
      expect(await ledger.append([])).toEqual([])
    })

    test('behavior: a business id is applied once (L4), alone, in one call and in many at once', async () => {
      const account = `earned:node:${address()}`
      const event = transfer('vault', account, 7n)
      const calls = await Promise.all([ledger.append([event, event]), ...Array.from({ length: 8 }, () => ledger.append([event]))])
      expect(calls.flat().filter(answer => answer === 'applied')).toHaveLength(1)
      expect(await ledger.append([event])).toEqual(['duplicate'])
      expect(await ledger.balance(account, ASSET)).toBe(7n)
    })

    test('behavior: amounts of 256 bits', async () => {
      const account = `earned:node:${address()}`
      const amount = 2n ** 255n
      await ledger.append([transfer('vault', account, amount)])
      expect(await ledger.balance(account, ASSET)).toBe(amount)
    })

    test('behavior: several postings to one account of one event add up', async () => {
      const account = `earned:node:${address()}`
      const postings = [3n, 4n, -7n].map((amount, i) => ({ account: i === 2 ? 'vault' : account, asset: ASSET, amount }))
      await ledger.append([transfer('x', 'y', 1n, { postings })])
      expect(await ledger.balance(account, ASSET)).toBe(7n)
    })

    test('behavior: balances by prefix leave out zeros and strangers', async () => {
      const owner = address()
      const [one, two] = [`earned:node:${owner}`, `earned:deployer:${owner}`]
      await ledger.append([transfer('vault', one, 5n), transfer('vault', two, 6n), transfer(two, 'vault', 6n)])
      expect(await ledger.balances(one)).toEqual([{ account: one, asset: ASSET, amount: 5n }])
      expect(await ledger.balances(two)).toEqual([])
      expect(await ledger.balances(`earned:node:${owner.slice(0, 20)}%`)).toEqual([])
    })

    test('behavior: history is newest first and pages', async () => {
      const account = `earned:node:${address()}`
      const events = [1n, 2n, 3n].map(amount => transfer('vault', account, amount))
      for (const event of events) await ledger.append([event])
      const ids = events.map(event => event.businessId)
      const page = await ledger.history({ account, limit: 2 })
      expect(page.map(row => row.businessId)).toEqual([ids[2], ids[1]])
      const rest = await ledger.history({ account, limit: 2, beforeSequence: page[1]?.sequence ?? 0 })
      expect(rest.map(row => row.businessId)).toEqual([ids[0]])
    })

    test('error: an unbalanced event is refused with everything beside it (L1)', async () => {
      const account = `earned:node:${address()}`
      const good = transfer('vault', account, 1n)
      const bad = transfer('vault', account, 1n, { postings: [{ account, asset: ASSET, amount: 1n }] })
      await expect(ledger.append([good, bad])).rejects.toMatchObject({ code: 'LEDGER_UNBALANCED', payload: { businessId: bad.businessId } })
      await expect(ledger.append([{ ...bad, postings: [] }])).rejects.toMatchObject({ code: 'LEDGER_UNBALANCED' })
      expect(await ledger.balance(account, ASSET)).toBe(0n)
    })

    test('error: credits and allowances never fall below zero; nothing of the call is written', async () => {
      const [credits, allowance] = [`credits:${address()}`, `allowance:${address()}:g`]
      const funding = transfer('vault', credits, 10n)
      await ledger.append([funding])
      for (const [from, to] of [
        [credits, 'vault'],
        [allowance, credits],
      ] as const) {
        const fine = transfer('vault', credits, 1n)
        await expect(ledger.append([fine, transfer(from, to, 12n)]), from).rejects.toMatchObject({
          code: 'LEDGER_OVERDRAWN',
          retryable: false,
        })
      }
      expect(await ledger.balance(credits, ASSET)).toBe(10n)
      expect(await ledger.append([transfer(credits, 'vault', 10n)])).toEqual(['applied'])
    })

    test('behavior: of many spenders at once only those succeed whom the balance covers', async () => {
      const credits = `credits:${address()}`
      await ledger.append([transfer('vault', credits, 50n)])
      const results = await Promise.allSettled(Array.from({ length: 12 }, () => ledger.append([transfer(credits, 'vault', 7n)])))
      expect(results.filter(result => result.status === 'fulfilled')).toHaveLength(7)
      expect(await ledger.balance(credits, ASSET)).toBe(1n)
    })

    test('property: derived balances equal the sum of the postings; every asset sums to zero (L1)', async () => {
      const accounts = Array.from({ length: 5 }, () => `earned:node:${address()}`)
      const move = fc.record({
        from: fc.nat({ max: 4 }),
        to: fc.nat({ max: 4 }),
        amount: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(move, { minLength: 1, maxLength: 5 }), { maxLength: 4 }), async calls => {
          await Promise.all(
            calls.map(moves =>
              ledger.append(moves.map(({ from, to, amount }) => transfer(accounts[from] ?? '', accounts[to] ?? '', amount))),
            ),
          )
        }),
        { numRuns: 15 },
      )
      const differences = await subject().query(
        `select a.account from ledger_accounts a left join ledger_postings p on p.account_id = a.id
         group by a.id having a.balance <> coalesce(sum(p.amount), 0)`,
      )
      expect(differences).toEqual([])
      for (const total of await ledger.totals()) expect(total).toMatchObject({ sum: 0n })
    })

    test('error: rows can not be changed, removed or slipped in, not even by SQL', async () => {
      const account = `earned:node:${address()}`
      await ledger.append([transfer('vault', account, 9n)])
      const refused = {
        'update ledger_postings set amount = amount + 1': /append-only/,
        'delete from ledger_postings': /append-only/,
        'truncate ledger_events, ledger_postings': /append-only/,
        'update ledger_events set at_ms = 0': /append-only/,
        'delete from ledger_events': /append-only/,
        'update ledger_accounts set balance = balance + 1': /append-only/,
        'delete from ledger_accounts': /append-only/,
        'insert into ledger_postings (event_sequence, account_id, amount) select e.sequence, a.id, 1 from ledger_events e, ledger_accounts a limit 1':
          /does not sum to zero|duplicate key/,
        'insert into ledger_postings (event_sequence, account_id, amount) select -1, id, 0 from ledger_accounts limit 1':
          /does not sum to zero/,
      }
      for (const [sql, reason] of Object.entries(refused)) await expect(subject().query(sql), sql).rejects.toThrow(reason)
      expect(await ledger.balance(account, ASSET)).toBe(9n)
    })
  })
}
