import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WAD } from '#protocol'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../logger.ts'
import { createSigner, newPrivateKey } from '../../signing.ts'
import { transferHeu } from '../actions.ts'
import { type DevChain, GENESIS_SUPPLY_WEI, startDevChain } from '../dev-chain.ts'
import { devRpc } from '../dev-process.ts'
import { CONTRACT_NAMES, type ContractAddresses } from '../port.ts'
import { lower } from '../reads.ts'
import { createRpcChain } from '../rpc-chain.ts'
import { memoryDeployments, testDeployOptions } from '../testing/index.ts'
import { type Deployment, type DeployStep, deployContracts } from './index.ts'

const treasury = createSigner(newPrivateKey())
const sequencer = createSigner(newPrivateKey()).address
const dependencies = { clock: systemClock, logger: silentLogger }
let folder: string
let devChain: DevChain
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heurist-deploy-'))
  devChain = await startDevChain(
    { stateFile: join(folder, 's'), port: 0, treasury: treasury.address, feeVault: treasury.address },
    dependencies,
  )
})
afterAll(async () => {
  await devChain?.stop()
  await rm(folder, { recursive: true, force: true })
})

// Each deployment distributes the supply.
beforeEach(() => devRpc(devChain.rpcUrl, 'anvil_setBalance', [treasury.address, `0x${GENESIS_SUPPLY_WEI.toString(16)}`]))

const options = () => testDeployOptions(devChain.rpcUrl, sequencer, treasury.address)
type Changes = Partial<ReturnType<typeof options>> & { window?: number; onStep?: (step: DeployStep) => void }

async function deploy(store = memoryDeployments(), { window, onStep, ...changes }: Changes = {}) {
  const steps: DeployStep[] = []
  const deployed = await deployContracts(
    { ...options(), ...changes },
    {
      logger: silentLogger,
      deployer: treasury,
      store,
      onStep: step => {
        steps.push(step)
        onStep?.(step)
      },
      persist: devChain.persist,
      ...(window !== undefined && { window }),
    },
  )
  return { ...deployed, steps, store }
}

