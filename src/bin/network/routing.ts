import { randomBytes } from 'node:crypto'
import { type Autoscaler, createRegistry, createRouter, type Registry, type Router } from '#orchestration'
import type { Clock, Logger, Metrics, RandomBytes, Tokenizer } from '#platform'
import { messageOf, type PodRecord } from '#protocol'
import type { Config } from '../config.ts'
import type { Infrastructure } from './infrastructure.ts'
import { epochClock } from './keeper.ts'
import { createPresence } from './presence.ts'
import { createScaling, type Peer } from './scaling.ts'

export type RoutingDependencies = {
  readonly infrastructure: Pick<Infrastructure, 'database' | 'chain' | 'signers'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** The pods of now, and how their units are counted. */
  readonly pods: () => readonly PodRecord[]
  /** The other routers; none in a network of one process. */
  readonly peers?: () => readonly Peer[]
  readonly tokenizerFor: (pod: PodRecord) => Tokenizer | null
}

/** A router with what it needs: what the chain says of nodes, how long they were there, and the autoscaler of the nodes linked to it. */
export type Routing = {
  readonly router: Router
  readonly autoscaler: Autoscaler
  start(): Promise<void>
  /** Lets running jobs finish for at most `drainMs`. */
  stop(drainMs: number): Promise<void>
}

/** Where nodes dial, on the port of whoever holds the router. */
export const NODE_PATH = '/node'

const random: RandomBytes = length => randomBytes(length)

function routerOf(
  config: Config,
  dependencies: RoutingDependencies,
  registry: Registry,
): Omit<Routing, 'start' | 'stop'> & {
  readonly presence: ReturnType<typeof createPresence>
} {
  const { infrastructure, clock, logger, metrics, pods, peers = () => [], tokenizerFor } = dependencies
  const { database, chain, signers } = infrastructure
  const presence = createPresence({
    router: config.instance,
    nodes: database.nodes,
    dispatcher: () => router,
    epoch: epochClock(chain),
    clock,
    logger,
  })
  const router: Router = createRouter(
    { queueMaxJobs: config.queueMaxJobs, resumeMs: config.linkResumeMs },
    {
      signer: signers.router,
      domain: { chainId: chain.chainId, settlement: chain.contracts.JobSettlement },
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
      onHostsChanged: () => autoscaler.wake(),
      presence,
      journal: database.journal,
      tokenizerFor,
    },
  )
  const autoscaler = createScaling(config, { chain, router, pods, peers, clock, logger, metrics })
  return { router, presence, autoscaler }
}

export function createRouting(config: Config, dependencies: RoutingDependencies): Routing {
  const { infrastructure, clock, logger } = dependencies
  const registry = createRegistry({}, { chain: infrastructure.chain, clock, logger })
  const { router, presence, autoscaler } = routerOf(config, dependencies, registry)
  return {
    router,
    autoscaler,
    async start() {
      await registry.start()
      await presence.start()
      router.start()
      autoscaler.start()
      registry.onChange(nodeId => router.standingChanged(nodeId))
    },
    async stop(drainMs) {
      autoscaler.stop()
      await router.stop(drainMs)
      presence.stop()
      await registry.stop()
    },
  }
}
