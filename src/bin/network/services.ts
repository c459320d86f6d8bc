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
  type Payments,
  upgradePlugin,
} from '#application'
import { parseManifest } from '#compute'
import {
  type Autoscaler,
  createEconomyReader,
  createFrontends,
  createIndexer,
  createRegistry,
  createRouter,
  createSequencer,
  type Frontends,
  type Indexer,
  type Registry,
  type Router,
  type Sequencer,
  watchDeposits,
} from '#orchestration'
import type { Clock, Logger, Metrics, RandomBytes } from '#platform'
import { createBlobStore } from '#platform/blobs'
import { readProposals } from '#platform/chain'
import { domainSeparator, jobDomain, messageOf, receiptProof, votersPotOf } from '#protocol'
import type { Config } from '../config.ts'
import type { Home } from '../home.ts'
import { portOrAny } from '../ports.ts'
import { PACKAGE_ROOT, VERSION } from '../version.ts'
import type { Infrastructure } from './infrastructure.ts'
import { createKeeperOf, epochClock } from './keeper.ts'
import { orderedJobs } from './ordered-jobs.ts'
import { createPodServices, type PodServices } from './pods.ts'
import { createPresence, type Presence } from './presence.ts'
import { endOrphanedJobs } from './recovery.ts'
import { createRouteAudit } from './route-audit.ts'
import { createScaling, replicaPlaces } from './scaling.ts'
import { createShareBook, type ShareBook } from './shares.ts'

export type ServiceDependencies = {
  readonly infrastructure: Infrastructure
  readonly home: Home
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** Key that the console of this machine gets; null before it exists. */
  readonly devSessionKey: () => string | null
}
/** Gateway, router and sequencer of one process, running. */
export type Services = {
  readonly gateway: Gateway
  readonly router: Router
  readonly pods: PodServices
  readonly apiKeys: ApiKeys
  readonly payments: Payments
  readonly indexer: Indexer
  stop(): Promise<void>
}

/** Where nodes dial on the gateway's port. */
const NODE_PATH = '/node'
const ROUTER_STOP_MS = 500
/** Time that the last receipts get to be settled at a shutdown; what is left is settled by the next start. */
const FLUSH_MS = 1500
const INSTANCE = 'gateway-0'
const random: RandomBytes = length => randomBytes(length)

type Core = Omit<Services, 'gateway' | 'stop'> & {
  readonly registry: Registry
  readonly presence: Presence
  readonly autoscaler: Autoscaler
  readonly frontends: Frontends
  readonly shares: ShareBook
  readonly ownerEpoch: string
}

/** Starts everything that serves jobs, bottom up: money, registry, router, sequencer, gateway. */
export async function startServices(config: Config, dependencies: ServiceDependencies): Promise<Services> {
  // Metrics and routes of a gateway exist once, so its port is chosen before it is made.
  const gatewayPort = await portOrAny(config.host, config.gatewayPort)
  const core = await createCore(config, dependencies)
  const { router, registry, presence, pods, payments, shares } = core
  const sequencer = createSequencerOf(config, dependencies)
  const keeper = createKeeperOf(config, dependencies, core.indexer)
  const deposits = followDeposits(dependencies, payments)
  const stopCore = async (): Promise<void> => {
    core.autoscaler.stop()
    // The gateway has waited for its jobs: nothing is left to drain here, and both waits must fit into the 10 s of a shutdown.
    await router.stop(ROUTER_STOP_MS)
    presence.stop()
    core.frontends.stop()
    pods.stop()
    shares.stop()
    await registry.stop()
    await payments.stop()
    await core.indexer.stop()
    await keeper.stop()
    await deposits.stop()
    await sequencer.flush({ timeoutMs: FLUSH_MS })
    await sequencer.stop()
  }
  try {
    await registry.start()
    await presence.start()
    await core.frontends.start()
    await shares.start()
    router.start()
    core.autoscaler.start()
    core.indexer.start()
    await pods.start()
    sequencer.start()
    keeper.start()
    const gateway = createGatewayOf({ ...config, gatewayPort }, dependencies, { ...core, sequencer })
    registry.onChange(nodeId => router.standingChanged(nodeId))
    await gateway.start()
    return { ...core, gateway, stop: () => gateway.stop().then(stopCore) }
  } catch (error) {
    // Timers of a half-started network would keep the process alive.
    await stopCore()
    throw error
  }
}

