import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { CHARGE_STEP_NANO_CREDITS as STEP } from '#economics'
import { createManualClock, type LedgerStore, silentLogger } from '#platform'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { type Address, HeuristError } from '#protocol'
import { allowancePrefix, creditsAccount, creditUnitOf } from './accounts.ts'
import { createPayments, type PaymentOptions } from './payments.ts'
import { accountOf, apiKey, HEU, nextJobId, outcomeOf, PARTIES, podWithPrice, USD } from './testing.ts'
import type { Hold, Payments } from './types.ts'

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.stop())

// One unit costs one step, so that units, steps and stablecoin atoms are the same numbers.
const POD = podWithPrice(STEP * 1_000_000n)
const CREDIT = 1_000_000_000n

let accounts = 100
const newAccount = (): Address => accountOf(++accounts)
let logs = 0

let underWay = 0
/** The real ledger, counting the calls that are under way. */
function counted(ledger: LedgerStore): LedgerStore {
  const count = async <T>(call: Promise<T>): Promise<T> => {
    underWay++
    return call.finally(() => underWay--)
  }
  return { ...ledger, append: events => count(ledger.append(events)), balance: (account, asset) => count(ledger.balance(account, asset)) }
}
/** A process can only be said to be dead when its last call has ended. */
const quiet = (): Promise<void> => vi.waitFor(() => expect(underWay).toBe(0))

async function start(options: Partial<PaymentOptions> = {}): Promise<{ payments: Payments; clock: ReturnType<typeof createManualClock> }> {
  const clock = createManualClock()
  const owner = { instance: `gateway-${++logs}`, epoch: 'e1' }
  const payments = await createPayments(
    { owner, assets: [USD, HEU], chunkNanoCredits: 100n * STEP, ...options },
    { ledger: counted(test_.database.ledger), clock, logger: silentLogger },
  )
  return { payments, clock }
}

function deposit(payments: Payments, account: Address, atoms: bigint, asset = USD): Promise<string> {
  return payments.applyDeposit({
    account,
    asset,
    amount: atoms,
    nanoCredits: atoms * STEP,
    chainId: 1,
    transactionHash: '0x01',
    logIndex: ++logs,
    atMs: 1,
  })
}

function holdFor(payments: Payments, account: Address, units: number, key = apiKey(account)): Promise<Hold> {
  return payments.hold({
    jobId: nextJobId(),
    account,
    key,
    pod: POD,
    credits: payments.quote(POD, { inputUnits: 0, maxOutputUnits: units }),
  })
}

/** What a gateway does at the end of a good job. */
async function finish(hold: Hold, units: number): Promise<bigint> {
  const jobId = nextJobId()
  const price = hold.priceOf({ inputUnits: 0, outputUnits: units })
  const { events } = hold.capture({ jobId, price, parties: PARTIES, atMs: 1 })
  await test_.database.jobs.finish(outcomeOf(jobId, { ledger: events, price }))
  hold.captured(price)
  return price
}

/** Unleased credits of an account as the ledger has them, and what processes have leased. */
async function inLedger(account: Address, asset = USD): Promise<{ free: bigint; leased: bigint }> {
  const { ledger } = test_.database
  const leased = await ledger.balances(allowancePrefix(account))
  const sum = leased.filter(row => row.asset === creditUnitOf(asset)).reduce((total, row) => total + row.amount, 0n)
  return { free: await ledger.balance(creditsAccount(account), creditUnitOf(asset)), leased: sum }
}

