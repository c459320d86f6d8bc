import { encodeDeployData, encodeFunctionData, type PublicClient } from 'viem'
import {
  type Address,
  creditVaultAbi,
  devUsdAbi,
  frontendRegistryAbi,
  HeuristError,
  type Hex,
  jobSettlementAbi,
  nodeRegistryAbi,
  podRegistryAbi,
  wrappedHeuAbi,
} from '#protocol'
import type { Logger } from '../logger.ts'
import type { Signer } from '../signing.ts'
import { bytecodeOf } from './bytecode.ts'
import { translating } from './errors.ts'
import { type ChainErrorCode, CONTRACT_NAMES, type ContractAddresses, type ContractName } from './port.ts'
import { lower } from './reads.ts'
import { createRpcClient } from './rpc.ts'
import { createSender, type Sender } from './send.ts'

export type DeployOptions = {
  readonly rpcUrl: string
  readonly chainId: number
  /** May post batches. */
  readonly sequencer: Address
  /** USD per HEU, 18 decimals. */
  readonly heuPriceUsdWad: bigint
  /** 10 s to 14 days: earnings wait at least this long. */
  readonly challengeWindowSeconds: number
  /** 60 s to 30 days. */
  readonly withdrawalDelaySeconds: number
  /** 60 s to 60 days. */
  readonly unbondingDelaySeconds: number
  /** Wei of HEU asked of a node. */
  readonly minCollateralWei: bigint
  /** The stablecoin of a public chain; without it a DevUsd is deployed, which refuses all but development chains. */
  readonly stablecoin?: Address
  /** DevUsd for the faucet, micro-dollars, at most 100,000e6. Skipped when the account has that much. */
  readonly faucet?: { readonly account: Address; readonly devUsd: bigint }
}

/** What is known of a deployment. Kept by the caller (a setting, a JSON file); `complete` once every step is done and final. */
export type Deployment = {
  readonly chainId: number
  readonly fromBlock: number
  readonly addresses: Partial<Readonly<Record<ContractName, Address>>>
  readonly complete: boolean
}
export interface DeploymentStore {
  load(): Promise<Deployment | null>
  save(deployment: Deployment): Promise<void>
}
export type DeployStep = { readonly done: number; readonly total: number; readonly name: string; readonly skipped: boolean }
export type DeployDependencies = {
  /** Owns the contracts; pays for the deployment. */
  readonly deployer: Signer
  readonly store: DeploymentStore
  readonly logger: Logger
  readonly onStep?: (step: DeployStep) => void
  /** Makes what was done final before the deployment is called complete (the dev chain's `persist`). */
  readonly persist?: () => Promise<unknown>
}

type Step = { readonly name: string; done(): Promise<boolean>; run(): Promise<void> }
type Work = { readonly client: PublicClient; readonly send: Sender; readonly deployer: Signer }

/**
 * Puts the contracts on the chain and wires them. Idempotent: each step is checked on the chain, so a crash in between
 * resumes, and a finished deployment is only verified.
 * @throws HeuristError CHAIN_MISMATCH when a finished deployment is not on this chain: money depends on it, so it is not repeated
 */
export async function deployContracts(
  options: DeployOptions,
  dependencies: DeployDependencies,
): Promise<{ contracts: ContractAddresses; fromBlock: number }> {
  const { deployer, store } = dependencies
  const client = createRpcClient({ rpcUrl: options.rpcUrl })
  const send = createSender({ chainId: options.chainId, inclusionTimeoutMs: 120_000 }, client)
  const head = Number(await translating('read the newest block', () => client.getBlockNumber()))
  let deployment = (await store.load()) ?? { chainId: options.chainId, fromBlock: head, addresses: {}, complete: false }
  if (deployment.chainId !== options.chainId) throw otherChain(deployment, options.chainId)

  const addressOf = (name: ContractName): Address => {
    const address = deployment.addresses[name]
    if (!address) throw new Error(`step order: ${name} is not deployed yet`)
    return address
  }
  const hasCode = async (name: ContractName): Promise<boolean> => {
    const address = deployment.addresses[name]
    if (!address) return false
    const code = await translating(`look for ${name}`, () => client.getCode({ address }))
    return code !== undefined && code !== '0x'
  }
  const record = async (change: Partial<Deployment>): Promise<void> => {
    deployment = { ...deployment, ...change }
    await store.save(deployment)
  }
  if (deployment.complete) await demandCode(hasCode)

  const work: Work = { client, send, deployer }
  const deploySteps = CONTRACT_NAMES.map(
    (name): Step => ({
      name: `deploy ${name}`,
      done: () => hasCode(name),
      run: async () => {
        const given = name === 'DevUsd' ? options.stablecoin : undefined
        const epochGenesisSeconds = await genesisOf(client, deployment)
        const terms = { ...options, epochGenesisSeconds }
        const address = given ?? (await create(work, await deployData(name, terms, deployer.address, addressOf)))
        await record({ addresses: { ...deployment.addresses, [name]: address } })
      },
    }),
  )
  await runSteps([...deploySteps, ...wiringSteps(options, work, addressOf)], dependencies)
  if (!deployment.complete) {
    await dependencies.persist?.()
    await record({ complete: true })
  }
  return {
    contracts: Object.fromEntries(CONTRACT_NAMES.map(name => [name, addressOf(name)])) as ContractAddresses, // cast: one entry per name
    fromBlock: deployment.fromBlock,
  } // cast: one entry per name
}

