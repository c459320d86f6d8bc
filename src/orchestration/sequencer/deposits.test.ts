import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LedgerEvent } from '#platform'
import { deposit } from '#platform/chain'
import { type Deposit, settingCursor, watchDeposits } from './deposits.ts'
import { createSettlementWorld, type SettlementWorld, USD } from './testing.ts'

let world: SettlementWorld
beforeAll(async () => {
  world = await createSettlementWorld()
})
afterAll(() => world?.stop())

const account = '0x00000000000000000000000000000000000000c1'

/** Books a deposit as the application does: credits of the account against the vault. */
function bookingOf({ businessId, asset, amount }: Deposit): LedgerEvent {
  const postings = [
    { account: `credits:${account}`, asset, amount },
    { account: 'vault', asset, amount: -amount },
  ]
  return { businessId, kind: 'deposit', atMs: 0, postings }
}

function follow(onDeposit: (deposit: Deposit) => Promise<void>) {
  const { testChain, testDatabase } = world
  const { settings } = testDatabase.database
  return watchDeposits({ fromBlock: 0, pollMs: 20 }, { chain: testChain.chain, settings, onDeposit })
}
const booked = () => world.testDatabase.database.ledger.balance(`credits:${account}`, world.testChain.contracts.DevUsd)
const pay = async (dollars: bigint): Promise<void> => {
  const { chain, contracts, treasury } = world.testChain
  await deposit(chain, treasury, { asset: contracts.DevUsd, amount: dollars * USD, account })
}
const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 20 })

describe('watchDeposits', () => {
  test('default: deposits are booked once, across failures, restarts and a lost cursor', async () => {
    const { ledger, settings } = world.testDatabase.database
    let failures = 0
    const book = async (found: Deposit): Promise<void> => {
      await ledger.append([bookingOf(found)])
      // The database took it, and we die before the cursor moves.
      if (failures++ < 2) throw new Error('died')
    }
    await pay(1n)
    const first = follow(book)
    await eventually(async () => expect(failures).toBeGreaterThan(2))
    await first.stop()
    expect(await booked()).toBe(USD)

    await pay(2n)
    const second = follow(book)
    await eventually(async () => expect(await booked()).toBe(3n * USD))
    await second.stop()

    await settings.put(`chain.deposits.${world.testChain.contracts.CreditVault}`, null)
    const delivered: string[] = []
    const third = follow(async found => {
      delivered.push(found.businessId)
      await book(found)
    })
    await eventually(async () => expect(delivered).toHaveLength(2))
    await third.stop()
    expect(await booked()).toBe(3n * USD)
    expect(new Set(delivered).size).toBe(2)
  })

  test('behavior: a deposit that the chain loses before it is final is never booked', async () => {
    const { devChain } = world.testChain
    await devChain.persist()
    const before = await booked()
    const watch = follow(async found => {
      await world.testDatabase.database.ledger.append([bookingOf(found)])
    })
    const { pid } = devChain
    // Paid and killed inside one snapshot interval; when the snapshot was faster the deposit is final and is booked.
    await pay(5n)
    process.kill(pid, 'SIGKILL')
    await eventually(async () => expect(devChain.pid).not.toBe(pid))
    const kept = await eventuallyVaultBalance()
    await pay(1n)
    await eventually(async () => expect(await booked()).toBe(before + kept + USD))
    await watch.stop()
  })

  test('error: a damaged cursor is not taken for a new one', async () => {
    const { settings } = world.testDatabase.database
    await settings.put('damaged', { from: -1 })
    await expect(settingCursor(settings, 'damaged').load()).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })
})

/** What the restarted chain kept of the five dollars. */
async function eventuallyVaultBalance(): Promise<bigint> {
  const { chain, contracts } = world.testChain
  let balance = -1n
  await eventually(async () => {
    balance = await chain.vaultBalance(account, contracts.DevUsd)
  })
  return balance - (await booked())
}
