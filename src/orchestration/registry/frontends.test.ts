import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics, createSigner, newPrivateKey, silentLogger, systemClock } from '#platform'
import { registerFrontend } from '#platform/chain'
import { startTestChain, type TestChain } from '#platform/chain/testing'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import { type Bytes32, merkleTree, type NodeId, referralLeaf, referralRoot, ZERO_BYTES32 } from '#protocol'
import { createFrontends, type Frontends } from './frontends.ts'
import { createIndexer, type Indexer } from './indexer.ts'

let testChain: TestChain
let testDatabase: TestDatabase
let indexer: Indexer
let frontends: Frontends
const nodes = [1, 2, 3].map(digit => `0x${String(digit).repeat(40)}` as NodeId) // cast: 20 bytes in hex
const stranger = createSigner(newPrivateKey())

beforeAll(async () => {
  ;[testChain, testDatabase] = await Promise.all([startTestChain(), createTestDatabase()])
  const { chain, treasury } = testChain
  const { events } = testDatabase.database
  indexer = createIndexer(
    { fromBlock: 0, pollMs: 20 },
    { chain, events, clock: systemClock, logger: silentLogger, metrics: createMetrics() },
  )
  indexer.start()
  await chain.send(treasury, { to: stranger.address, data: '0x', valueWei: 10n ** 18n })
})
afterEach(() => frontends?.stop())
afterAll(async () => {
  await indexer?.stop()
  await testChain?.stop()
  await testDatabase?.stop()
})

const start = async (): Promise<Frontends> => {
  const { events, settings } = testDatabase.database
  frontends = createFrontends({ events, settings, indexer, clock: systemClock, logger: silentLogger })
  await frontends.start()
  return frontends
}
const register = (name: string, list: readonly NodeId[]): Promise<{ frontendId: Bytes32 }> =>
  registerFrontend(testChain.chain, testChain.treasury, { name, feeBps: 300, referralRoot: referralRoot(list) })
const referred = (): NodeId[] => [...frontends.referredNodes(testChain.treasury.address)]

describe('createFrontends', () => {
  test('default: a list counts when it is the one on chain, also after a restart', async () => {
    const { frontendId } = await register('desk', [nodes[0]!, nodes[1]!])
    await start()
    await expect(frontends.publishReferrals(frontendId, [nodes[2]!])).rejects.toMatchObject({ code: 'FRONTEND_OTHER_LIST' })
    await expect(frontends.publishReferrals(frontendId, nodes)).rejects.toMatchObject({ code: 'FRONTEND_OTHER_LIST' })
    expect(referred()).toEqual([])
    const told = await frontends.publishReferrals(frontendId, [nodes[1]!, nodes[0]!])
    expect(told).toMatchObject({ name: 'desk', owner: testChain.treasury.address, payout: testChain.treasury.address, feeBps: 300 })
    expect(referred().sort()).toEqual([nodes[0], nodes[1]])
    frontends.stop()
    await start()
    expect(referred().sort()).toEqual([nodes[0], nodes[1]])
  })

  test('behavior: the contract proves the same list', async () => {
    const { frontendId } = await register('proved', nodes)
    const proof = merkleTree(nodes.map(referralLeaf)).proof(referralLeaf(nodes[2]!)) ?? []
    const ask = (nodeId: NodeId) => testChain.chain.read('FrontendRegistry', 'isReferred', [frontendId, nodeId, proof])
    expect(await ask(nodes[2]!)).toBe(true)
    expect(await ask(nodes[1]!)).toBe(false)
    expect(referralRoot([])).toBe(ZERO_BYTES32)
    expect(referralRoot([...nodes, ...nodes])).toBe(referralRoot(nodes.toReversed()))
  })

  test('behavior: when the owner changes the list on chain, the old one ends by itself', async () => {
    await start()
    expect(referred().length).toBe(2)
    const { frontendId } = frontends.list().find(({ name }) => name === 'desk')!
    const args = [frontendId, 200, testChain.treasury.address, referralRoot([nodes[2]!])] as const
    await testChain.chain.write(testChain.treasury, { contract: 'FrontendRegistry', call: 'update', args })
    await expect.poll(referred, { timeout: 20_000 }).toEqual([])
    expect(frontends.list().find(({ name }) => name === 'desk')).toMatchObject({ feeBps: 200, referred: null })
    await frontends.publishReferrals(frontendId, [nodes[2]!])
    expect(referred()).toEqual([nodes[2]])
    await testChain.chain.write(testChain.treasury, {
      contract: 'FrontendRegistry',
      call: 'transferFrontend',
      args: [frontendId, stranger.address],
    })
    await expect.poll(() => frontends.list().find(({ name }) => name === 'desk')?.owner, { timeout: 20_000 }).toBe(stranger.address)
  })

  test('error: what the chain does not know can not be published, and nobody is referred for strangers', async () => {
    await start()
    await expect(frontends.publishReferrals(`0x${'ab'.repeat(32)}`, [])).rejects.toMatchObject({ code: 'FRONTEND_UNKNOWN' })
    expect(frontends.referredNodes(stranger.address).size).toBe(0)
  })
})
