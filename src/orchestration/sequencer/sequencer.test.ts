import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { signGroup } from '#platform'
import { deposit, setSpendingCap } from '#platform/chain'
import { createTestDatabase } from '#platform/database/testing'
import { HeuristError, type Hex, hexToBytes } from '#protocol'
import { createSettlementWorld, type SettlementWorld, storeReceipts, USD } from './testing.ts'
import { verifyReceipt } from './verify.ts'

let world: SettlementWorld
beforeAll(async () => {
  world = await createSettlementWorld()
})
afterAll(() => world?.stop())

const unavailable = (): Promise<never> =>
  Promise.reject(new HeuristError('CHAIN_UNAVAILABLE', 'the RPC server is down', { retryable: true }))
const lastBatch = async () => (await world.testDatabase.database.batches.last())!

describe('sequencer', () => {
  test('default: receipts become one transaction, and each can be verified against the chain', async () => {
    const { chain, contracts } = world.testChain
    const payer = await world.payer({ deposit: 10n * USD })
    const jobs = await world.jobs(payer, [USD, USD, USD, USD, USD])
    const before = await chain.lastBatch()
    expect(await world.sequencer().flush({ timeoutMs: 10_000 })).toBe(true)

    const batch = await lastBatch()
    expect(batch).toMatchObject({ number: before.number + 1, state: 'confirmed', jobCount: 5 })
    expect(await chain.lastBatch()).toEqual({ number: batch.number, hash: batch.batchHash })
    expect(await world.vaultUsd(payer.address)).toBe(5n * USD)
    expect(await chain.pending(world.receipts.node.address, contracts.DevUsd)).toBe((435n * USD) / 100n)

    const place = { batchNumber: batch.number, leaves: await world.testDatabase.database.batches.leaves(batch.number) }
    const verified = await verifyReceipt(jobs[2]!.signed, place, chain)
    expect(verified.checks.map(check => `${check.name}: ${check.ok}`)).toEqual([
      'node signature: true',
      'router signature: true',
      'batch: true',
      'receipts root: true',
      'inclusion: true',
    ])
    const forged = { ...jobs[2]!.signed, receipt: { ...jobs[2]!.signed.receipt, price: 2n * USD } }
    const refused = await verifyReceipt(forged, place, chain)
    expect(refused.checks.filter(check => !check.ok).map(check => check.name)).toEqual(['node signature', 'router signature', 'inclusion'])

    const { node, separator } = world.receipts
    const [inGroup, neighbour] = signGroup(node, separator, [hexToBytes(jobs[2]!.digest), hexToBytes(jobs[3]!.digest)])
    const failing = async (nodeSignature: Hex) => {
      const { checks } = await verifyReceipt({ ...jobs[2]!.signed, nodeSignature }, place, chain)
      return checks.filter(check => !check.ok).map(check => check.name)
    }
    expect(await failing(inGroup!)).toEqual([])
    expect(await failing(neighbour!), 'the proof of another member').toEqual(['node signature'])
    expect(await failing(inGroup!.slice(0, 2 + 138) as Hex), 'a proof cut off').toEqual(['node signature']) // cast: whole words were cut
  })

  test('behavior: nothing is posted while nothing succeeded', async () => {
    const before = await world.testChain.chain.lastBatch()
    expect(await world.sequencer().flush({ timeoutMs: 5_000 })).toBe(true)
    expect(await world.testChain.chain.lastBatch()).toEqual(before)
  })

  test('behavior: a running sequencer settles on its own and stops cleanly', async () => {
    const payer = await world.payer({ deposit: 2n * USD })
    const sequencer = world.sequencer()
    sequencer.start()
    await world.jobs(payer, [USD])
    await vi.waitFor(async () => expect(await world.vaultUsd(payer.address)).toBe(USD), { timeout: 10_000, interval: 20 })
    await sequencer.stop()
    expect(sequencer.status()).toMatchObject({ state: 'stopped', problem: null })
    expect(await lastBatch()).toMatchObject({ state: 'confirmed' })
  })

  test('behavior: more receipts than fit one batch go into several, each linked to the one before', async () => {
    const payer = await world.payer({ deposit: 10n * USD })
    await world.jobs(payer, [USD, USD, USD, USD, USD])
    const first = (await lastBatch()).number + 1
    await world.sequencer({ maxJobs: 2 }).flush({ timeoutMs: 10_000 })
    const { batches } = world.testDatabase.database
    const rows = await Promise.all([first, first + 1, first + 2].map(number => batches.get(number)))
    expect(rows.map(row => row?.jobCount)).toEqual([2, 2, 1])
    expect(rows[1]?.previousHash).toBe(rows[0]?.batchHash)
    expect(rows[2]?.previousHash).toBe(rows[1]?.batchHash)
    expect(await world.vaultUsd(payer.address)).toBe(5n * USD)
  })

  test('behavior: a batch that was stored but never posted is posted by the next start, with the same bytes', async () => {
    const payer = await world.payer({ deposit: USD })
    await world.jobs(payer, [USD])
    const broken = world.sequencer({}, { chain: { ...world.testChain.chain, settle: unavailable } })
    expect(await broken.flush({ timeoutMs: 200 })).toBe(false)
    const stored = await lastBatch()
    expect(stored.state).toBe('formed')
    expect(await world.vaultUsd(payer.address)).toBe(USD)

    expect(await world.sequencer().flush({ timeoutMs: 10_000 })).toBe(true)
    expect(await lastBatch()).toMatchObject({ number: stored.number, calldata: stored.calldata, state: 'confirmed' })
    expect(await world.vaultUsd(payer.address)).toBe(0n)
  })

  test('behavior: an answer that was lost after the chain took the batch settles nothing twice', async () => {
    const payer = await world.payer({ deposit: 3n * USD })
    await world.jobs(payer, [USD])
    const { chain } = world.testChain
    let posts = 0
    const forgetful: typeof chain = {
      ...chain,
      settle: async (...call) => {
        posts++
        await chain.settle(...call)
        return unavailable()
      },
    }
    expect(await world.sequencer({}, { chain: forgetful }).flush({ timeoutMs: 10_000 })).toBe(true)
    expect(posts).toBe(1)
    expect(await lastBatch()).toMatchObject({ state: 'confirmed', jobCount: 1 })
    expect((await lastBatch()).gasUsed).toBeGreaterThan(21_000)
    expect(await world.vaultUsd(payer.address)).toBe(2n * USD)
  })

  test('behavior: a chain that is away for a while costs time and nothing else', async () => {
    const payer = await world.payer({ deposit: USD })
    await world.jobs(payer, [USD])
    const { chain } = world.testChain
    let failures = 0
    const flaky: typeof chain = { ...chain, lastBatch: () => (failures++ < 4 ? unavailable() : chain.lastBatch()) }
    const sequencer = world.sequencer({}, { chain: flaky })
    sequencer.start()
    await vi.waitFor(() => expect(sequencer.status().state).toBe('retrying'), { timeout: 5_000, interval: 5 })
    await vi.waitFor(async () => expect(await world.vaultUsd(payer.address)).toBe(0n), { timeout: 10_000, interval: 20 })
    await sequencer.stop()
    expect(failures).toBeGreaterThan(4)
  })

  test('behavior: two sequencers on one database settle everything once', async () => {
    const payer = await world.payer({ deposit: 10n * USD })
    await world.jobs(payer, [USD, USD, USD, USD, USD, USD])
    const pair = [world.sequencer({ maxJobs: 1 }), world.sequencer({ maxJobs: 1 })]
    await Promise.all(pair.map(sequencer => sequencer.flush({ timeoutMs: 20_000 })))
    expect(await world.vaultUsd(payer.address)).toBe(4n * USD)
    expect(await world.testDatabase.database.batches.unconfirmed()).toEqual([])
  })
})

