import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics, createSigner, newPrivateKey, type Signer, silentLogger, systemClock } from '#platform'
import { registerNode, transferUsd, warpDevChain } from '#platform/chain'
import { startTestChain, type TestChain } from '#platform/chain/testing'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { type EconomyReader, keccak256, nodeGaugeId, WAD } from '#protocol'
import { createIndexer, type Indexer } from '../registry/indexer.ts'
import { createEconomyReader } from './index.ts'

const WEEK = 604_800
const heu = (amount: number): bigint => BigInt(amount) * WAD
let testChain: TestChain
let testDatabase: TestDatabase
let indexer: Indexer
const staker = createSigner(newPrivateKey())

beforeAll(async () => {
  ;[testChain, testDatabase] = await Promise.all([startTestChain(), createTestDatabase()])
  const { chain, treasury } = testChain
  const { events } = testDatabase.database
  indexer = createIndexer(
    { fromBlock: 0, pollMs: 20 },
    { chain, events, clock: systemClock, logger: silentLogger, metrics: createMetrics() },
  )
  indexer.start()
  await chain.send(treasury, { to: staker.address, data: '0x', valueWei: heu(1_000_000) })
  await registerNode(chain, treasury, { hotKey: createSigner(newPrivateKey()), collateralWei: heu(100) })
  await registerNode(chain, treasury, { hotKey: createSigner(newPrivateKey()), collateralWei: heu(100) })
})
afterAll(async () => {
  await indexer?.stop()
  await testChain?.stop()
  await testDatabase?.stop()
})

/** A new one each time: its answers are kept for a second. */
const reader = (): EconomyReader => {
  const { events, pods } = testDatabase.database
  const caughtUp = () => indexer.caughtUp()
  return createEconomyReader({ chain: testChain.chain, events, pods, networkSlots: () => 4, clock: systemClock, caughtUp })
}
const warp = (seconds: number) => warpDevChain(testChain.devChain.rpcUrl, seconds)
const write = (signer: Signer, call: Parameters<TestChain['chain']['write']>[1]) => testChain.chain.write(signer, call)

