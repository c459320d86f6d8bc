import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Chain, createSigner, newPrivateKey, silentLogger, systemClock } from '#platform'
import { registerNode, requestNodeExit, transferHeu, warpDevChain } from '#platform/chain'
import { startTestChain, type TestChain } from '#platform/chain/testing'
import { HeuristError, keccak256, nodeGaugeId, WAD } from '#protocol'
import { createRegistry, type Registry } from './registry.ts'

let testChain: TestChain
let registry: Registry
beforeAll(async () => {
  testChain = await startTestChain()
})
afterEach(() => registry?.stop())
afterAll(() => testChain?.stop())

const start = async (chain: Chain = testChain.chain, options = {}): Promise<Registry> => {
  registry = createRegistry({ pollMs: 20, ...options }, { chain, clock: systemClock, logger: silentLogger })
  await registry.start()
  return registry
}
const register = async (owner = testChain.treasury) => {
  const hotKey = createSigner(newPrivateKey())
  await registerNode(testChain.chain, owner, { hotKey, collateralWei: 100n * WAD })
  return hotKey.address
}
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 20 })

describe('createRegistry', () => {
  test('default: it knows who registered before it started, and nobody else', async () => {
    const nodeId = await register()
    await start()
    expect(registry.standing(nodeId)).toMatchObject({ registered: true, collateral: 100n * WAD, owner: testChain.treasury.address })
    expect(registry.payout(nodeId)).toBe(testChain.treasury.address)
    expect(registry.standing(createSigner(newPrivateKey()).address)).toBeNull()
  })

  test('behavior: a node that registers or exits later is seen, and listeners are told', async () => {
    await start()
    const changes: string[] = []
    registry.onChange(nodeId => changes.push(nodeId))
    const nodeId = await register()
    await eventually(() => expect(registry.standing(nodeId)).toMatchObject({ exiting: false }))
    const known = await testChain.chain.nodeStanding(nodeId)
    await requestNodeExit(testChain.chain, testChain.treasury, known!.registryId)
    await eventually(() => expect(registry.standing(nodeId)).toMatchObject({ exiting: true }))
    expect(changes).toEqual([nodeId, nodeId])
  })

  test('behavior: a node is covered as long as what is not leaving reaches the floor', async () => {
    const nodeId = await register()
    await start()
    expect(registry.standing(nodeId)).toMatchObject({ bonded: 100n * WAD, restaked: 0n, floor: 100n * WAD, covered: true })
    const { registryId } = (await testChain.chain.nodeStanding(nodeId))!
    const write = (call: 'requestUnbond' | 'cancelUnbond') =>
      call === 'requestUnbond'
        ? testChain.chain.write(testChain.treasury, { contract: 'NodeRegistry', call, args: [registryId, 1n] })
        : testChain.chain.write(testChain.treasury, { contract: 'NodeRegistry', call, args: [registryId] })
    await write('requestUnbond')
    await eventually(() =>
      expect(registry.standing(nodeId)).toMatchObject({ collateral: 100n * WAD, bonded: 100n * WAD - 1n, covered: false }),
    )
    await write('cancelUnbond')
    await eventually(() => expect(registry.standing(nodeId)).toMatchObject({ covered: true }))
  })

  test('behavior: the first accusation jails, and restaked ETH covers', async () => {
    const { chain, treasury } = testChain
    // An owner of its own: with an open case it can register no other node.
    const owner = createSigner(newPrivateKey())
    await transferHeu(chain, treasury, { to: owner.address, amountWei: 110n * WAD })
    const nodeId = await register(owner)
    const { registryId } = (await chain.nodeStanding(nodeId))!
    await start()
    await chain.write(treasury, { contract: 'ValidatorRegistry', call: 'join', args: [], valueWei: 100n * WAD })
    await chain.write(treasury, { contract: 'Slasher', call: 'accuse', args: [registryId, keccak256('sealed')] })
    await eventually(() => expect(registry.standing(nodeId)).toMatchObject({ jailed: true, covered: true }))
    const avs = chain.contracts.RestakeAdapter
    await chain.write(owner, { contract: 'SimulatedRestaking', call: 'allocate', args: [avs, WAD] })
    const data = `0x${registryId.toString(16).padStart(64, '0')}` as const
    await chain.write(owner, { contract: 'SimulatedRestaking', call: 'register', args: [avs, data] })
    // One ETH at 1,000 HEU, half of it taken off.
    expect(await registry.refresh(nodeId)).toMatchObject({ restaked: 500n * WAD })
  })

  test('behavior: votes for a node are read as the epoch of now has them, for the router to rank by', async () => {
    const { chain, treasury, devChain } = testChain
    const nodeId = await register()
    const { registryId } = (await chain.nodeStanding(nodeId))!
    await chain.write(treasury, { contract: 'StakedHeu', call: 'depositNative', args: [treasury.address], valueWei: 1_000n * WAD })
    await chain.write(treasury, { contract: 'NodeGauge', call: 'vote', args: [[nodeGaugeId(registryId)], [6_000]] })
    await start()
    expect(registry.standing(nodeId), 'a vote counts from the next epoch').toMatchObject({ votes: 0n })
    await warpDevChain(devChain.rpcUrl, 604_800)
    expect(await registry.refresh(nodeId)).toMatchObject({ votes: 600n * WAD })
    expect(registry.standing(nodeId)).toMatchObject({ votes: 600n * WAD })
  })

  test('behavior: a node can be asked about before its event arrives', async () => {
    await start(testChain.chain, { pollMs: 60_000 })
    const nodeId = await register()
    expect(registry.standing(nodeId)).toBeNull()
    expect(await registry.refresh(nodeId)).toMatchObject({ registered: true })
    const standing = registry.standing(nodeId)
    await registry.refresh(nodeId)
    // The router compares by identity: the same content stays the same object.
    expect(registry.standing(nodeId)).toBe(standing)
  })

  test('behavior: while the chain is away the last standings stay, and their age is shown', async () => {
    const nodeId = await register()
    let away = false
    const down = () => Promise.reject(new HeuristError('CHAIN_UNAVAILABLE', 'down', { retryable: true }))
    const chain: Chain = { ...testChain.chain, allNodes: () => (away ? down() : testChain.chain.allNodes()) }
    await start(chain, { reloadMs: 20 })
    away = true
    const ageMs = registry.ageMs()
    await eventually(() => expect(registry.ageMs()).toBeGreaterThan(ageMs + 100))
    expect(registry.standing(nodeId)).toMatchObject({ registered: true })
    away = false
    await eventually(() => expect(registry.ageMs()).toBeLessThan(100))
  })

  test('behavior: a registration that the chain lost is forgotten', async () => {
    await testChain.devChain.persist()
    await start(testChain.chain, { reloadMs: 50, pollMs: 20 })
    const { pid } = testChain.devChain
    const nodeId = await register()
    expect(await registry.refresh(nodeId)).not.toBeNull()
    process.kill(pid, 'SIGKILL')
    await eventually(() => expect(testChain.devChain.pid).not.toBe(pid))
    const kept = await vi.waitFor(() => testChain.chain.nodeStanding(nodeId), { timeout: 10_000, interval: 20 })
    await eventually(() => expect(registry.standing(nodeId) === null).toBe(kept === null))
  })
})
