import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createMetrics, createSigner, newPrivateKey, silentLogger, systemClock } from '#platform'
import { registerNode } from '#platform/chain'
import { devRpc, startTestChain, type TestChain } from '#platform/chain/testing'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { WAD } from '#protocol'
import { createIndexer, type Indexer } from './indexer.ts'

let testChain: TestChain
let testDatabase: TestDatabase
let indexer: Indexer
beforeAll(async () => {
  ;[testChain, testDatabase] = await Promise.all([startTestChain(), createTestDatabase()])
})
afterEach(() => indexer?.stop())
afterAll(async () => {
  await testChain?.stop()
  await testDatabase?.stop()
})

const events = () => testDatabase.database.events
const start = (): Indexer => {
  const dependencies = { chain: testChain.chain, events: events(), clock: systemClock, logger: silentLogger, metrics: createMetrics() }
  indexer = createIndexer({ fromBlock: 0, pollMs: 20 }, dependencies)
  indexer.start()
  return indexer
}
const register = async () => {
  const hotKey = createSigner(newPrivateKey())
  await registerNode(testChain.chain, testChain.treasury, { hotKey, collateralWei: 100n * WAD })
  return hotKey.address
}
const registrations = (nodeId: string) => events().list({ contract: 'NodeRegistry', names: ['NodeRegistered'], args: { hotKey: nodeId } })
const rpc = (method: string, params: unknown[]) => devRpc(testChain.devChain.rpcUrl, method, params)

describe('createIndexer', () => {
  test('default: what happened before and after its start is in the store, with its arguments in words', async () => {
    const before = await register()
    start()
    const told: string[] = []
    indexer.onEvents(stored => told.push(...(stored ?? []).map(({ name }) => name)))
    await indexer.caughtUp()
    const after = await register()
    await indexer.caughtUp()
    expect(await registrations(before)).toHaveLength(1)
    expect(await registrations(after)).toMatchObject([
      { name: 'NodeRegistered', args: { hotKey: after, owner: testChain.treasury.address, collateral: String(100n * WAD) } },
    ])
    expect(told).toContain('NodeRegistered')
  })

  test('behavior: a restart goes on where it was and stores nothing twice', async () => {
    const all = await events().list({})
    start()
    await indexer.caughtUp()
    expect(await events().list({})).toEqual(all)
    const next = await register()
    await indexer.caughtUp()
    expect(await registrations(next)).toHaveLength(1)
  })

  test('behavior: what a re-org took away is taken back, and listeners are told', async () => {
    start()
    await indexer.caughtUp()
    const snapshot = await rpc('evm_snapshot', [])
    const lost = await register()
    await indexer.caughtUp()
    expect(await registrations(lost)).toHaveLength(1)
    let rewound = false
    indexer.onEvents(stored => {
      rewound ||= stored === null
    })
    await rpc('evm_revert', [snapshot])
    await vi.waitFor(async () => expect(await registrations(lost)).toEqual([]), { timeout: 10_000, interval: 20 })
    expect(rewound).toBe(true)
    const kept = await register()
    await vi.waitFor(async () => expect(await registrations(kept)).toHaveLength(1), { timeout: 10_000, interval: 20 })
  })

  test('behavior: rebuilt from block zero it is identical', async () => {
    start()
    await indexer.caughtUp()
    await indexer.stop()
    const all = await events().list({})
    expect(all.length).toBeGreaterThan(10)
    await events().apply({ events: [], cursor: { from: 0, checkpoints: [] }, rewoundTo: -1 })
    expect(await events().list({})).toEqual([])
    start()
    await indexer.caughtUp()
    expect(await events().list({})).toEqual(all)
  })
})