async function runSteps(steps: readonly Step[], dependencies: DeployDependencies): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const skipped = await step.done()
    if (!skipped) {
      await step.run()
      dependencies.logger.info({ step: step.name }, 'deployment step done')
    }
    dependencies.onStep?.({ done: index + 1, total: steps.length, name: step.name, skipped })
  }
}

function wiringSteps(options: DeployOptions, work: Work, addressOf: (name: ContractName) => Address): Step[] {
  const { client, send, deployer } = work
  const vault = () => ({ address: addressOf('CreditVault'), abi: creditVaultAbi }) as const
  const settlement = () => ({ address: addressOf('JobSettlement'), abi: jobSettlementAbi }) as const
  const steps: Step[] = [
    {
      name: 'let JobSettlement debit the vault',
      done: async () => lower(await client.readContract({ ...vault(), functionName: 'settlement' })) === addressOf('JobSettlement'),
      run: async () => {
        const data = encodeFunctionData({ abi: creditVaultAbi, functionName: 'setSettlement', args: [addressOf('JobSettlement')] })
        await send(deployer, { to: vault().address, data })
      },
    },
    {
      name: 'name the sequencer',
      done: async () => lower(await client.readContract({ ...settlement(), functionName: 'sequencer' })) === options.sequencer,
      run: async () => {
        const data = encodeFunctionData({ abi: jobSettlementAbi, functionName: 'setSequencer', args: [options.sequencer] })
        await send(deployer, { to: settlement().address, data })
      },
    },
  ]
  const { faucet } = options
  if (faucet && !options.stablecoin) {
    const usd = () => ({ address: addressOf('DevUsd'), abi: devUsdAbi }) as const
    steps.push({
      name: 'fill the faucet with DevUsd',
      // Once: what the faucet gave away is not filled up again.
      done: async () => (await client.readContract({ ...usd(), functionName: 'totalSupply' })) >= faucet.devUsd,
      run: async () => {
        const data = encodeFunctionData({ abi: devUsdAbi, functionName: 'mint', args: [faucet.account, faucet.devUsd] })
        await send(deployer, { to: usd().address, data })
      },
    })
  }
  return steps.map(step => ({ ...step, done: () => translating(step.name, step.done) }))
}

async function deployData(
  name: ContractName,
  options: DeployOptions & { readonly epochGenesisSeconds: bigint },
  owner: Address,
  addressOf: (name: ContractName) => Address,
): Promise<Hex> {
  const bytecode = await bytecodeOf(name)
  switch (name) {
    case 'WrappedHeu':
      return encodeDeployData({ abi: wrappedHeuAbi, bytecode, args: [] })
    case 'DevUsd':
      return encodeDeployData({ abi: devUsdAbi, bytecode, args: [] })
    case 'NodeRegistry':
      return encodeDeployData({ abi: nodeRegistryAbi, bytecode, args: [owner, options.minCollateralWei, options.unbondingDelaySeconds] })
    case 'PodRegistry':
      return encodeDeployData({ abi: podRegistryAbi, bytecode, args: [owner] })
    case 'FrontendRegistry':
      return encodeDeployData({ abi: frontendRegistryAbi, bytecode, args: [owner] })
    case 'CreditVault': {
      const args = [owner, addressOf('WrappedHeu'), addressOf('DevUsd'), options.heuPriceUsdWad, options.withdrawalDelaySeconds] as const
      return encodeDeployData({ abi: creditVaultAbi, bytecode, args })
    }
    case 'JobSettlement': {
      const { sequencer, challengeWindowSeconds, epochGenesisSeconds } = options
      const args = [owner, addressOf('CreditVault'), sequencer, challengeWindowSeconds, epochGenesisSeconds] as const
      return encodeDeployData({ abi: jobSettlementAbi, bytecode, args })
    }
  }
}

/** Epochs count from the block before the deployment: the same for every contract, also when it resumes after a crash. */
async function genesisOf(client: PublicClient, { fromBlock }: Deployment): Promise<bigint> {
  const block = await translating('read the block before the deployment', () => client.getBlock({ blockNumber: BigInt(fromBlock) }))
  return block.timestamp
}

async function create(work: Work, data: Hex): Promise<Address> {
  const { transactionHash } = await work.send(work.deployer, { to: null, data })
  const receipt = await translating('read the address of a new contract', () =>
    work.client.getTransactionReceipt({ hash: transactionHash }),
  )
  if (!receipt.contractAddress) throw new Error(`transaction ${transactionHash} created no contract`)
  return lower(receipt.contractAddress)
}

async function demandCode(hasCode: (name: ContractName) => Promise<boolean>): Promise<void> {
  const present = await Promise.all(CONTRACT_NAMES.map(hasCode))
  const missing = CONTRACT_NAMES.filter((_, index) => !present[index])
  if (missing.length === 0) return
  throw new HeuristError<ChainErrorCode>(
    'CHAIN_MISMATCH',
    `The contracts were deployed before, but this chain has no ${missing.join(', ')}. The chain's state was removed or another chain is configured: ` +
      'put the state file back or correct CHAIN_RPC_URL. To start over, delete the whole .heurist folder; credits and receipts in it are lost.',
  )
}

function otherChain(deployment: Deployment, chainId: number): HeuristError<ChainErrorCode> {
  return new HeuristError<ChainErrorCode>(
    'CHAIN_MISMATCH',
    `The contracts are recorded for chain ${deployment.chainId}, the configured chain is ${chainId}. Use another HEURIST_HOME for another chain.`,
  )
}
