import { type Abi, encodeDeployData, getContractAddress } from 'viem'
import { type Address, contractAbis } from '#protocol'
import { bytecodeOf } from '../bytecode.ts'
import { createContractReads } from '../contract-calls.ts'
import { translating } from '../errors.ts'
import { CONTRACT_NAMES, type ContractAddresses, type ContractName } from '../port.ts'
import { lower } from '../reads.ts'
import { createRpcClient } from '../rpc.ts'
import { type QueuedCall, sendMany } from '../send-many.ts'
import { CREATIONS, givenAddress } from './creations.ts'
import { genesisSteps } from './genesis.ts'
import { guardianSteps, handoverSteps } from './handover.ts'
import { marketSteps } from './market.ts'
import type { DeployDependencies, DeployOptions } from './options.ts'
import { type Deployment, demandPresent, demandUsable, interfacesHash } from './record.ts'
import { wiringSteps } from './wiring.ts'
import type { Step, World } from './world.ts'

export type {
  CollateralOptions,
  DeployDependencies,
  DeployOptions,
  DeployStep,
  GenesisPart,
  GovernanceOptions,
  MarketOptions,
} from './options.ts'
export type { Deployment, DeploymentStore } from './record.ts'

const INCLUSION_TIMEOUT_MS = 120_000
const WINDOW = 100
/** More than a step uses that names no other limit; what is not used is not paid. */
const CALL_GAS = 2_000_000n
/** 200 gas for each byte of code that stays, 16 for each that is sent, and room for what the constructor does. */
const CREATION_GAS = { base: 2_000_000n, perByte: 220n }

/**
 * Puts the contracts on the chain, wires them, distributes the genesis and hands everything to the timelock. Idempotent: each
 * step is checked on the chain, so a crash in between resumes, and a finished deployment is only verified. Transactions are sent
 * without waiting for each: addresses follow from the deployer's nonces and are recorded before anything is sent.
 * @throws HeuristError CHAIN_MISMATCH when a finished deployment is not on this chain: money depends on it, so it is not repeated
 */
export async function deployContracts(
  options: DeployOptions,
  dependencies: DeployDependencies,
): Promise<{ contracts: ContractAddresses; fromBlock: number }> {
  const work = await openWork(options, dependencies)
  const missing = await contractsWithoutCode(work)
  if (work.deployment.complete) demandPresent(missing)
  else await deployAll(work, missing)
  const { addresses, fromBlock } = work.deployment
  return { contracts: addresses as ContractAddresses, fromBlock } // cast: complete, so it has every name
}

type Work = {
  readonly options: DeployOptions
  readonly dependencies: DeployDependencies
  readonly client: World['client']
  deployment: Deployment
}

async function openWork(options: DeployOptions, dependencies: DeployDependencies): Promise<Work> {
  const client = createRpcClient({ rpcUrl: options.rpcUrl })
  const stored = await dependencies.store.load()
  if (stored) demandUsable(stored, options.chainId)
  const head = stored ? 0 : Number(await translating('read the newest block', () => client.getBlockNumber()))
  const fresh = { chainId: options.chainId, fromBlock: head, interfaces: interfacesHash(), addresses: {}, complete: false }
  return { options, dependencies, client, deployment: stored ?? fresh }
}

async function record(work: Work, change: Partial<Deployment>): Promise<void> {
  work.deployment = { ...work.deployment, ...change }
  await work.dependencies.store.save(work.deployment)
}

async function contractsWithoutCode({ client, deployment }: Work): Promise<ContractName[]> {
  const codes = await translating('look for the contracts', () =>
    Promise.all(
      CONTRACT_NAMES.map(name => {
        const address = deployment.addresses[name]
        return address && client.getCode({ address })
      }),
    ),
  )
  return CONTRACT_NAMES.filter((_, index) => !codes[index] || codes[index] === '0x')
}

