import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { createSigner, newPrivateKey } from '../signing.ts'
import { type Deployment, type DeployStep, deployContracts } from './deploy.ts'
import { type DevChain, startDevChain } from './dev-chain.ts'
import { createRpcChain } from './rpc-chain.ts'
import { memoryDeployments, testDeployOptions } from './testing/index.ts'

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

const options = () => testDeployOptions(devChain.rpcUrl, sequencer, treasury.address)

async function deploy(store = memoryDeployments(), changes: Partial<ReturnType<typeof options>> = {}) {
  const steps: DeployStep[] = []
  const deployed = await deployContracts(
    { ...options(), ...changes },
    { logger: silentLogger, deployer: treasury, store, onStep: step => steps.push(step), persist: devChain.persist },
  )
  return { ...deployed, steps, store }
}

describe('deployContracts', () => {
  test('default: all contracts stand, wired, and a second run changes nothing', async () => {
    const first = await deploy()
    const chain = createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, ...first }, dependencies)
    await chain.check()
    expect(await chain.tokenBalance(treasury.address, first.contracts.DevUsd)).toBe(100_000_000_000n)
    // The constructor named the sequencer already.
    expect(first.steps.filter(step => step.skipped).map(step => step.name)).toEqual(['name the sequencer'])
    expect(first.steps.at(-1)).toMatchObject({ done: first.steps.length, total: first.steps.length })
    const blocks = (await chain.head()).number
    expect(devChain.finalBlock()).toBe(blocks)

    const second = await deploy(first.store)
    expect(second.contracts).toEqual(first.contracts)
    expect(second.steps.map(step => step.skipped)).not.toContain(false)
    expect((await chain.head()).number).toBe(blocks)
  })

  test('behavior: a crash at any step resumes where it was', async () => {
    const store = memoryDeployments()
    for (let survived = 1; store.current()?.complete !== true; survived++) {
      let saves = 0
      const crashing = {
        load: store.load,
        save: async (deployment: Deployment) => {
          await store.save(deployment)
          if (++saves >= 1 && !deployment.complete) throw new Error('crash')
        },
      }
      const crashed = await deploy({ ...store, ...crashing }).catch((error: Error) => error.message)
      if (typeof crashed === 'string') expect(crashed, `run ${survived}`).toBe('crash')
      expect(survived).toBeLessThan(12)
    }
    const { contracts } = await deploy(store)
    expect(new Set(Object.values(contracts)).size).toBe(7)
    await createRpcChain({ rpcUrl: devChain.rpcUrl, chainId: 31_337, contracts }, dependencies).check()
  })

  test('behavior: the sequencer can be changed by the next run', async () => {
    const { store, contracts } = await deploy()
    const other = createSigner(newPrivateKey()).address
    const { steps } = await deploy(store, { sequencer: other })
    expect(steps.filter(step => !step.skipped).map(step => step.name)).toEqual(['name the sequencer'])
    expect(contracts).toEqual(Object.fromEntries(Object.entries(store.current()!.addresses)))
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

  test('error: records of another chain are refused', async () => {
    const { store } = await deploy()
    await expect(deploy(store, { chainId: 1 })).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
  })
})
