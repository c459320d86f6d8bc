import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  type ApiKeys,
  consolePlugin,
  controlPlugin,
  createApiKeys,
  createGateway,
  createPayments,
  type Gateway,
  type GatewayOptions,
  type Payments,
} from '#application'
import { parseManifest } from '#compute'
import { createEconomyReader, createFrontends, type Frontends, type Indexer } from '#orchestration'
import type { Clock, JobStore, Logger, Metrics, RandomBytes } from '#platform'
import { readProposals, readQueuedShares } from '#platform/chain'
import {
  type Dispatcher,
  domainSeparator,
  jobDomain,
  type NodeId,
  type NodeLog,
  type NodeWhy,
  type PodId,
  receiptProof,
  votersPotOf,
} from '#protocol'
import type { Config } from '../config.ts'
import { PACKAGE_ROOT, VERSION } from '../version.ts'
import { createDiscardSigner } from './discards.ts'
import type { Infrastructure } from './infrastructure.ts'
import type { PodServices } from './pods.ts'
import { endOrphanedJobs } from './recovery.ts'
import { createRouteAudit } from './route-audit.ts'
import { replicaPlaces } from './scaling.ts'
import { createShareBook, type ShareBook } from './shares.ts'

export type ServingDependencies = {
  readonly infrastructure: Pick<Infrastructure, 'database' | 'chain' | 'rpcUrl' | 'isDevChain' | 'signers'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** Key that the console of this machine gets; null before it exists. */
  readonly devSessionKey: () => string | null
}

/** What a gateway asks of routers: of the one beside it, or of all by their links. */
export type RouterFace = {
  readonly dispatcher: Dispatcher
  readonly whyOf: (nodeId: NodeId) => NodeWhy | Promise<NodeWhy>
  readonly podLogs: (podId: PodId, sinceMs: number) => Promise<NodeLog[]>
  readonly scaleOf: (podId: PodId) => ReturnType<Parameters<typeof controlPlugin>[1]['scaleOf']>
  /** Makes what routers decided until now readable in the database. */
  readonly flushJournal: () => Promise<void>
  /** Where nodes dial. */
  readonly nodeUrls: () => readonly string[]
}

/** Money and terms, as a gateway holds them: who may spend, and who earns of it. */
export type Books = {
  readonly ownerEpoch: string
  readonly payments: Payments
  readonly apiKeys: ApiKeys
  readonly frontends: Frontends
  readonly shares: ShareBook
  start(): Promise<void>
  stop(): Promise<void>
}

const random: RandomBytes = length => randomBytes(length)

/** Opens the books. First ends what an earlier process of the same instance left open, and takes back what it had leased. */
export async function openBooks(
  config: Config,
  { infrastructure, clock, logger, metrics }: ServingDependencies,
  indexer: Pick<Indexer, 'onEvents' | 'caughtUp'>,
): Promise<Books> {
  const { database, chain, rpcUrl } = infrastructure
  const { JobSettlement, DevUsd, WrappedHeu } = chain.contracts
  const { instance } = config
  const epoch = Buffer.from(random(8)).toString('hex')
  const ownerEpoch = `${instance}:${epoch}`
  const separator = domainSeparator(jobDomain(chain.chainId, JobSettlement))
  const signDiscard = createDiscardSigner(infrastructure, clock)
  await endOrphanedJobs(ownerEpoch, { database, separator, signDiscard, clock, logger })
  const payments = await createPayments(
    { owner: { instance, epoch }, assets: [WrappedHeu, DevUsd] },
    { ledger: database.ledger, clock, logger, metrics },
  )
  const frontends = createFrontends({ events: database.events, settings: database.settings, indexer, clock, logger })
  const queued = () => readQueuedShares({ rpcUrl, contracts: chain.contracts })
  const shares = createShareBook({ chain, queued, frontends, clock, logger })
  return {
    ownerEpoch,
    payments,
    apiKeys: createApiKeys({ requestsPerMinute: config.requestsPerMinute }, { keys: database.keys, clock, randomBytes: random }),
    frontends,
    shares,
    async start() {
      await frontends.start()
      await shares.start()
    },
    async stop() {
      frontends.stop()
      shares.stop()
      await payments.stop()
    },
  }
}