describe('deployContracts', () => {
  test('default: all contracts stand, wired, and a second run changes nothing', async () => {
    const first = await deploy()
    const chain = createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, ...first }, dependencies)
    await chain.check()
    expect(await chain.tokenBalance(treasury.address, first.contracts.DevUsd)).toBe(100_000_000_000n)
    expect(new Set(Object.values(first.contracts)).size).toBe(CONTRACT_NAMES.length)
    expect(first.steps.map(step => step.skipped)).not.toContain(true)
    expect(first.steps.at(-1)).toMatchObject({ done: first.steps.length, total: first.steps.length })
    const blocks = (await chain.head()).number
    expect(devChain.finalBlock()).toBe(blocks)

    const second = await deploy(first.store)
    expect(second.contracts).toEqual(first.contracts)
    expect(second.steps).toEqual([])
    expect((await chain.head()).number).toBe(blocks)
  })

  test('behavior: only the slasher takes collateral, and floor and restaked ETH decide who is covered', async () => {
    const { contracts } = await deploy()
    const chain = createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, contracts }, dependencies)
    const { Slasher, RestakeAdapter, CollateralFloor, SimulatedRestaking } = contracts
    const named = async (...reads: Promise<string>[]): Promise<string[]> => (await Promise.all(reads)).map(found => found.toLowerCase())
    expect(
      await named(
        chain.read('NodeRegistry', 'jailer', []),
        chain.read('NodeRegistry', 'slasher', []),
        chain.read('ValidatorRegistry', 'slasher', []),
        chain.read('RefundPot', 'slasher', []),
        chain.read('RestakeAdapter', 'slasher', []),
      ),
    ).toEqual(Array(5).fill(Slasher))
    expect(
      await named(
        chain.read('NodeRegistry', 'restake', []),
        chain.read('CollateralFloor', 'restake', []),
        chain.read('Slasher', 'restake', []),
      ),
    ).toEqual(Array(3).fill(RestakeAdapter))
    expect(await named(chain.read('NodeRegistry', 'floor', []))).toEqual([CollateralFloor])
    expect(await named(chain.read('SimulatedRestaking', 'registrarOf', [RestakeAdapter]))).toEqual([RestakeAdapter])
    expect((await chain.read('RestakeAdapter', 'strategies', [])).map(lower)).toEqual([SimulatedRestaking])
    // Appendix A at the launch parameters, below the 100 HEU that the registry asks in this test.
    const { auditsToDetect } = await chain.read('CollateralFloor', 'parameters', [])
    expect([auditsToDetect, await chain.read('CollateralFloor', 'floorOf', [1n])]).toEqual([5, 100n * WAD])
  })

  test('behavior: a crash after any step resumes where it was, and no step is done twice', async () => {
    const store = memoryDeployments()
    const done: string[] = []
    const crash = ({ name, skipped }: DeployStep): void => {
      if (skipped) return
      done.push(name)
      throw new Error('crash')
    }
    for (let runs = 1; store.current()?.complete !== true; runs++) {
      const outcome = await deploy(store, { window: 1, onStep: crash }).then(
        () => 'finished',
        (error: Error) => error.message,
      )
      expect(['crash', 'finished'], `run ${runs}, after ${done.at(-1)}`).toContain(outcome)
      expect(runs).toBeLessThan(200)
    }
    expect(new Set(done).size).toBe(done.length)
    expect(done.slice(0, CONTRACT_NAMES.length)).toEqual(CONTRACT_NAMES.map(name => `deploy ${name}`))
    const { contracts } = await deploy(store)
    await createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, contracts }, dependencies).check()
  }, 240_000)

  test('behavior: addresses recorded before a crash, but never sent, are given anew', async () => {
    const store = memoryDeployments()
    const save = async (deployment: Deployment): Promise<void> => {
      await store.save(deployment)
      throw new Error('crash')
    }
    await expect(deploy({ ...store, save })).rejects.toThrow('crash')
    const recorded = store.current()?.addresses
    const other = createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, contracts: {} as ContractAddresses }, dependencies) // cast: not used
    await transferHeu(other, treasury, { to: sequencer, amountWei: 1n }) // Takes a nonce that the record counted on.
    const { contracts } = await deploy(store)
    expect(contracts.WrappedHeu).toBe(recorded?.DevUsd)
    await createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, contracts }, dependencies).check()
  })

  test('error: a finished deployment that is not on this chain is not repeated', async () => {
    const { store } = await deploy()
    const empty = await startDevChain(
      { stateFile: join(folder, 'other'), port: 0, treasury: treasury.address, feeVault: treasury.address },
      dependencies,
    )
    try {
      await expect(deploy(store, { rpcUrl: empty.rpcUrl })).rejects.toMatchObject({
        code: 'CHAIN_MISMATCH',
        message: expect.stringMatching(/put the state file back/),
      })
    } finally {
      await empty.stop()
    }
  })

  test('error: records of another chain, or of a version with other contracts, are refused unchanged', async () => {
    const { store } = await deploy()
    await expect(deploy(store, { chainId: 1 })).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
    const older = { ...(store.current() as Deployment), interfaces: '' } // cast: just deployed
    const kept = memoryDeployments()
    await kept.save(older)
    await expect(deploy(kept)).rejects.toMatchObject({
      code: 'CHAIN_MISMATCH',
      message: expect.stringMatching(/another version of Heurist.*Nothing was changed.*mv \.heurist \.heurist\.old/s),
    })
    expect(kept.current()).toEqual(older)
  })

  test('error: a step that the chain refuses is named with the reason, and nothing is called complete', async () => {
    const store = memoryDeployments()
    await expect(deploy(store, { challengeWindowSeconds: 1 })).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
    expect(store.current()?.complete).toBe(false)
  })
})