describe('createPayments', () => {
  test('default: deposit, hold, capture; the parties have earned the price', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 1_000n)
    const hold = await holdFor(payments, account, 50)
    expect(hold).toMatchObject({ asset: USD, credits: 50n * STEP, maxPrice: 50n })
    expect(await payments.balance(account)).toMatchObject([
      { asset: USD, amount: 1_000n, nanoCredits: 1_000n * STEP, held: 50n * STEP },
      { held: 0n },
    ])

    expect(await finish(hold, 20)).toBe(20n)
    expect(await payments.balance(account)).toMatchObject([{ amount: 980n, nanoCredits: 980n * STEP, held: 0n }, { amount: 0n }])
    expect(await test_.database.ledger.balance(`earned:node:${PARTIES.node}`, USD)).toBe(18n)
    await payments.stop()
    expect(await inLedger(account)).toEqual({ free: 980n * STEP, leased: 0n })
  })

  test('behavior: a released hold costs nothing, twice released either', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 100n)
    const hold = await holdFor(payments, account, 100)
    hold.release()
    hold.release()
    hold.captured(50n)
    await (await holdFor(payments, account, 100)).release()
    expect(await payments.balance(account)).toMatchObject([{ amount: 100n, held: 0n }, {}])
  })

  test('behavior: units beyond the hold cost no more than the hold (L6)', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 100n)
    const hold = await holdFor(payments, account, 10)
    expect(hold.priceOf({ inputUnits: 1_000_000, outputUnits: 1_000_000 })).toBe(hold.maxPrice)
    expect(hold.creditsFor({ inputUnits: 1_000_000, outputUnits: 1_000_000 })).toBe(hold.credits)
    expect(() => hold.capture({ jobId: 'job_x', price: hold.maxPrice + 1n, parties: PARTIES, atMs: 1 })).toThrow(/only 10 is held/)
  })

  test('behavior: the same deposit told twice is applied once, by two processes at the same time, too (L4)', async () => {
    const { payments } = await start()
    const { payments: other } = await start()
    const account = newAccount()
    const facts = { account, asset: USD, amount: 7n, nanoCredits: 7n * STEP, chainId: 1, transactionHash: '0xabc', logIndex: 900, atMs: 1 }
    const answers = await Promise.all([payments, other, payments, other].map(one => one.applyDeposit(facts)))
    expect(answers.toSorted()).toEqual(['applied', 'duplicate', 'duplicate', 'duplicate'])
    expect(await payments.balance(account)).toMatchObject([{ amount: 7n }, {}])
  })

  test('behavior: HEU pays when the dollars do not suffice', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 5n)
    await payments.applyDeposit({
      account,
      asset: HEU,
      amount: 10n ** 18n,
      nanoCredits: 6n * CREDIT,
      chainId: 1,
      transactionHash: '0x02',
      logIndex: ++logs,
      atMs: 1,
    })
    const hold = await holdFor(payments, account, 30_000)
    expect(hold).toMatchObject({ asset: HEU, credits: 3n * CREDIT, maxPrice: 5n * 10n ** 17n })
    expect(hold.priceOf({ inputUnits: 0, outputUnits: 10_000 })).toBe(166_666_666_666_666_666n)
    expect(hold.creditsFor({ inputUnits: 0, outputUnits: 10_000 })).toBe(CREDIT)
    hold.release()
  })

  test('behavior: a free pod needs no credits and moves none', async () => {
    const { payments } = await start()
    const account = newAccount()
    const hold = await payments.hold({ jobId: nextJobId(), account, key: apiKey(account), pod: podWithPrice(0n), credits: 0n })
    expect(hold.priceOf({ inputUnits: 10, outputUnits: 10 })).toBe(0n)
    expect(hold.capture({ jobId: 'job_x', price: 0n, parties: PARTIES, atMs: 1 }).events).toEqual([])
    hold.captured(0n)
  })

  test('behavior: new credits are seen at once after a refusal', async () => {
    const { payments } = await start()
    const account = newAccount()
    await expect(holdFor(payments, account, 1)).rejects.toMatchObject({ code: 'PAYMENT_INSUFFICIENT_CREDITS' })
    await deposit(payments, account, 10n)
    ;(await holdFor(payments, account, 10)).release()
  })

  test('behavior: an idle allowance goes back by itself', async () => {
    const { payments, clock } = await start({ idleMs: 1_000 })
    const account = newAccount()
    await deposit(payments, account, 1_000n)
    ;(await holdFor(payments, account, 10)).release()
    expect((await inLedger(account)).leased).toBeGreaterThan(0n)
    await vi.waitFor(async () => {
      clock.advance(1_001)
      expect(await inLedger(account)).toEqual({ free: 1_000n * STEP, leased: 0n })
    })
    ;(await holdFor(payments, account, 1_000)).release()
  })

  test('behavior: an allowance is refilled before it runs dry', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 1_000n)
    const holds = [await holdFor(payments, account, 60)]
    // 40 of the first 100 are left: the next chunk comes without anybody waiting for it.
    await vi.waitFor(async () => expect((await inLedger(account)).leased).toBe(200n * STEP))
    holds.push(await holdFor(payments, account, 130))
    for (const hold of holds) hold.release()
  })

  test('error: no credits; the facts are told', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 10n)
    const error = await holdFor(payments, account, 11).catch(thrown => thrown)
    expect(error).toBeInstanceOf(HeuristError)
    expect(error).toMatchObject({ code: 'PAYMENT_INSUFFICIENT_CREDITS', payload: { account, needed: 11n * STEP, available: 10n * STEP } })
    expect(error.message).toContain('heurist credit buy')
    expect(await inLedger(account)).toEqual({ free: 10n * STEP, leased: 0n })
  })

  test('error: key budget counts what is held and what is spent', async () => {
    const { payments } = await start()
    const account = newAccount()
    await deposit(payments, account, 1_000n)
    const key = apiKey(account, { keyId: 'key_budget', budget: 100n * STEP, spent: 20n * STEP })
    const first = await holdFor(payments, account, 50, key)
    await expect(holdFor(payments, account, 31, key)).rejects.toMatchObject({
      code: 'PAYMENT_KEY_BUDGET_EXCEEDED',
      payload: { spent: 20n * STEP, held: 50n * STEP, needed: 31n * STEP },
    })
    await finish(first, 10)
    ;(await holdFor(payments, account, 70, key)).release()
    await expect(holdFor(payments, account, 71, key)).rejects.toMatchObject({ code: 'PAYMENT_KEY_BUDGET_EXCEEDED' })
  })

  test('error: a failed hold gives the budget of its key back', async () => {
    const { payments } = await start()
    const account = newAccount()
    const key = apiKey(account, { keyId: 'key_poor', budget: 10n * STEP })
    await expect(holdFor(payments, account, 10, key)).rejects.toMatchObject({ code: 'PAYMENT_INSUFFICIENT_CREDITS' })
    await deposit(payments, account, 10n)
    ;(await holdFor(payments, account, 10, key)).release()
  })

  test('error: stopped', async () => {
    const { payments } = await start()
    await payments.stop()
    await expect(holdFor(payments, newAccount(), 1)).rejects.toMatchObject({ code: 'PAYMENT_STOPPED', retryable: true })
  })
})

