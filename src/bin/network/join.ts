import { randomBytes } from 'node:crypto'
import type { Chain, Clock, Database, Logger, Metrics } from '#platform'
import { type Bus, openBus } from '#platform/bus'
import { createRpcChain } from '#platform/chain'
import { createDatabase } from '#platform/database'
import { HeuristError } from '#protocol'
import type { Config } from '../config.ts'
import { type Home, loadSecret } from '../home.ts'
import type { Infrastructure } from './infrastructure.ts'
import { readNetwork } from './network-record.ts'
import { type RoleSigners, roleSigners } from './roles.ts'
import { tracedDatabase } from './traced-jobs.ts'
import { createTracer } from './tracer.ts'

/** `JOIN_NEEDS_URLS`: a role that runs alone starts no database and no chain. `JOIN_WRONG_KEY`: a key of this home is not the network's. */
export type JoinErrorCode = 'JOIN_NEEDS_URLS' | 'JOIN_WRONG_KEY'

/** A network that is there already, as one more process of it sees it. */
export type Joined = {
  readonly infrastructure: Infrastructure
  readonly bus: Bus
  stop(): Promise<void>
}

export type JoinDependencies = { readonly home: Home; readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics }

function requireUrls({ databaseUrl, chainRpcUrl }: Config): void {
  if (databaseUrl && chainRpcUrl) return
  throw new HeuristError<JoinErrorCode>(
    'JOIN_NEEDS_URLS',
    'A role that runs alone joins a database and a chain that are there: set DATABASE_URL and CHAIN_RPC_URL. "heurist infrastructure" starts both and prints the lines; "heurist up" runs everything in one process.',
  )
}

/** Other processes sign and verify with these keys: one that was made anew here would be nobody's. */
function requireKey(name: string, found: string, wanted: string): void {
  if (found === wanted) return
  throw new HeuristError<JoinErrorCode>(
    'JOIN_WRONG_KEY',
    `The network's ${name} key is that of ${wanted}, and keys/${name}.json in this HEURIST_HOME is that of ${found}. Copy the network's keys folder here.`,
  )
}

type Parts = { readonly database: Database; readonly chain: Chain; readonly fromBlock: number; readonly isDevChain: boolean }

async function openParts(config: Config, { clock, logger, metrics }: JoinDependencies, signers: RoleSigners): Promise<Parts> {
  const database = await createDatabase({ connectionString: config.databaseUrl }, { logger, clock, metrics })
  try {
    const { chainId, contracts, fromBlock, isDevChain, router, developer } = await readNetwork(database.settings)
    requireKey('router', signers.router.address, router)
    requireKey('developer', signers.developer.address, developer)
    const chain = createRpcChain({ rpcUrl: config.chainRpcUrl, chainId, contracts }, { clock, logger })
    await chain.check()
    return { database, chain, fromBlock, isDevChain }
  } catch (error) {
    await database.stop()
    throw error
  }
}

/** @throws HeuristError JOIN_NEEDS_URLS, JOIN_WRONG_KEY, NETWORK_UNKNOWN, DATABASE_UNAVAILABLE, CHAIN_UNAVAILABLE */
export async function joinNetwork(config: Config, dependencies: JoinDependencies): Promise<Joined> {
  requireUrls(config)
  const signers = roleSigners(dependencies.home)
  const parts = await openParts(config, dependencies, signers)
  const tracer = createTracer(config, dependencies)
  const bus = await openBus({ natsUrl: config.natsUrl, sharedDatabaseUrl: config.databaseUrl }, dependencies)
  const infrastructure: Infrastructure = {
    ...parts,
    database: tracedDatabase(parts.database, tracer),
    rpcUrl: config.chainRpcUrl,
    databaseUrl: config.databaseUrl,
    signers,
    persistChain: async () => undefined,
    pids: () => ({}),
    onLost: () => undefined,
    stop: () => parts.database.stop(),
  }
  return {
    infrastructure,
    bus,
    async stop() {
      await bus.stop()
      await parts.database.stop()
      await tracer?.stop()
    },
  }
}

/** What gateways show to routers. Processes on one machine find it in the home that they share. */
export async function clusterSecret(config: Config, home: Home): Promise<string> {
  return (
    config.clusterSecret ||
    loadSecret(home, 'cluster-secret', {
      create: async () => randomBytes(32).toString('hex'),
      isUsable: async () => true,
    })
  )
}
