import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics, createSigner, newPrivateKey, silentLogger, systemClock } from '#platform'
import { registerNode, warpDevChain } from '#platform/chain'
import { startTestChain, type TestChain } from '#platform/chain/testing'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { BPS, type NodeId, WAD } from '#protocol'
import { createIndexer, type Indexer } from '../registry/indexer.ts'
import { closeEpochs } from './epochs.ts'

const DAY = 86_400
const PHASE = { disputing: 2, final: 5 }

let testChain: TestChain
let testDatabase: TestDatabase
let indexer: Indexer
let nodeIds: readonly NodeId[]
beforeAll(async () => {
  ;[testChain, testDatabase] = await Promise.all([startTestChain(), createTestDatabase()])
  const { chain, treasury } = testChain
  const dependencies = { chain, events: testDatabase.database.events, clock: systemClock, logger: silentLogger, metrics: createMetrics() }
  indexer = createIndexer({ fromBlock: 0, pollMs: 20 }, dependencies)
  indexer.start()
  const hotKeys = [0, 1, 2].map(() => createSigner(newPrivateKey()))
  for (const hotKey of hotKeys) await registerNode(chain, treasury, { hotKey, collateralWei: 100n * WAD })
  nodeIds = hotKeys.map(({ address }) => address)
})
afterAll(async () => {
  await indexer?.stop()
  await testChain?.stop()
  await testDatabase?.stop()
})

const keeper = () => {
  const { batches, nodes, events } = testDatabase.database
  return closeEpochs({ chain: testChain.chain, signer: testChain.sequencer, batches, nodes, events, caughtUp: indexer.caughtUp })
}
const warp = (seconds: number) => warpDevChain(testChain.devChain.rpcUrl, seconds)
const phaseOf = (epoch: bigint) => testChain.chain.read('EmissionController', 'phaseOf', [epoch])
const emissionOf = (epoch: bigint) => testChain.chain.read('EmissionController', 'emissionOf', [epoch])
const registryIdOf = async (nodeId: NodeId) => (await testChain.chain.allNodes()).find(node => node.nodeId === nodeId)?.registryId ?? 0n
const rewardOf = async (nodeId: NodeId, epoch: bigint) =>
  testChain.chain.read('EmissionController', 'rewardOf', [await registryIdOf(nodeId), epoch])
/** Each entry: part of the epoch present (basis points), capacity. */
const seen = (epoch: number, entries: readonly (readonly [number, number])[]) =>
  testDatabase.database.nodes.addEpochPresence(epoch, {
    router: 'router-0',
    watchedMs: 10_000,
    nodes: entries.map(([onlineMs, capacity], index) => ({ nodeId: nodeIds[index] as NodeId, onlineMs, capacity })), // cast: three nodes
  })

describe('closeEpochs', () => {
  test('default: an epoch is reported, waits for disputes, and is closed; twice the work changes nothing', async () => {
    await seen(0, [
      [10_000, 30],
      [5_000, 60],
      [10_000, 60],
    ])
    expect(await keeper().run()).toEqual([])
    await warp(7 * DAY)
    expect(await keeper().run()).toEqual(['reported 3 nodes for epoch 0'])
    expect(await phaseOf(0n)).toBe(PHASE.disputing)
    expect(await keeper().run()).toEqual([])
    await warp(DAY)
    const [one, two] = [keeper(), keeper()]
    const both = await Promise.allSettled([one.run(), two.run()])
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true)
    expect(await phaseOf(0n)).toBe(PHASE.final)
    expect(await keeper().run()).toEqual([])

    const { basePart, dynamicPart } = await emissionOf(0n)
    // 1 : 1 : 2 by availability x capacity; nobody worked.
    const rewards = await Promise.all(nodeIds.map(nodeId => rewardOf(nodeId, 0n)))
    expect(dynamicPart).toBe(0n)
    expect(basePart).toBeGreaterThan(100_000n * WAD)
    expect(rewards.reduce((sum, reward) => sum + reward)).toBe(basePart)
    expect(rewards[2]).toBe(basePart - basePart / 2n)
    expect(rewards[0]).toBe(basePart / 4n)
  })

  test('behavior: a report that was cut off is gone on with, not begun again', async () => {
    await seen(1, [
      [10_000, 10],
      [10_000, 10],
    ])
    await warp(6 * DAY)
    const [first, second] = await Promise.all(nodeIds.slice(0, 2).map(registryIdOf))
    const [low, high] = (first as bigint) < (second as bigint) ? [first, second] : [second, first]
    const half = { nodeId: low as bigint, availabilityBps: BPS, capacity: 10n, organicComputeUnits: 0n }
    await testChain.chain.write(testChain.sequencer, { contract: 'EmissionController', call: 'report', args: [1n, [half]] })
    expect(await keeper().run()).toEqual(['reported 2 nodes for epoch 1'])
    const { events } = testDatabase.database
    await indexer.caughtUp()
    const told = await events.list({ contract: 'EmissionController', names: ['NodeReported'], args: { epoch: '1' } })
    expect(told.map(({ args }) => args.nodeId)).toEqual([String(low), String(high)])
  })

  test('behavior: epochs that nobody reported in time are closed as empty, all of them', async () => {
    await warp(4 * 7 * DAY)
    const told: string[] = []
    for (let round = 0; round < 3; round++) told.push(...(await keeper().run()))
    expect(told).toContain('closed epoch 2')
    for (const epoch of [1n, 2n, 3n]) expect(await phaseOf(epoch)).toBe(PHASE.final)
    expect(await emissionOf(2n)).toMatchObject({ basePart: 0n, dynamicPart: 0n })
  })
})
