import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type SplitBps, splitPayment } from '#economics'
import { silentLogger, systemClock } from '#platform'
import { descriptionHash, readProposals, readQueuedShares, warpDevChain } from '#platform/chain'
import { type PodRecord, WAD } from '#protocol'
import { createShareBook, type ShareBook } from '../src/bin/network/shares.ts'
import { createSettlementWorld, type SettlementWorld, storeReceipts, USD } from '../src/orchestration/sequencer/testing.ts'

/*
 * Governance lowers shares while jobs run: the whole way from the ballot to the batch that the contract takes.
 */
const PRICE = 10n * USD
const pod = { manifest: { spec: {} } } as PodRecord // cast: it asks for nothing in particular
let world: SettlementWorld
let book: ShareBook

beforeAll(async () => {
  world = await createSettlementWorld()
  const { chain, contracts, devChain } = world.testChain
  const network = { rpcUrl: devChain.rpcUrl, contracts }
  const queued = () => readQueuedShares(network)
  book = createShareBook({
    chain,
    queued,
    frontends: { list: () => [] },
    clock: systemClock,
    logger: silentLogger,
    refreshMs: 50,
  })
  await book.start()
})
afterAll(async () => {
  book?.stop()
  await world?.stop()
})

const warp = (seconds: number) => warpDevChain(world.testChain.devChain.rpcUrl, seconds)
const bpsNow = (): SplitBps => book.bpsOf({ pod, frontend: null })

/** A job that ends now, with the shares of now; settled by `settle`. */
async function job(payer: Awaited<ReturnType<SettlementWorld['payer']>>): Promise<void> {
  const { contracts, treasury } = world.testChain
  const made = world.receipts.make({ payer: payer.address, asset: contracts.DevUsd, price: PRICE })
  const parties = {
    node: world.receipts.node.address,
    deployer: treasury.address,
    frontend: null,
    voters: null,
    protocol: contracts.Buyback,
  }
  await storeReceipts(world.testDatabase.database, [{ ...made, split: splitPayment(PRICE, parties, bpsNow()) }])
}
async function settle(): Promise<void> {
  const sequencer = world.sequencer()
  await sequencer.flush({ timeoutMs: 20_000 })
  await sequencer.stop()
}
const owed = async () => {
  const { chain, contracts, treasury } = world.testChain
  const of = async (account: typeof treasury.address) =>
    (await chain.claimable(account, contracts.DevUsd)) + (await chain.pending(account, contracts.DevUsd))
  return { protocol: await of(contracts.Buyback), deployer: await of(treasury.address) }
}
const lower = { deployerBps: 400, frontendBps: 500, votersBps: 200, protocolBps: 300 }

/** Votes for a proposal until the timelock holds it; resolves with what executes it. */
async function decide(): Promise<() => Promise<unknown>> {
  const { chain, contracts, treasury, devChain } = world.testChain
  const { to, data } = chain.encode({ contract: 'JobSettlement', call: 'setShares', args: [lower] })
  const parts = [[to], [0n], [data]] as const
  await chain.write(treasury, { contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: 500_000n * WAD })
  await chain.write(treasury, { contract: 'WrappedHeu', call: 'delegate', args: [treasury.address] })
  await warp(2)
  await chain.write(treasury, { contract: 'HeuristGovernor', call: 'propose', args: [...parts, 'lower shares'] })
  await warp(12)
  const [proposal] = await readProposals({ rpcUrl: devChain.rpcUrl, contracts })
  await chain.write(treasury, { contract: 'HeuristGovernor', call: 'castVote', args: [proposal?.id ?? 0n, 1] })
  await warp(61)
  const hash = descriptionHash('lower shares')
  await chain.write(treasury, { contract: 'HeuristGovernor', call: 'queue', args: [...parts, hash] })
  return () => chain.write(treasury, { contract: 'HeuristGovernor', call: 'execute', args: [...parts, hash] })
}

test('behavior: a share that governance lowers reaches batches without one being refused', async () => {
  const { chain } = world.testChain
  const payer = await world.payer({ deposit: 100n * USD })
  await job(payer)
  await settle()
  expect(await owed()).toEqual({ protocol: 500_000n, deployer: 800_000n })

  const execute = await decide()
  expect(await chain.shares(), 'the timelock holds it back').toMatchObject({ deployer: 800, protocol: 500 })
  await vi.waitFor(() => expect(bpsNow()).toMatchObject({ deployer: 400, protocol: 300 }), { timeout: 20_000, interval: 20 })
  // It ends before the change and is settled after it.
  await job(payer)
  await warp(11)
  await execute()
  expect(await chain.shares()).toMatchObject({ deployer: 400, protocol: 300 })
  await settle()
  await job(payer)
  await settle()
  expect(await owed()).toEqual({ protocol: 500_000n + 2n * 300_000n, deployer: 800_000n + 2n * 400_000n })
  expect((await chain.lastBatch()).number).toBe(3)
}, 120_000)