describe('createEconomyReader', () => {
  test('default: a present epoch, what it would give, and nothing for nobody', async () => {
    const epoch = await reader().epoch()
    expect(epoch).toMatchObject({ epoch: 0, phase: 'running', nodeWeight: 0n, emission: { isFixed: false, revenueRateWad: 0n } })
    expect(epoch?.nodes.map(({ registryId, multiplierWad, report }) => [registryId, multiplierWad, report])).toEqual([
      [1n, WAD, null],
      [2n, WAD, null],
    ])
    const { budget, base, dynamic, reservoir } = epoch?.emission ?? { budget: 0n, base: 0n, dynamic: 0n, reservoir: 1n }
    expect(base + dynamic + reservoir).toBe(budget)
    expect(base * 4n).toBeLessThanOrEqual(budget)
    expect(await reader().epoch(1)).toBeNull()
    expect(await reader().earnings(staker.address)).toEqual({ account: staker.address, claimable: [], waiting: [], frozen: [] })
  })

  test('behavior: stake, exit and ballot show as they are on chain', async () => {
    await write(staker, { contract: 'StakedHeu', call: 'depositNative', args: [staker.address], valueWei: heu(1_000) })
    await write(staker, { contract: 'StakedHeu', call: 'requestRedeem', args: [heu(100), staker.address, staker.address] })
    await write(staker, { contract: 'NodeGauge', call: 'vote', args: [[nodeGaugeId(1n)], [10_000]] })
    const stake = await reader().stake(staker.address)
    expect(stake).toMatchObject({ shares: heu(900), assets: heu(900), rateWad: WAD, claimableAssets: 0n })
    expect(stake.exits).toEqual([{ index: 0, claimableAt: expect.any(Number), shares: heu(100), assets: heu(100) }])
    expect(stake.exits[0]?.claimableAt).toBeGreaterThan(stake.now + stake.exitDelaySeconds - 60)
    expect(stake.ballots).toEqual({ node: [{ id: nodeGaugeId(1n), bps: 10_000 }], pod: [] })
  })

  test('behavior: a closed epoch pays its nodes, their voters and the reservoir, to the wei', async () => {
    const { treasury, sequencer, chain } = testChain
    await write(treasury, { contract: 'EmissionController', call: 'setTipBps', args: [1n, 2_500] })
    await warp(WEEK)
    await warp(WEEK)
    const reports = [1n, 2n].map(nodeId => ({ nodeId, availabilityBps: 10_000n, capacity: 10n, organicComputeUnits: 0n }))
    await write(sequencer, { contract: 'EmissionController', call: 'report', args: [1n, reports] })
    await write(sequencer, { contract: 'EmissionController', call: 'seal', args: [1n] })
    await warp(2 * 86_400)
    const owner = async () => (await reader().earnings(treasury.address)).claimable.filter(({ kind }) => kind === 'emission')
    expect(await owner()).toEqual([])
    await write(treasury, { contract: 'EmissionController', call: 'finalise', args: [1n] })

    const closed = await reader().epoch(1)
    expect(closed).toMatchObject({ phase: 'final', emission: { isFixed: true }, secondsLeft: 0 })
    const [first, second] = closed?.nodes ?? []
    expect((first?.reward ?? 0n) + (second?.reward ?? 0n)).toBe(closed?.emission.base)
    expect(first).toMatchObject({
      tipBps: 2_500,
      report: { availabilityBps: 10_000, capacity: 10n, organicComputeUnits: 0n },
      isClaimed: false,
    })

    const tip = ((first?.reward ?? 0n) * 2_500n) / 10_000n
    expect(await owner()).toEqual([
      { kind: 'emission', registryId: 1n, epoch: 1, amount: (first?.reward ?? 0n) - tip, tip },
      { kind: 'emission', registryId: 2n, epoch: 1, amount: second?.reward, tip: 0n },
    ])
    await write(treasury, { contract: 'EmissionController', call: 'claim', args: [1n, 1n] })
    expect((await owner()).map(({ kind, ...item }) => 'registryId' in item && item.registryId)).toEqual([2n])

    const voters = { kind: 'voters', gauge: 'node', id: nodeGaugeId(1n), asset: chain.contracts.WrappedHeu, epochs: [1], amount: tip }
    expect((await reader().earnings(staker.address)).claimable).toEqual([voters])
    const before = await chain.nativeBalance(staker.address)
    const { gasUsed } = await write(staker, {
      contract: 'VoterRewards',
      call: 'claim',
      args: [0, nodeGaugeId(1n), [1n], chain.contracts.WrappedHeu],
    })
    expect(gasUsed).toBeGreaterThan(0)
    expect((await chain.nativeBalance(staker.address)) - before).toBeGreaterThan(tip - WAD)
    expect((await reader().earnings(staker.address)).claimable).toEqual([])
  })

  test('behavior: the overview adds up, and its history is what epochs were closed with', async () => {
    const [economy, reservoir, allocations] = await Promise.all([reader().overview(), reader().reservoir(), reader().vesting()])
    expect(economy.history).toEqual([
      expect.objectContaining({ epoch: 1, revenueRateWad: 0n, emissionRateWad: WAD / 80n, toReservoir: reservoir.balance }),
    ])
    expect(economy.emissionVault).toBe(heu(500_000_000) - (economy.history[0]?.emitted ?? 0n) - reservoir.balance)
    expect(economy).toMatchObject({ supply: heu(1_000_000_000), staked: heu(900), exiting: heu(100), vesting: heu(1_000_000) })
    expect(reservoir).toMatchObject({ unallocated: reservoir.balance, filled: reservoir.balance, grants: [] })
    expect(allocations).toMatchObject([{ name: 'treasury', total: heu(1_000_000), vested: heu(1_000_000), released: 0n }])
  })

  test('behavior: a matured exit and a vested allocation can be claimed', async () => {
    await warp(366 * 86_400)
    expect((await reader().earnings(staker.address)).claimable).toEqual([{ kind: 'exit', amount: heu(100) }])
    expect((await reader().stake(staker.address)).claimableAssets).toBe(heu(100))
    const timelock = testChain.contracts.HeuristTimelock
    expect((await reader().earnings(timelock)).claimable).toMatchObject([{ kind: 'vesting', name: 'treasury', amount: heu(1_000_000) }])
  })

  test('behavior: while a node of an account is jailed, what settlement owes the account is shown as frozen', async () => {
    const { chain, treasury } = testChain
    const owner = createSigner(newPrivateKey())
    await chain.send(treasury, { to: owner.address, data: '0x', valueWei: heu(110) })
    await registerNode(chain, owner, { hotKey: createSigner(newPrivateKey()), collateralWei: heu(100) })
    const { events, pods } = testDatabase.database
    const caughtUp = () => indexer.caughtUp()
    // Settled: five units of each asset.
    const earning = { ...chain, claimable: async () => 5n }
    const earnings = () =>
      createEconomyReader({ chain: earning, events, pods, networkSlots: () => 4, clock: systemClock, caughtUp }).earnings(owner.address)
    const { WrappedHeu, DevUsd } = chain.contracts
    const settled = [
      { asset: WrappedHeu, amount: 5n },
      { asset: DevUsd, amount: 5n },
    ]
    expect(await earnings()).toMatchObject({ claimable: settled.map(each => ({ kind: 'settlement', ...each })), frozen: [] })
    await write(treasury, { contract: 'ValidatorRegistry', call: 'join', args: [], valueWei: heu(100) })
    await write(treasury, { contract: 'Slasher', call: 'accuse', args: [3n, keccak256('sealed')] })
    expect(await earnings()).toMatchObject({ claimable: [], frozen: settled })
    await expect(
      chain.simulate(owner.address, { contract: 'JobSettlement', call: 'claim', args: [DevUsd, owner.address] }),
    ).rejects.toMatchObject({
      payload: { error: 'JobSettlement_Frozen', args: [owner.address, 1n] },
      message: expect.stringMatching(/is paid nothing while a node of its is jailed/),
    })
  })

  test('behavior: buybacks are told newest first, with what was sold for them', async () => {
    const { chain, treasury } = testChain
    const { Buyback } = chain.contracts
    expect(await reader().buybacks()).toEqual([])
    await transferUsd(chain, treasury, { to: Buyback, amount: 1_000_000n })
    const { transactionHash } = await write(treasury, { contract: 'Buyback', call: 'buy', args: [] })
    const [bought, ...rest] = await reader().buybacks()
    expect(rest).toEqual([])
    const { epoch, now } = (await reader().epoch()) ?? { epoch: -1, now: 0 }
    expect(bought).toMatchObject({ spentUsd: 1_000_000n, transactionHash, epoch, at: now })
    expect(bought?.givenHeu).toBe(await chain.read('StakedHeu', 'rewardedBy', [0]))
  })

  test('behavior: people who ask at the same time cost the chain one reading, and a failure is not kept', async () => {
    let readings = 0
    let isAway = true
    const events = testDatabase.database.events
    const shared = createEconomyReader({
      chain: testChain.chain,
      events,
      pods: testDatabase.database.pods,
      networkSlots: () => 1,
      clock: systemClock,
      caughtUp: async () => {
        readings += 1
        if (isAway) throw new Error('the chain is away')
      },
    })
    await expect(shared.reservoir()).rejects.toThrow('away')
    isAway = false
    const answers = await Promise.all([shared.reservoir(), shared.reservoir(), shared.reservoir()])
    expect(new Set(answers).size).toBe(1)
    expect(readings).toBe(2)
  })
})
