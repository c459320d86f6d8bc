import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Chain, Clock, Database, Logger, Metrics } from '#platform'
import {
  createRpcChain,
  type Deployment,
  type DeploymentStore,
  type DevChain,
  deployContracts,
  readChainId,
  startDevChain,
} from '#platform/chain'
import { createDatabase, type EmbeddedPostgres, startEmbeddedPostgres, startWatchdog } from '#platform/database'
import { addressSchema, HeuristError } from '#protocol'
import type { Config } from '../config.ts'
import type { Home } from '../home.ts'
import type { Progress } from '../progress.ts'
import { deployOptions } from './chain-parameters.ts'
import { demandWhole, recordHome } from './home-record.ts'
import { claimNetwork } from './network-record.ts'
import { type RoleSigners, roleSigners } from './roles.ts'
import { tracedDatabase } from './traced-jobs.ts'
import { createTracer } from './tracer.ts'

/** `DEPLOYMENT_UNREADABLE`: the record of the deployed contracts is damaged or gone while the chain has them. */
export type InfrastructureErrorCode = 'DEPLOYMENT_UNREADABLE'

/** What everything else stands on: a database, a chain with our contracts, and the processes behind them. */
export type Infrastructure = {
  readonly database: Database
  readonly chain: Chain
  readonly rpcUrl: string
  readonly databaseUrl: string
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
/** The deployment is recorded before its first transaction. */
const BLOCKS_BEFORE_RECORD = 0

const deploymentSchema = z.object({
  chainId: z.number().int(),
  fromBlock: z.number().int().min(0),
  // Records of older versions have none: they are told apart by it.
  interfaces: z.string().default(''),
  addresses: z.partialRecord(z.string(), addressSchema),
  complete: z.boolean(),
})

/** Without it the contracts would be deployed a second time and all balances be left behind in the first ones: it is never replaced. */
function parseDeployment(path: string): Deployment {
  try {
    return deploymentSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) as Deployment // cast: JSON has no undefined members
  } catch (cause) {
    throw deploymentLost(path, 'is damaged', cause)
  }
}

function deploymentLost(path: string, how: string, cause?: unknown): HeuristError<InfrastructureErrorCode> {
  return new HeuristError<InfrastructureErrorCode>(
    'DEPLOYMENT_UNREADABLE',
    `${path} ${how}: nothing else says where the contracts are. Nothing was changed. Restore it from a backup; ` +
      'or, to start over, delete the whole folder of the state (HEURIST_HOME): credits and receipts in it are lost.',
    { cause },
  )
}

/** The deployment's record, replaced as a whole so that a crash leaves the old one or the new one. */
function deploymentFile(home: Home, devChain: DevChain | null): DeploymentStore {
  const path = join(home.chain, 'deployment.json')
  return {
    async load() {
      if (existsSync(path)) return parseDeployment(path)
      if (devChain && devChain.finalBlock() > BLOCKS_BEFORE_RECORD) throw deploymentLost(path, 'is gone')
      return null
    },
    async save(deployment) {
      await writeFile(`${path}.partial`, JSON.stringify(deployment, null, 2), { mode: 0o600, flush: true })
      await rename(`${path}.partial`, path)
    },
  }
}

type Watchdog = ReturnType<typeof startWatchdog>
type Stops = (() => Promise<unknown>)[]

async function startPostgres(
  { home, logger, progress }: InfrastructureDependencies,
  watchdog: Watchdog,
  stops: Stops,
): Promise<EmbeddedPostgres> {
  const postgres = await progress.step('PostgreSQL', tell =>
    startEmbeddedPostgres({ directory: home.database, onProgress: tell }, { logger, watchdog }),
  )
  stops.push(() => postgres.stop())
  return postgres
}

async function startChain(
  config: Config,
  { home, clock, logger, progress }: InfrastructureDependencies,
  { signers, watchdog, stops }: { signers: RoleSigners; watchdog: Watchdog; stops: Stops },
): Promise<DevChain> {
  const { treasury, operator } = signers
  const options = {
    stateFile: join(home.chain, 'state.json'),
    port: config.chainPort,
    treasury: treasury.address,
    // Until there is a FeeVault.
    feeVault: operator.address,
  }
  const devChain = await progress.step('dev chain', () => startDevChain(options, { clock, logger, watchdog }))
  stops.push(() => devChain.stop())
  return devChain
}

function startedOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

/** Starts or connects the database and the chain, side by side, and puts the contracts there. */
export async function startInfrastructure(config: Config, dependencies: InfrastructureDependencies): Promise<Infrastructure> {
  const { home, clock, logger, metrics, progress } = dependencies
  demandWhole(config, home)
  const signers = roleSigners(home)
  const watchdog = startWatchdog()
  const stops: Stops = [() => watchdog.stop()]
  const undo = async (): Promise<void> => {
    for (const stop of stops.reverse()) await stop()
  }
  try {
    // Both are waited for, also when one fails: what has started must be known to be stopped.
    const [postgresStart, chainStart] = await Promise.allSettled([
      config.databaseUrl ? null : startPostgres(dependencies, watchdog, stops),
      config.chainRpcUrl ? null : startChain(config, dependencies, { signers, watchdog, stops }),
    ])
    const [postgres, devChain] = [startedOf(postgresStart), startedOf(chainStart)]
    const tracer = createTracer(config, dependencies)
    if (tracer) stops.push(() => tracer.stop())
    const store = await progress.step('database schema', () =>
      createDatabase({ connectionString: config.databaseUrl || (postgres?.connectionString ?? '') }, { logger, clock, metrics }),
    )
    stops.push(() => store.stop())
    const database = tracedDatabase(store, tracer)
    const rpcUrl = config.chainRpcUrl || (devChain?.rpcUrl ?? '')
    const { chain, fromBlock } = await progress.step('contracts', tell =>
      openContracts(config, { ...dependencies, signers, devChain, rpcUrl, tell }),
    )
    const isDevChain = devChain !== null
    await claimNetwork(database.settings, {
      chainId: chain.chainId,
      contracts: chain.contracts,
      fromBlock,
      isDevChain,
      router: signers.router.address,
      developer: signers.developer.address,
    })
    recordHome(config, home, signers)
    return {
      database,
      chain,
      rpcUrl,
      databaseUrl: config.databaseUrl || (postgres?.connectionString ?? ''),
      fromBlock,
      signers,
      isDevChain,
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
  const deployed = await deployContracts(deployOptions(config, { signers, rpcUrl, chainId, isDevChain: devChain !== null }), {
    deployer: signers.treasury,
    store: deploymentFile(work.home, devChain),
    logger,
    onStep: ({ done, total, name }) => tell(`${done}/${total} ${name}`),
    ...(devChain && { persist: () => devChain.persist() }),
  })
  const chain = createRpcChain(
    { rpcUrl, chainId, ...deployed, ...(devChain && { finalBlock: () => devChain.finalBlock(), inclusionTimeoutMs: DEV_INCLUSION_MS }) },
    { clock, logger },
  )
  await chain.check()
  // Gas belongs to stHEU from here on; the chain itself forgets who gets it.
  await devChain?.setFeeVault(chain.contracts.FeeVault)
  return { chain, fromBlock: deployed.fromBlock }
}
