import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createMetrics } from '#platform'
import { createSettlementWorld, type SettlementWorld, USD } from './testing.ts'

/** Each test breaks its own chain. */
let world: SettlementWorld
beforeEach(async () => {
  world = await createSettlementWorld()
})
afterEach(() => world?.stop())

const killChain = (): void => {
  process.kill(world.testChain.devChain.pid, 'SIGKILL')
}

async function devRpc(method: string, params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = await fetch(world.testChain.devChain.rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return answer.json()
}

/** What is on the chain and in the database, and that they agree. */
async function settledBatches(): Promise<number> {
  const { batches } = world.testDatabase.database
  const tip = await world.testChain.chain.lastBatch()
  const last = await batches.last()
  expect({ number: last?.number ?? 0, state: last?.state, hash: last?.batchHash }).toEqual({
    number: tip.number,
    state: 'confirmed',
    hash: tip.hash,
  })
  return tip.number
}

const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 50 })

describe('sequencer under chain faults', () => {
  test('behavior: kill -9 of the chain in the middle of posting settles everything, once', async () => {
    const { chain, devChain } = world.testChain
    const payer = await world.payer({ deposit: 10n * USD })
    await devChain.persist()
    await world.jobs(payer, [USD, USD, USD, USD])
    let kills = 0
    const murderous: typeof chain = {
      ...chain,
      settle: (signer, calldata, options) =>
        chain.settle(signer, calldata, {
          onSent: async hash => {
            await options?.onSent?.(hash)
            if (kills++ < 2) killChain()
          },
        }),
    }
    const sequencer = world.sequencer({ maxJobs: 1 }, { chain: murderous })
    sequencer.start()
    await eventually(async () => expect(await settledBatches()).toBe(4))
    await sequencer.stop()
    expect(kills).toBeGreaterThan(2)
    expect(await world.vaultUsd(payer.address)).toBe(6n * USD)
  })

  test('behavior: while the chain refuses to answer, what waits grows older, and an alarm can see it', async () => {
    const { chain } = world.testChain
    const payer = await world.payer({ deposit: 10n * USD })
    let isAway = true
    const absent: typeof chain = { ...chain, lastBatch: () => (isAway ? Promise.reject(new Error('away')) : chain.lastBatch()) }
    const metrics = createMetrics()
    const ageSeconds = async () =>
      (await metrics.registry.getSingleMetric('heurist_sequencer_oldest_receipt_seconds')?.get())?.values[0]?.value ?? -1
    const sequencer = world.sequencer({ maxAgeMs: 60_000_000_000_000 }, { chain: absent, metrics })
    expect(await ageSeconds()).toBe(0)
    await world.jobs(payer, [USD])
    isAway = false
    sequencer.start()
    await eventually(async () => expect(await ageSeconds()).toBeGreaterThan(1_000))
    isAway = true
    const first = await ageSeconds()
    await eventually(async () => expect(await ageSeconds()).toBeGreaterThan(first))
    isAway = false
    await sequencer.flush({ timeoutMs: 10_000 })
    await eventually(async () => expect(await ageSeconds()).toBe(0))
    await sequencer.stop()
  })

  test('behavior: batches of the last second that the chain lost are posted again in order', async () => {
    // Written down when the test says so: else a snapshot in between, on a slow machine, has what is to be lost.
    await world.stop()
    world = await createSettlementWorld({ autosave: false })
    const { chain, devChain } = world.testChain
    const payer = await world.payer({ deposit: 10n * USD })
    await devChain.persist()
    await world.jobs(payer, [USD, USD, USD])
    const sequencer = world.sequencer({ maxJobs: 1 })
    await sequencer.flush({ timeoutMs: 10_000 })
    const confirmed = await world.testDatabase.database.batches.get(2)
    killChain()
    expect(confirmed?.state).toBe('confirmed')
    expect(devChain.finalBlock()).toBeLessThan(confirmed?.blockNumber ?? 0)

    await eventually(async () => expect((await chain.lastBatch()).number).toBe(0))
    sequencer.start()
    await eventually(async () => expect(await settledBatches()).toBe(3))
    await sequencer.stop()
    expect(await world.testDatabase.database.batches.get(2)).toMatchObject({ calldata: confirmed?.calldata, state: 'confirmed' })
    expect(await world.vaultUsd(payer.address)).toBe(7n * USD)
  })

  test('behavior: a re-org that drops a batch brings it back once', async () => {
    const payer = await world.payer({ deposit: 10n * USD })
    const sequencer = world.sequencer()
    await world.jobs(payer, [USD])
    await sequencer.flush({ timeoutMs: 10_000 })
    await world.jobs(payer, [2n * USD])
    await sequencer.flush({ timeoutMs: 10_000 })
    await devRpc('anvil_reorg', [1, []])
    expect((await world.testChain.chain.lastBatch()).number).toBe(1)
    await sequencer.flush({ timeoutMs: 10_000 })
    expect(await settledBatches()).toBe(2)
    expect(await world.vaultUsd(payer.address)).toBe(7n * USD)
  })

  test('behavior: a stored batch that the chain refuses for good is dissolved and its other receipts are settled', async () => {
    const { chain } = world.testChain
    const soonSeconds = (await chain.head()).timestampSeconds + 300
    const expiring = await world.payer({ deposit: 5n * USD, capEndsAtSeconds: soonSeconds })
    const steady = await world.payer({ deposit: 5n * USD })
    await world.jobs(expiring, [USD])
    await world.jobs(steady, [USD])
    const broken = world.sequencer({}, { chain: { ...chain, settle: () => Promise.reject(new Error('cut')) } })
    await broken.flush({ timeoutMs: 100 })
    expect(await world.testDatabase.database.batches.last()).toMatchObject({ state: 'formed', jobCount: 2 })

    await devRpc('evm_increaseTime', [600])
    await devRpc('evm_mine', [])
    const sequencer = world.sequencer()
    await sequencer.flush({ timeoutMs: 10_000 })
    expect(await settledBatches()).toBe(1)
    expect([await world.vaultUsd(expiring.address), await world.vaultUsd(steady.address)]).toEqual([5n * USD, 4n * USD])
    expect(sequencer.status().heldReceipts).toBe(1)
  })

  test('behavior: what is left at a shutdown is settled by the next start', async () => {
    const payer = await world.payer({ deposit: 10n * USD })
    const first = world.sequencer()
    first.start()
    await world.jobs(payer, [USD, USD])
    await first.stop()
    await world.jobs(payer, [USD])
    const second = world.sequencer()
    expect(await second.flush({ timeoutMs: 10_000 })).toBe(true)
    await settledBatches()
    expect(await world.vaultUsd(payer.address)).toBe(7n * USD)
  })
})