describe('sequencer: what the chain refuses', () => {
  test('behavior: an account without cover waits, all others are settled, and it is settled once it is covered', async () => {
    const { chain, contracts, treasury } = world.testChain
    const good = await world.payer({ deposit: 5n * USD })
    const broke = await world.payer({ deposit: 0n })
    const before = (await lastBatch()).number
    const [uncovered] = await world.jobs(broke, [USD])
    await world.jobs(good, [USD, USD, USD])
    const sequencer = world.sequencer({ holdMs: 50 })
    expect(await sequencer.flush({ timeoutMs: 10_000 })).toBe(true)
    expect(await world.vaultUsd(good.address)).toBe(2n * USD)
    expect(await lastBatch()).toMatchObject({ number: before + 1, jobCount: 3 })
    expect(sequencer.status().heldReceipts).toBe(1)

    await deposit(chain, treasury, { asset: contracts.DevUsd, amount: 3n * USD, account: broke.address })
    const cap = { account: broke, asset: contracts.DevUsd, cumulativeCap: 3n * USD, expiresAtSeconds: 4_000_000_000 }
    await setSpendingCap(chain, treasury, cap)
    sequencer.start()
    await vi.waitFor(async () => expect(await world.vaultUsd(broke.address)).toBe(2n * USD), { timeout: 10_000, interval: 20 })
    await sequencer.stop()
    expect((await world.testDatabase.database.jobs.receipt(uncovered!.jobId))?.batchNumber).not.toBeNull()
  })

  test('behavior: the covered part of an account is settled, oldest first', async () => {
    const payer = await world.payer({ deposit: 10n * USD, cap: 2n * USD })
    const jobs = await world.jobs(payer, [USD, USD, USD])
    const sequencer = world.sequencer()
    await sequencer.flush({ timeoutMs: 10_000 })
    expect(await world.vaultUsd(payer.address)).toBe(8n * USD)
    const placed = await Promise.all(jobs.map(async job => (await world.testDatabase.database.jobs.receipt(job.jobId))?.batchNumber))
    expect(placed.map(number => number === null)).toEqual([false, false, true])
  })

  test('behavior: a receipt whose split breaks the shares is found and left out', async () => {
    const payer = await world.payer({ deposit: 10n * USD })
    const { DevUsd } = world.testChain.contracts
    const good = [1, 2, 3].map(() => world.receipts.make({ payer: payer.address, asset: DevUsd, price: USD }))
    const greedy = world.receipts.make({ payer: payer.address, asset: DevUsd, price: USD })
    const split = [
      { role: 'node', account: world.receipts.node.address, amount: USD / 2n },
      { role: 'protocol', account: payer.address, amount: USD / 2n },
    ]
    const unbalanced = { ...world.receipts.make({ payer: payer.address, asset: DevUsd, price: USD }), split: split.slice(0, 1) }
    await storeReceipts(world.testDatabase.database, [good[0]!])
    await storeReceipts(world.testDatabase.database, [{ ...greedy, split }])
    await storeReceipts(world.testDatabase.database, [unbalanced])
    for (const receipt of good.slice(1)) await storeReceipts(world.testDatabase.database, [receipt])
    await world.sequencer().flush({ timeoutMs: 10_000 })
    expect(await world.vaultUsd(payer.address)).toBe(7n * USD)
    expect((await world.testDatabase.database.jobs.receipt(greedy.jobId))?.batchNumber).toBeNull()
  })

  test('error: a batch on the chain that is not ours halts the sequencer', async () => {
    const other = await createTestDatabase()
    try {
      const payer = await world.payer({ deposit: 2n * USD })
      await storeReceipts(other.database, [
        world.receipts.make({ payer: payer.address, asset: world.testChain.contracts.DevUsd, price: USD }),
      ])
      const stranger = world.sequencer({}, { database: other.database })
      expect(await stranger.flush({ timeoutMs: 2_000 })).toBe(false)
      expect(stranger.status()).toMatchObject({ state: 'halted' })
      expect(stranger.status().problem).toMatch(/is not the one in this database/)
      expect(await world.vaultUsd(payer.address)).toBe(2n * USD)
    } finally {
      await other.stop()
    }
  })
})
