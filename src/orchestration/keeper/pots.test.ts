import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { splitPayment } from '#economics'
import { createSigner, newPrivateKey } from '#platform'
import { warpDevChain } from '#platform/chain'
import { keccak256, type PodRecord, votersPotOf, WAD } from '#protocol'
import { createSettlementWorld, type SettlementWorld, storeReceipts, USD } from '../sequencer/testing.ts'
import { collectPots } from './pots.ts'

const TWO_WINDOWS_SECONDS = 30
const POD_GAUGE = 1
const voted = keccak256('a pod with voters')
const quiet = keccak256('a pod without jobs')

let world: SettlementWorld
const keeper = createSigner(newPrivateKey())
const named = (podId: PodRecord['podId'], name: string) => ({ podId, name }) as PodRecord // cast: nothing else is read
const task = () =>
  collectPots({
    chain: world.testChain.chain,
    signer: keeper,
    pods: { list: async () => [named(quiet, 'quiet'), named(voted, 'voted')] },
  })
const heldOf = () => world.testChain.chain.read('VoterRewards', 'heldOf', [world.testChain.contracts.DevUsd])

beforeAll(async () => {
  world = await createSettlementWorld()
  const { chain, contracts, treasury } = world.testChain
  await chain.send(treasury, { to: keeper.address, data: '0x', valueWei: WAD })
  const payer = await world.payer({ deposit: 100n * USD })
  const made = world.receipts.make({ payer: payer.address, asset: contracts.DevUsd, price: 20n * USD })
  const parties = {
    node: world.receipts.node.address,
    deployer: null,
    frontend: null,
    voters: votersPotOf(voted),
    protocol: contracts.Buyback,
  }
  await storeReceipts(world.testDatabase.database, [{ ...made, split: splitPayment(20n * USD, parties) }])
  const sequencer = world.sequencer()
  await sequencer.flush({ timeoutMs: 20_000 })
  await sequencer.stop()
})
afterAll(() => world?.stop())

describe('collectPots', () => {
  test('behavior: nothing is sent while the pods’ revenue waits in the challenge window', async () => {
    const before = await world.testChain.chain.head()
    expect(await task().run()).toEqual([])
    expect((await world.testChain.chain.head()).number).toBe(before.number)
  })

  test('default: 2 % of a pod’s revenue gets into the pot of its voters, once; a pod without jobs costs nothing', async () => {
    const { chain, contracts, devChain } = world.testChain
    await warpDevChain(devChain.rpcUrl, TWO_WINDOWS_SECONDS)
    expect(await task().run()).toEqual(['collected the revenue of the voters of voted'])
    expect(await heldOf()).toBe((20n * USD * 200n) / 10_000n)
    const { timestampSeconds } = await chain.head()
    const genesis = await chain.read('EmissionController', 'epochGenesis', [])
    const epoch = (BigInt(timestampSeconds) - genesis) / 604_800n
    const pot = (of: bigint) => chain.read('VoterRewards', 'potOf', [POD_GAUGE, voted, of, contracts.DevUsd])
    // Nobody voted for the pod in this epoch: it is booked where the next voters find it.
    expect((await pot(epoch)) + (await pot(epoch + 1n))).toBe(400_000n)

    const before = await chain.head()
    expect(await task().run(), 'twice does no harm').toEqual([])
    expect((await chain.head()).number).toBe(before.number)
  })

  test('error: what is not a refusal of the contract is not taken for one', async () => {
    const chain = { ...world.testChain.chain, simulate: () => Promise.reject(new Error('the chain is away')) }
    await expect(collectPots({ chain, signer: keeper, pods: { list: async () => [named(voted, 'voted')] } }).run()).rejects.toThrow('away')
  })
})
