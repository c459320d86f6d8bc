import { createRouterPool, type RouterPool } from '#application'
import { createBlobStore } from '#platform/blobs'
import { BUS_TOPICS } from '#protocol'
import type { Config } from '../config.ts'
import { readSecret } from '../home.ts'
import { createDiscardSigner } from '../network/discards.ts'
import { clusterSecret } from '../network/join.ts'
import { holdName } from '../network/names.ts'
import { orderedJobs } from '../network/ordered-jobs.ts'
import { createPodServices } from '../network/pods.ts'
import { createGatewayOf, openBooks } from '../network/serving.ts'
import { followedEvents, podNews } from '../network/shared.ts'
import { portOrAny } from '../ports.ts'
import { type Alone, type RoleOptions, runAlone } from './alone.ts'

/** Runs one gateway until a signal. Resolves with the exit code. */
export function runGateway(config: Config, options: RoleOptions): Promise<number> {
  return runAlone('gateway', config, options, startGateway)
}

async function startGateway(alone: Alone): Promise<{ says: string; lost: Promise<string> }> {
  const { home, joined, clock, logger, metrics, signal, undo } = alone
  const { infrastructure, bus } = joined
  const { chain, database, signers } = infrastructure
  const config = { ...alone.config, gatewayPort: await portOrAny(alone.config.host, alone.config.gatewayPort) }
  const events = await followedEvents(alone)
  const routers = await startRouterPool(alone)
  const devKey = infrastructure.isDevChain ? readSecret(home, 'dev-api-key') : null
  const serving = { infrastructure, clock, logger, metrics, devSessionKey: () => devKey }
  const name = await holdName({ ...config, databaseUrl: infrastructure.databaseUrl, signal }, { clock, logger })
  undo.push(() => name.release())
  const books = await openBooks(config, serving, events)
  undo.push(() => books.stop())
  const pods = createPodServices({
    chain,
    database,
    blobs: createBlobStore({ directory: home.blobs }),
    dispatcher: routers,
    indexer: events,
    news: podNews(bus, clock),
    deployer: signers.developer,
    clock,
    logger,
  })
  undo.push(async () => pods.stop())
  await books.start()
  await pods.start()
  const gateway = createGatewayOf(config, serving, {
    books,
    pods,
    routers: {
      dispatcher: routers,
      whyOf: routers.why,
      podLogs: routers.podLogs,
      scaleOf: routers.scaleOf,
      // A router's decisions are in the database before a gateway hears of a job's end.
      flushJournal: async () => undefined,
      nodeUrls: () => routers.routers().map(({ nodeUrl }) => nodeUrl),
    },
    jobs: orderedJobs(database.jobs, {
      // Routers tell of a job's end when its decisions are stored.
      router: { decisionsStored: async () => undefined },
      sequencer: { notify: count => bus.publish(BUS_TOPICS.receipts, String(count)) },
    }),
    caughtUp: events.caughtUp,
    plugins: [],
  })
  await gateway.start()
  undo.push(() => gateway.stop())
  return { says: `gateway ${config.instance}: ${gateway.url}/v1`, lost: name.lost }
}

async function startRouterPool({ config, home, joined, clock, logger, undo }: Alone): Promise<RouterPool> {
  const { infrastructure, bus } = joined
  const signDiscard = createDiscardSigner(infrastructure, clock)
  const secret = await clusterSecret(config, home)
  const pool = createRouterPool(
    { secret },
    {
      bus,
      signDiscard: (order, facts) => signDiscard({ ...order, podId: order.pod.podId }, facts),
      clock,
      logger,
      random: Math.random,
    },
  )
  pool.start()
  undo.push(async () => pool.stop())
  return pool
}
