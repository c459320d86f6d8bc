import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPayments } from '#application'
import { createManualClock, createSigner, newPrivateKey, silentLogger, systemClock } from '#platform'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { type Address, ZERO_ADDRESS } from '#protocol'
import { holdName } from './names.ts'
import { createRetirement } from './retire.ts'

const ACCOUNT: Address = '0xacc0000000000000000000000000000000000001'
const USD: Address = '0xa55e000000000000000000000000000000000001'
const MINUTE_MS = 60_000

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.stop())

let deposits = 0
/** A gateway that leased credits of the account and was killed. */
async function killedGateway(instance: string): Promise<void> {
  const owner = { instance, epoch: 'e1' }
  const { ledger } = database.database
  const payments = await createPayments({ owner, assets: [USD] }, { ledger, clock: createManualClock(), logger: silentLogger })
  const place = { chainId: 1, transactionHash: '0x01', logIndex: ++deposits, atMs: 1 } as const
  await payments.applyDeposit({ account: ACCOUNT, asset: USD, amount: 1_000_000n, nanoCredits: 1_000_000_000_000n, ...place })
  await ledger.append([
    {
      businessId: `lease:${instance}`,
      kind: 'allowance_lease',
      atMs: 1,
      postings: [
        { account: `credits:${ACCOUNT}`, asset: USD, amount: -400_000n },
        { account: `allowance:${ACCOUNT}:${instance}`, asset: USD, amount: 400_000n },
      ],
    },
  ])
}
const leasedBy = (instance: string): Promise<bigint> => database.database.ledger.balance(`allowance:${ACCOUNT}:${instance}`, USD)
const free = (): Promise<bigint> => database.database.ledger.balance(`credits:${ACCOUNT}`, USD)

function retirement() {
  const clock = createManualClock()
  const key = createSigner(newPrivateKey())
  const infrastructure = {
    chain: { chainId: 1, contracts: { JobSettlement: ZERO_ADDRESS } },
    database: database.database,
    databaseUrl: database.connectionString,
    signers: { router: key },
  } as never // cast: what a retirement reads of it
  return {
    clock,
    ...createRetirement(
      { retireMs: 5 * MINUTE_MS },
      { infrastructure, clock: { ...clock, after: systemClock.after }, logger: silentLogger },
    ),
  }
}

describe('a gateway that never comes back', () => {
  test('default: what it had leased is free again after the delay, and not before', async () => {
    await killedGateway('gone')
    const before = await free()
    const { clock, round } = retirement()
    await round()
    clock.advance(5 * MINUTE_MS - 1)
    await round()
    expect(await leasedBy('gone')).toBe(400_000n)
    clock.advance(1)
    await round()
    expect(await leasedBy('gone')).toBe(0n)
    expect(await free()).toBe(before + 400_000n)
  })

  test('behavior: one that runs keeps it, however long; the delay begins when its name is free', async () => {
    await killedGateway('living')
    const name = await holdName(
      { instance: 'living', databaseUrl: database.connectionString, gatewayRetireMs: 5 * MINUTE_MS },
      { clock: systemClock, logger: silentLogger },
    )
    const { clock, round } = retirement()
    await round()
    clock.advance(10 * MINUTE_MS)
    await round()
    expect(await leasedBy('living')).toBe(400_000n)
    await name.release()
    await round()
    expect(await leasedBy('living')).toBe(400_000n)
    clock.advance(5 * MINUTE_MS)
    await round()
    expect(await leasedBy('living')).toBe(0n)
  })

  test('behavior: a second gateway of one name waits for the end of the first, until it is told to stop', async () => {
    const options = { instance: 'twice', databaseUrl: database.connectionString, gatewayRetireMs: MINUTE_MS }
    const dependencies = { clock: systemClock, logger: silentLogger }
    const first = await holdName(options, dependencies)
    const stop = new AbortController()
    const second = holdName({ ...options, signal: stop.signal }, dependencies)
    stop.abort()
    await expect(second).rejects.toThrow(/another gateway named twice/)
    const third = holdName(options, dependencies)
    await first.release()
    await (await third).release()
  })
})