describe('two processes', () => {
  test('behavior: each leases its own; together never more than there is', async () => {
    const [one, two] = await Promise.all([start(), start()])
    const account = newAccount()
    await deposit(one.payments, account, 150n)
    const results = await Promise.allSettled([100, 100].map((units, i) => holdFor((i === 0 ? one : two).payments, account, units)))
    expect(results.map(result => result.status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('behavior: a restart returns exactly what its predecessor had not spent and leaves other instances alone', async () => {
    const owner = { instance: 'gateway-crash', epoch: 'before' }
    const { payments: dead } = await start({ owner })
    const { payments: alive } = await start()
    const account = newAccount()
    await deposit(dead, account, 1_000n)
    const paid = await holdFor(dead, account, 60)
    await finish(paid, 33)
    const lost = await holdFor(dead, account, 25)
    const other = await holdFor(alive, account, 10)
    await quiet()
    // kill -9 here: `lost` is neither captured nor released.
    expect(lost.credits).toBe(25n * STEP)
    const { payments: reborn } = await start({ owner: { ...owner, epoch: 'after' } })
    const { free, leased } = await inLedger(account)
    expect(free + leased).toBe(967n * STEP)
    expect(leased).toBe(100n * STEP)
    other.release()
    expect(await reborn.balance(account)).toMatchObject([{ amount: 967n }, {}])
    const { payments: again } = await start({ owner: { ...owner, epoch: 'later' } })
    expect(await again.balance(account)).toMatchObject([{ amount: 967n }, {}])
  })
})

describe('any history', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('hold' as const), units: fc.integer({ min: 1, max: 120 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat(), share: fc.integer({ min: 0, max: 1_000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('deposit' as const), atoms: fc.bigInt({ min: 1n, max: 200n }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  )

  test('property: charge <= hold <= quote, holds never exceed the balance, nothing leaks (L1, L3, L6)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async steps => {
        const account = newAccount()
        const instance = `gateway-p${++logs}`
        let epoch = 0
        let { payments } = await start({ owner: { instance, epoch: `${epoch}` } })
        let [deposited, spent] = [0n, 0n]
        let open: { hold: Hold; units: number }[] = []
        for (const action of steps) {
          const index = 'pick' in action && open.length > 0 ? action.pick % open.length : -1
          if (action.kind === 'deposit') {
            await deposit(payments, account, action.atoms)
            deposited += action.atoms
          } else if (action.kind === 'crash') {
            await quiet()
            open = []
            payments = (await start({ owner: { instance, epoch: `${++epoch}` } })).payments
          } else if (action.kind === 'hold') {
            const quote = payments.quote(POD, { inputUnits: 0, maxOutputUnits: action.units })
            const hold = await holdFor(payments, account, action.units).catch(() => null)
            const held = open.reduce((sum, entry) => sum + entry.hold.maxPrice, 0n)
            expect(hold !== null, 'a hold succeeds exactly when the credits suffice').toBe(deposited - spent - held >= BigInt(action.units))
            if (!hold) continue
            expect(hold.credits <= quote, 'hold <= quote').toBe(true)
            open.push({ hold, units: action.units })
          } else if (index >= 0) {
            const [entry] = open.splice(index, 1)
            if (!entry) continue
            if (action.kind === 'release') entry.hold.release()
            else {
              const charged = await finish(entry.hold, Math.floor((entry.units * action.share) / 1_000))
              expect(charged <= entry.hold.maxPrice, 'charge <= hold').toBe(true)
              spent += charged
            }
          }
        }
        for (const { hold } of open) hold.release()
        await payments.stop()
        expect(await inLedger(account), 'no allowance leaks').toEqual({ free: (deposited - spent) * STEP, leased: 0n })
        expect((await test_.database.ledger.totals()).every(total => total.sum === 0n)).toBe(true)
      }),
      { numRuns: 15 },
    )
  })

  test('property: of many holds at once, those that fit succeed and no more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 5, maxLength: 30 }),
        fc.bigInt({ min: 1n, max: 600n }),
        async (wishes, atoms) => {
          const { payments } = await start()
          const account = newAccount()
          await deposit(payments, account, atoms)
          const results = await Promise.allSettled(wishes.map(units => holdFor(payments, account, units)))
          const granted = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
          const sum = granted.reduce((total, hold) => total + hold.maxPrice, 0n)
          expect(sum <= atoms).toBe(true)
          for (const hold of granted) hold.release()
          await payments.stop()
          expect(await inLedger(account)).toEqual({ free: atoms * STEP, leased: 0n })
        },
      ),
      { numRuns: 15 },
    )
  })
})
