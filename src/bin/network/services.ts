import { type ApiKeys, type Gateway, type Payments, upgradePlugin } from '#application'
import type { Indexer, Router } from '#orchestration'
import { createBlobStore } from '#platform/blobs'
import type { Config } from '../config.ts'
import type { Home } from '../home.ts'
import { portOrAny } from '../ports.ts'
import type { Infrastructure } from './infrastructure.ts'
import { type HeldName, holdName } from './names.ts'
import { orderedJobs } from './ordered-jobs.ts'
import { createPodServices, type PodServices } from './pods.ts'
import { createRouting, NODE_PATH, type Routing } from './routing.ts'
import { type Books, createGatewayOf, openBooks, type ServingDependencies } from './serving.ts'
import { createSettling, type Settling } from './settling.ts'

export type ServiceDependencies = ServingDependencies & { readonly infrastructure: Infrastructure; readonly home: Home }

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

/** The gateway has waited for its jobs: nothing is left to drain, and both waits must fit into the 10 s of a shutdown. */
const ROUTER_STOP_MS = 500

type Core = {
  readonly name: HeldName
  readonly books: Books
  readonly pods: PodServices
  readonly routing: Routing
  readonly settling: Settling
}

async function createCore(config: Config, dependencies: ServiceDependencies): Promise<Core> {
  const { infrastructure, home, clock, logger } = dependencies
  const { database, chain, signers } = infrastructure
  const name = await holdName({ ...config, databaseUrl: infrastructure.databaseUrl }, { clock, logger })
  const settling = createSettling(config, dependencies, deposit => books.payments.applyDeposit(deposit))
  const books = await openBooks(config, dependencies, settling.indexer)
  const pods = createPodServices({
    chain,
    database,
    blobs: createBlobStore({ directory: home.blobs }),
    dispatcher: { publishPods: list => routing.router.publishPods(list) },
    indexer: settling.indexer,
    deployer: signers.developer,
    clock,
    logger,
  })
  const routing: Routing = createRouting(config, { ...dependencies, pods: () => pods.catalog.list(), tokenizerFor: pods.tokenizerFor })
  return { name, books, pods, routing, settling }
}

/** Starts everything that serves jobs in one process, bottom up: router, money, sequencer, gateway. */
export async function startServices(config: Config, dependencies: ServiceDependencies): Promise<Services> {
  // Metrics and routes of a gateway exist once, so its port is chosen before it is made.
  const gatewayPort = await portOrAny(config.host, config.gatewayPort)
  const { name, books, pods, routing, settling } = await createCore(config, dependencies)
  const { router } = routing
  const stopCore = async (): Promise<void> => {
    await routing.stop(ROUTER_STOP_MS)
    pods.stop()
    await books.stop()
    await settling.stop()
    await name.release()
  }
  try {
    await routing.start()
    await books.start()
    settling.start()
    await pods.start()
    const gateway: Gateway = createGatewayOf({ ...config, gatewayPort }, dependencies, {
      books,
      pods,
      routers: {
        dispatcher: router,
        whyOf: nodeId => router.why(nodeId),
        podLogs: (podId, sinceMs) => router.podLogs(podId, sinceMs),
        scaleOf: podId => routing.autoscaler.scaleOf(podId),
        flushJournal: () => router.flushJournal(),
        nodeUrls: () => [`${gateway.url.replace(/^http/, 'ws')}${NODE_PATH}`],
      },
      jobs: orderedJobs(dependencies.infrastructure.database.jobs, { router, sequencer: settling.sequencer }),
      caughtUp: settling.indexer.caughtUp,
      plugins: [upgradePlugin(NODE_PATH, (request, socket, head) => router.handleUpgrade(request, socket, head))],
    })
    await gateway.start()
    const { payments, apiKeys } = books
    return { gateway, router, pods, apiKeys, payments, indexer: settling.indexer, stop: () => gateway.stop().then(stopCore) }
  } catch (error) {
    // Timers of a half-started network would keep the process alive.
    await stopCore()
    throw error
  }
}