async function deployAll(work: Work, missing: readonly ContractName[]): Promise<void> {
  const created = missing.filter(name => !givenAddress(name, work.options))
  const firstNonce = await nextNonce(work)
  const from = work.dependencies.deployer.address
  const addresses = Object.fromEntries(missing.map(name => [name, givenAddress(name, work.options)]))
  for (const [index, name] of created.entries()) addresses[name] = creationAddress(from, firstNonce + index)
  await record(work, { addresses: { ...work.deployment.addresses, ...addresses } as ContractAddresses }) // cast: each has one now
  const world = await worldOf(work)
  const progress = createProgress(
    work,
    CONTRACT_NAMES.filter(name => !created.includes(name)).map(name => `deploy ${name}`),
    created.length,
  )
  const creations = await Promise.all(created.map(async name => ({ name: `deploy ${name}`, ...(await creationOf(name, world)) })))
  await sendAll(work, firstNonce, creations, progress)
  await runSteps(work, world, progress)
  await work.dependencies.persist?.()
  await record(work, { complete: true })
}

/** Which steps are to do is asked all at once, and what is to do is sent all at once. */
async function runSteps(work: Work, world: World, progress: Progress): Promise<void> {
  const market = await marketSteps(world)
  const steps: Step[] = [...wiringSteps(world), ...genesisSteps(world), ...market, ...guardianSteps(world), ...handoverSteps(world)]
  const done = await translating('read how far the deployment is', () => Promise.all(steps.map(step => step.done())))
  progress.expect(steps.length)
  for (const [index, step] of steps.entries()) if (done[index]) progress.tell(step.name, true)
  const open = steps.filter((_, index) => !done[index])
  const calls = open.map(step => ({ ...step, gasLimit: step.gasLimit ?? CALL_GAS }))
  await sendAll(work, await nextNonce(work), calls, progress)
}

/** Of recorded addresses: what is created or called may not be there yet. */
async function worldOf({ options, dependencies, client, deployment: { fromBlock, addresses } }: Work): Promise<World> {
  // Epochs count from the block before the deployment: the same for every contract, also when it resumes after a crash.
  const block = await translating('read the block before the deployment', () => client.getBlock({ blockNumber: BigInt(fromBlock) }))
  const contracts = addresses as ContractAddresses // cast: deployAll recorded every name
  return {
    client,
    calls: createContractReads(client, contracts),
    options,
    deployer: dependencies.deployer.address,
    epochGenesisSeconds: Number(block.timestamp),
    at: name => contracts[name],
  }
}

async function nextNonce({ client, dependencies }: Work): Promise<number> {
  const address = dependencies.deployer.address
  return translating("read the deployer's nonce", () => client.getTransactionCount({ address, blockTag: 'pending' }))
}

function creationAddress(from: Address, nonce: number): Address {
  return lower(getContractAddress({ from, nonce: BigInt(nonce) }))
}

async function creationOf(name: ContractName, world: World): Promise<QueuedCall> {
  const bytecode = await bytecodeOf(name)
  const abi = contractAbis[name] as Abi // cast: CREATIONS checked the arguments against this very ABI
  const data = encodeDeployData({ abi, bytecode, args: CREATIONS[name](world) as readonly unknown[] }) // cast: as above
  return { to: null, data, gasLimit: CREATION_GAS.base + (CREATION_GAS.perByte * BigInt(data.length)) / 2n }
}

type Named<T> = T & { readonly name: string }

async function sendAll(work: Work, firstNonce: number, calls: readonly Named<QueuedCall>[], progress: Progress): Promise<void> {
  const { deployer, logger, window } = work.dependencies
  const options = {
    chainId: work.options.chainId,
    firstNonce,
    inclusionTimeoutMs: INCLUSION_TIMEOUT_MS,
    window: window ?? WINDOW,
  }
  await sendMany(work.client, deployer, calls, options, index => {
    const name = calls[index]?.name ?? ''
    logger.info({ step: name }, 'deployment step done')
    progress.tell(name, false)
  })
}

type Progress = { tell(name: string, skipped: boolean): void; expect(more: number): void }

function createProgress({ dependencies }: Work, skipped: readonly string[], expected: number): Progress {
  let done = 0
  let total = skipped.length + expected
  const progress: Progress = {
    tell(name, wasDone) {
      done += 1
      dependencies.onStep?.({ done, total, name, skipped: wasDone })
    },
    expect(more) {
      total += more
    },
  }
  for (const name of skipped) progress.tell(name, true)
  return progress
}