async function createCore(config: Config, dependencies: ServiceDependencies): Promise<Core> {
  const { infrastructure, home, clock, logger, metrics } = dependencies
  const { database, chain, signers } = infrastructure
  const { JobSettlement, DevUsd, WrappedHeu } = chain.contracts
  const ownerEpoch = Buffer.from(random(8)).toString('hex')
  const separator = domainSeparator(jobDomain(chain.chainId, JobSettlement))
  await endOrphanedJobs(ownerEpoch, { database, router: signers.router, separator, clock, logger })
  const payments = await createPayments(
    { owner: { instance: INSTANCE, epoch: ownerEpoch }, assets: [WrappedHeu, DevUsd] },
    { ledger: database.ledger, clock, logger, metrics },
  )
  const registry = createRegistry({}, { chain, clock, logger })
  const presence = createPresence({ nodes: database.nodes, dispatcher: () => router, epoch: epochClock(chain), clock, logger })
  const indexer = createIndexer({ fromBlock: infrastructure.fromBlock }, { chain, events: database.events, clock, logger, metrics })
  const blobs = createBlobStore({ directory: home.blobs })
  const pods = createPodServices({
    chain,
    database,
    blobs,
    dispatcher: { publishPods: list => router.publishPods(list) },
    indexer,
    deployer: signers.developer,
    clock,
    logger,
  })
  const router: Router = createRouter(
    { queueMaxJobs: config.queueMaxJobs },
    {
      signer: signers.router,
      domain: { chainId: chain.chainId, settlement: JobSettlement },
      clock,
      random,
      logger,
      metrics,
      standing: nodeId => registry.standing(nodeId),
      onUnknownNode: nodeId =>
        void registry.refresh(nodeId).then(
          () => router.standingChanged(nodeId),
          error => logger.warn({ nodeId, reason: messageOf(error) }, 'the chain could not be asked about a node; it is asked again soon'),
        ),
      presence,
      journal: database.journal,
      tokenizerFor: pods.tokenizerFor,
    },
  )
  const frontends = createFrontends({ events: database.events, settings: database.settings, indexer, clock, logger })
  return {
    indexer,
    frontends,
    router,
    registry,
    presence,
    autoscaler: createScaling({ chain, router, pods: () => pods.catalog.list(), clock, logger, metrics }),
    pods,
    payments,
    apiKeys: createApiKeys({ keys: database.keys, clock, randomBytes: random }),
    shares: createShareBook({ chain, frontends, clock, logger }),
    ownerEpoch,
  }
}

function createSequencerOf(config: Config, { infrastructure, clock, logger, metrics }: ServiceDependencies): Sequencer {
  const { database, chain, signers } = infrastructure
  return createSequencer(
    { maxJobs: config.batchMaxJobs, maxAgeMs: config.batchMaxAgeMs },
    { batches: database.batches, chain, signer: signers.sequencer, clock, logger, metrics },
  )
}

/** Deposits become credits when they are final, exactly once: the ledger knows each by its business id. */
function followDeposits({ infrastructure, clock }: ServiceDependencies, payments: Payments): { stop(): Promise<void> } {
  const { chain, database, fromBlock } = infrastructure
  return watchDeposits(
    { fromBlock },
    {
      chain,
      settings: database.settings,
      onDeposit: async deposit =>
        void (await payments.applyDeposit({
          ...deposit,
          chainId: chain.chainId,
          logIndex: placeOf(deposit.businessId),
          atMs: clock.now(),
        })),
    },
  )
}

/** The event's place in its transaction: the last part of a deposit's business id. */
function placeOf(businessId: string): number {
  return Number(businessId.split(':').at(-1))
}

function createGatewayOf(config: Config, dependencies: ServiceDependencies, core: Core & { readonly sequencer: Sequencer }): Gateway {
  const { infrastructure, clock, logger, metrics } = dependencies
  const { database, chain } = infrastructure
  const { router, pods, payments, ownerEpoch, shares } = core
  const gateway: Gateway = createGateway(
    {
      host: config.host,
      port: config.gatewayPort,
      drainMs: config.drainMs,
      ownerEpoch,
      shares: { protocol: chain.contracts.Buyback, votersOf: votersPotOf, bpsOf: shares.bpsOf },
      plugins: [
        controlOf(dependencies, core, () => gateway),
        consolePlugin({ directory: join(PACKAGE_ROOT, 'console', 'dist') }),
        upgradePlugin(NODE_PATH, (request, socket, head) => router.handleUpgrade(request, socket, head)),
      ],
    },
    {
      dispatcher: router,
      payments,
      jobs: orderedJobs(database.jobs, { router, sequencer: core.sequencer }),
      pods: pods.catalog,
      verifyKey: core.apiKeys.verify,
      tokenizerFor: pods.tokenizerFor,
      referredNodes: core.frontends.referredNodes,
      unready: async () =>
        (await database.ping().then(
          () => true,
          () => false,
        ))
          ? []
          : ['database'],
      clock,
      random,
      logger,
      metrics,
    },
  )
  return gateway
}

function controlOf(dependencies: ServiceDependencies, core: Core, gateway: () => Gateway): ReturnType<typeof controlPlugin> {
  const { infrastructure, clock, devSessionKey } = dependencies
  const { database, chain, rpcUrl, isDevChain, signers } = infrastructure
  const { router, pods, payments, apiKeys } = core
  const { DevUsd, WrappedHeu } = chain.contracts
  const audit = createRouteAudit(domainSeparator(jobDomain(chain.chainId, chain.contracts.JobSettlement)), {
    router,
    journal: database.journal,
  })
  const economy = createEconomyReader({
    chain,
    events: database.events,
    pods: database.pods,
    networkSlots: () => replicaPlaces(router),
    caughtUp: () => core.indexer.caughtUp(),
    clock,
  })
  return controlPlugin(
    {
      version: VERSION,
      chainId: chain.chainId,
      rpcUrl,
      nodeUrl: () => `${gateway().url.replace(/^http/, 'ws')}${NODE_PATH}`,
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
      dispatcher: router,
      clock,
      economy,
      frontends: core.frontends,
      proposals: () => readProposals({ rpcUrl, contracts: chain.contracts }),
      authenticate: authorization => gateway().authenticate(authorization),
      balances: account => payments.balance(account),
      createKey: apiKeys.create,
      revokeKey: apiKeys.revoke,
      parseManifest,
      deployPod: pods.deploy,
      removePod: pods.remove,
      whyOf: nodeId => router.why(nodeId),
      scaleOf: podId => core.autoscaler.scaleOf(podId),
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