export type GatewayParts = {
  readonly books: Books
  readonly pods: PodServices
  readonly routers: RouterFace
  /** Where the ends of jobs go. */
  readonly jobs: JobStore
  readonly caughtUp: () => Promise<void>
  readonly plugins: NonNullable<GatewayOptions['plugins']>
}

/** The HTTP face: OpenAI's surface, the control API and the console, on one port. */
export function createGatewayOf(config: Config, dependencies: ServingDependencies, parts: GatewayParts): Gateway {
  const { infrastructure, clock, logger, metrics } = dependencies
  const { database, chain } = infrastructure
  const { books, pods, routers, jobs } = parts
  const isUp = (): Promise<boolean> =>
    database.ping().then(
      () => true,
      () => false,
    )
  const gateway: Gateway = createGateway(
    {
      host: config.host,
      port: config.gatewayPort,
      drainMs: config.drainMs,
      ownerEpoch: books.ownerEpoch,
      shares: { protocol: chain.contracts.Buyback, votersOf: votersPotOf, bpsOf: books.shares.bpsOf },
      plugins: [
        controlOf(dependencies, parts, () => gateway),
        consolePlugin({ directory: join(PACKAGE_ROOT, 'console', 'dist') }),
        ...parts.plugins,
      ],
    },
    {
      dispatcher: routers.dispatcher,
      payments: books.payments,
      jobs,
      pods: pods.catalog,
      verifyKey: books.apiKeys.verify,
      tokenizerFor: pods.tokenizerFor,
      referredNodes: books.frontends.referredNodes,
      unready: async () => [...((await isUp()) ? [] : ['database']), ...(routers.nodeUrls().length > 0 ? [] : ['router'])],
      clock,
      random,
      logger,
      metrics,
    },
  )
  return gateway
}

function controlOf(
  dependencies: ServingDependencies,
  { books, pods, routers, caughtUp }: GatewayParts,
  gateway: () => Gateway,
): ReturnType<typeof controlPlugin> {
  const { infrastructure, clock, devSessionKey } = dependencies
  const { database, chain, rpcUrl, isDevChain, signers } = infrastructure
  const { dispatcher, whyOf, podLogs, scaleOf, nodeUrls, flushJournal } = routers
  const { DevUsd, WrappedHeu, JobSettlement } = chain.contracts
  const audit = createRouteAudit(domainSeparator(jobDomain(chain.chainId, JobSettlement)), {
    router: { flushJournal },
    journal: database.journal,
  })
  const networkSlots = (): number => replicaPlaces(dispatcher)
  return controlPlugin(
    {
      version: VERSION,
      chainId: chain.chainId,
      rpcUrl,
      nodeUrls,
      router: signers.router.address,
      developer: signers.developer.address,
      isDevChain,
      contracts: chain.contracts,
      assets: [
        { address: DevUsd, symbol: 'DevUSD', decimals: 6 },
        { address: WrappedHeu, symbol: 'HEU', decimals: 18 },
      ],
      devSessionKey: isDevChain ? devSessionKey : () => null,
    },
    {
      database,
      pods: pods.catalog,
      dispatcher,
      clock,
      economy: createEconomyReader({ chain, events: database.events, pods: database.pods, networkSlots, caughtUp, clock }),
      frontends: books.frontends,
      proposals: () => readProposals({ rpcUrl, contracts: chain.contracts }),
      authenticate: authorization => gateway().authenticate(authorization),
      balances: account => books.payments.balance(account),
      createKey: books.apiKeys.create,
      revokeKey: books.apiKeys.revoke,
      parseManifest,
      deployPod: pods.deploy,
      removePod: pods.remove,
      whyOf,
      podLogs,
      scaleOf,
      candidatesOf: decisions => audit.candidatesOf(decisions),
      journalOf: segment => audit.journalOf(segment),
      async proofOf(jobId) {
        const receipt = await database.jobs.receipt(jobId)
        if (!receipt || receipt.batchNumber === null) return null
        const proof = receiptProof(await database.batches.leaves(receipt.batchNumber), receipt.digest)
        return proof && { batchNumber: receipt.batchNumber, proof }
      },
    },
  )
}
