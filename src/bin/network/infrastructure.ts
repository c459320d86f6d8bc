import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chain, Clock, Database, Logger, Metrics, Signer } from '#platform'
import {
  createRpcChain,
  type Deployment,
  type DeploymentStore,
  type DevChain,
  deployContracts,
  readChainId,
  startDevChain,
} from '#platform/chain'
import { createDatabase, startEmbeddedPostgres, startWatchdog } from '#platform/database'
import { parseUnits } from '#protocol'
import type { Config } from '../config.ts'
import { type Home, loadSigner } from '../home.ts'
import type { Progress } from '../progress.ts'

/** The keys of the roles that one operator runs. On the dev chain the treasury owns the supply and fills faucets. */
export type RoleSigners = {
  readonly treasury: Signer
  readonly operator: Signer
  readonly router: Signer
  readonly sequencer: Signer
  readonly developer: Signer
}

/** What everything else stands on: a database, a chain with our contracts, and the processes behind them. */
export type Infrastructure = {
  readonly database: Database
  readonly chain: Chain
  readonly rpcUrl: string
  readonly fromBlock: number
  readonly isDevChain: boolean
  readonly signers: RoleSigners
  /** Makes what the dev chain did final; nothing on other chains. */
  persistChain(): Promise<void>
  pids(): Record<string, number>
  /** Calls `run` when the database or the chain is gone for good. */
  onLost(run: (reason: string) => void): void
  stop(): Promise<void>
}

export type InfrastructureDependencies = {
  readonly home: Home
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly progress: Progress
}

/** The dev chain mines at once: a transaction that is not in a block by then was lost with the process, and is sent again. */
const DEV_INCLUSION_MS = 3000
const DEV_HEU_PRICE_USD = '0.05'
const DEV_FAUCET_USD = '100000'
const DEV_WITHDRAWAL_DELAY_SECONDS = 60
const DEV_UNBONDING_DELAY_SECONDS = 3600

export function roleSigners(home: Home): RoleSigners {
  const load = (name: string): Signer => loadSigner(home, name)
  return {
    treasury: load('treasury'),
    operator: load('operator'),
    router: load('router'),
    sequencer: load('sequencer'),
    developer: load('developer'),
  }
}

/** The deployment's record, replaced as a whole so that a crash leaves the old one or the new one. */
function deploymentFile(home: Home): DeploymentStore {
  const path = join(home.chain, 'deployment.json')
  return {
    async load() {
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Deployment) : null // cast: written below; its addresses are checked on the chain
    },
    async save(deployment) {
      await writeFile(`${path}.partial`, JSON.stringify(deployment, null, 2), { mode: 0o600, flush: true })
      await rename(`${path}.partial`, path)
    },
  }
}

/** Starts or connects the database and the chain, side by side, and puts the contracts there. */
export async function startInfrastructure(config: Config, dependencies: InfrastructureDependencies): Promise<Infrastructure> {
  const { home, clock, logger, metrics, progress } = dependencies
  const watchdog = startWatchdog()
  const signers = roleSigners(home)
  const stops: (() => Promise<unknown>)[] = [() => watchdog.stop()]
  const undo = async (): Promise<void> => {
    for (const stop of stops.reverse()) await stop()
  }
  try {
    const [postgres, devChain] = await Promise.all([
      config.databaseUrl
        ? null
        : progress.step('PostgreSQL', tell => startEmbeddedPostgres({ directory: home.database, onProgress: tell }, { logger, watchdog })),
      config.chainRpcUrl
        ? null
        : progress.step('dev chain', () =>
            startDevChain(
              {
                stateFile: join(home.chain, 'state.json'),
                port: config.chainPort,
                treasury: signers.treasury.address,
                feeVault: signers.operator.address,
              },
              { clock, logger, watchdog },
            ),
          ),
    ])
    if (postgres) stops.push(() => postgres.stop())
    if (devChain) stops.push(() => devChain.stop())
    const database = await progress.step('database schema', () =>
      createDatabase({ connectionString: config.databaseUrl || (postgres?.connectionString ?? '') }, { logger, clock, metrics }),
    )
    stops.push(() => database.stop())
    const rpcUrl = config.chainRpcUrl || (devChain?.rpcUrl ?? '')
    const { chain, fromBlock } = await progress.step('contracts', tell =>
      openContracts(config, { ...dependencies, signers, devChain, rpcUrl, tell }),
    )
    return {
      database,
      chain,
      rpcUrl,
      fromBlock,
      signers,
      isDevChain: devChain !== null,
      persistChain: async () => void (await devChain?.persist()),
      pids: () => ({ ...(postgres && { database: postgres.pid }), ...(devChain && { chain: devChain.pid }) }),
      onLost(run) {
        postgres?.onExit(run)
        devChain?.onExit(run)
      },
      stop: undo,
    }
  } catch (error) {
    await undo()
    throw error
  }
}

type ContractWork = InfrastructureDependencies & {
  readonly signers: RoleSigners
  readonly devChain: DevChain | null
  readonly rpcUrl: string
  readonly tell: (detail: string) => void
}

async function openContracts(config: Config, work: ContractWork): Promise<{ chain: Chain; fromBlock: number }> {
  const { clock, logger, signers, devChain, rpcUrl, tell } = work
  const chainId = devChain?.chainId ?? (await readChainId(rpcUrl))
  const deployed = await deployContracts(
    {
      rpcUrl,
      chainId,
      sequencer: signers.sequencer.address,
      heuPriceUsdWad: parseUnits(DEV_HEU_PRICE_USD, 18),
      challengeWindowSeconds: config.challengeWindowSeconds,
      withdrawalDelaySeconds: DEV_WITHDRAWAL_DELAY_SECONDS,
      unbondingDelaySeconds: DEV_UNBONDING_DELAY_SECONDS,
      minCollateralWei: parseUnits(String(config.minCollateralHeu), 18),
      faucet: { account: signers.treasury.address, devUsd: parseUnits(DEV_FAUCET_USD, 6) },
    },
    {
      deployer: signers.treasury,
      store: deploymentFile(work.home),
      logger,
      onStep: ({ done, total, name }) => tell(`${done}/${total} ${name}`),
      ...(devChain && { persist: () => devChain.persist() }),
    },
  )
  const chain = createRpcChain(
    { rpcUrl, chainId, ...deployed, ...(devChain && { finalBlock: () => devChain.finalBlock(), inclusionTimeoutMs: DEV_INCLUSION_MS }) },
    { clock, logger },
  )
  await chain.check()
  return { chain, fromBlock: deployed.fromBlock }
}
