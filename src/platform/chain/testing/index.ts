import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, WAD } from '#protocol'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../logger.ts'
import { createSigner, newPrivateKey, type Signer } from '../../signing.ts'
import { startWatchdog } from '../../watchdog.ts'
import { type Deployment, type DeploymentStore, type DeployOptions, deployContracts } from '../deploy/index.ts'
import { type DevChain, type DevChainOptions, startDevChain } from '../dev-chain.ts'
import type { Chain, ChainCursor, ContractAddresses, CursorStore } from '../port.ts'
import { createRpcChain } from '../rpc-chain.ts'

export { devRpc } from '../dev-process.ts'

export type TestChain = {
  readonly devChain: DevChain
  readonly chain: Chain
  readonly contracts: ContractAddresses
  readonly stateFile: string
  /** Has what the genesis left to the faucet, and 100,000 DevUsd. */
  readonly treasury: Signer
  readonly sequencer: Signer
  stop(): Promise<void>
}

/** A deployment record in memory. */
export function memoryDeployments(): DeploymentStore & { current(): Deployment | null } {
  let current: Deployment | null = null
  return {
    load: async () => current,
    save: async deployment => {
      current = deployment
    },
    current: () => current,
  }
}

/** A cursor in memory. */
export function memoryCursor(): CursorStore & { current(): ChainCursor | null } {
  let current: ChainCursor | null = null
  return {
    load: async () => current,
    save: async cursor => {
      current = cursor
    },
    current: () => current,
  }
}

const AT_ONCE = { startBps: 10_000, cliffSeconds: 0n, vestSeconds: 0n }

export function testDeployOptions(rpcUrl: string, sequencer: Address, faucetAccount: Address): DeployOptions {
  return {
    rpcUrl,
    chainId: 31_337,
    sequencer,
    guardian: faucetAccount,
    heuPriceUsdWad: WAD / 10n,
    challengeWindowSeconds: 10,
    withdrawalDelaySeconds: 60,
    unbondingDelaySeconds: 60,
    minCollateralWei: 100n * WAD,
    exitDelaySeconds: 365 * 86_400,
    collateral: {
      security: {
        rewardWei: 10n ** 15n,
        honestCostWei: 6n * 10n ** 14n,
        cheatCostWei: 15n * 10n ** 13n,
        outsideGainWei: 0n,
        identityCostWei: 0n,
        speedupWad: 4n * WAD,
        discountWad: (WAD * 99n) / 100n,
        auditsToDetect: 5,
        latencyTasks: 2_400,
        auditShareBps: 500,
        slashBps: 1_000,
        heuHaircutBps: 3_000,
      },
      minValidatorBondWei: 100n * WAD,
      windowsSeconds: { commit: 60, vote: 60, reveal: 60, dispute: 60, jail: 60, cooldown: 60 },
      stakesWei: { accusation: 10n * WAD, duty: WAD, dispute: WAD },
      committeeSize: 51,
      restaking: {
        heuPerEthWad: 1_000n * WAD,
        haircutBps: 5_000,
        capWei: 10_000n * WAD,
        horizonBlocks: 500,
        deallocationDelayBlocks: 1_000,
      },
    },
    governance: {
      votingDelaySeconds: 10,
      votingPeriodSeconds: 60,
      lateQuorumExtensionSeconds: 10,
      timelockDelaySeconds: 10,
      quorumPercent: 4n,
      proposalThresholdWei: 1_000n * WAD,
      quorumFloorWei: 100_000n * WAD,
    },
    genesis: [
      { name: 'emission', holder: 'emission', schedule: { ...AT_ONCE, total: 500_000_000n * WAD }, revocable: false },
      { name: 'treasury', holder: 'treasury', schedule: { ...AT_ONCE, total: 1_000_000n * WAD }, revocable: false },
    ],
    l1Cost: { perEpochWei: 0n, receiver: faucetAccount },
    market: {
      guards: { twapWindowSeconds: 300, maxDeviationTicks: 100, maxSlippageBps: 60, epochLimitUsd: 10_000_000_000n },
      heuPriceUsdWad: WAD / 10n,
      liquidityUsd: 50_000_000_000n,
    },
    faucet: { account: faucetAccount, devUsd: 100_000_000_000n },
  }
}

/** A real dev chain in a temporary folder with the contracts on it and a sequencer that can pay gas. For tests only. */
export async function startTestChain(options: Pick<DevChainOptions, 'autosave'> = {}): Promise<TestChain> {
  const folder = await mkdtemp(join(tmpdir(), 'heurist-chain-'))
  const stateFile = join(folder, 'chain.state')
  const treasury = createSigner(newPrivateKey())
  const sequencer = createSigner(newPrivateKey())
  // A test run that is killed must not leave the chain behind.
  const watchdog = startWatchdog({ graceMs: 1_000 })
  const dependencies = { clock: systemClock, logger: silentLogger, watchdog }
  const devChain = await startDevChain(
    { stateFile, port: 0, treasury: treasury.address, feeVault: treasury.address, ...options },
    dependencies,
  )
  try {
    const deployed = await deployContracts(testDeployOptions(devChain.rpcUrl, sequencer.address, treasury.address), {
      logger: silentLogger,
      deployer: treasury,
      store: memoryDeployments(),
      persist: devChain.persist,
    })
    const chain = createRpcChain(
      { rpcUrl: devChain.rpcUrl, chainId: devChain.chainId, ...deployed, finalBlock: devChain.finalBlock, inclusionTimeoutMs: 3_000 },
      dependencies,
    )
    await chain.send(treasury, { to: sequencer.address, data: '0x', valueWei: 1_000n * WAD })
    const stop = async (): Promise<void> => {
      await devChain.stop()
      await watchdog.stop()
      await rm(folder, { recursive: true, force: true })
    }
    return { devChain, chain, contracts: deployed.contracts, stateFile, treasury, sequencer, stop }
  } catch (error) {
    await devChain.stop()
    await watchdog.stop()
    throw error
  }
}
