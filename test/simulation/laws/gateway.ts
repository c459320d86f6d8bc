import { createPayments, type Payments } from '#application'
import { type Autoscaler, createAutoscaler, createRouter, type Router } from '#orchestration'
import { createMetrics, type Database, type Signer, silentLogger } from '#platform'
import {
  domainSeparator,
  type JobId,
  type JobOrder,
  type JobSink,
  jobDomain,
  type NodeId,
  type NodeStanding,
  type PodRecord,
} from '#protocol'
import { createJobRunner, type JobRunner } from '../../../src/application/gateway/job-runner.ts'
import { createRateLimiter, type RateLimiter } from '../../../src/application/gateway/rate-limit.ts'
import { createDiscardSigner } from '../../../src/bin/network/discards.ts'
import { orderedJobs } from '../../../src/bin/network/ordered-jobs.ts'
import { endOrphanedJobs } from '../../../src/bin/network/recovery.ts'
import { CHAIN_ID, HEU, SETTLEMENT, USD } from './chain.ts'
import type { Chance } from './chance.ts'
import { connect, type DatabaseServer } from './database.ts'
import type { LawBook } from './laws.ts'
import type { Process } from './schedule.ts'
import type { Seams } from './seams.ts'

export const SEPARATOR = domainSeparator(jobDomain(CHAIN_ID, SETTLEMENT))
const PROTOCOL = '0x0000000000000000000000000000000000000005'
const CHUNK_NANO_CREDITS = 2_000_000_000n

/** The process that serves: gateway, payments, router and autoscaler, wired as `bin` wires them. */
export type GatewayProcess = {
  readonly process: Process
  readonly payments: Payments
  readonly router: Router
  readonly runner: JobRunner
  readonly limiter: RateLimiter
  readonly autoscaler: Autoscaler
}
export type GatewayWorld = {
  readonly server: DatabaseServer
  readonly signer: Signer
  readonly chance: Chance
  readonly pods: readonly PodRecord[]
  readonly laws: LawBook
  readonly seams: Seams
  readonly standing: (nodeId: NodeId) => NodeStanding | null
  readonly uptimeBps: (nodeId: NodeId) => number
  readonly notify: (receipts: number) => void
  /** Most nano-credits that the client of a job agreed to. */
  readonly maximumOf: (jobId: JobId, order: JobOrder) => bigint
}

/** Starts one after another died, or the first. @throws HeuristError when the database is away */
export async function startGateway(world: GatewayWorld, process: Process, epoch: string): Promise<GatewayProcess> {
  const { server, signer, chance, pods, seams } = world
  const { clock } = process
  const database = connect(server, process)
  const random = chance.bytes
  const dependencies = { clock, random, logger: silentLogger, metrics: createMetrics() }
  await endOrphanedJobs(epoch, {
    database: database as Database, // cast: recovery reads jobs alone
    separator: SEPARATOR,
    signDiscard: createDiscardSigner(
      { chain: { chainId: CHAIN_ID, contracts: { JobSettlement: SETTLEMENT } }, signers: { router: signer } },
      clock,
    ),
    ...dependencies,
  })
  const owner = { instance: 'gateway-0', epoch }
  const payments = seams.payments(
    await createPayments({ owner, assets: [USD, HEU], chunkNanoCredits: CHUNK_NANO_CREDITS }, { ledger: database.ledger, ...dependencies }),
  )
  const router = seams.router(createRouterOf(world, dependencies, seams.journal(database.journal)))
  const jobs = orderedJobs(seams.jobs(database.jobs), { router, sequencer: { notify: world.notify } })
  const runner = createJobRunner(
    {
      ownerEpoch: epoch,
      shares: { protocol: PROTOCOL, votersOf: () => null, bpsOf: () => ({ deployer: 800, frontend: 500, voters: 200, protocol: 500 }) },
    },
    {
      dispatcher: { ...router, dispatch: watched(world, process, router) },
      payments,
      jobs,
      referredNodes: () => new Set(),
      ...dependencies,
    },
  )
  const podOf = (podId: string): PodRecord | undefined => pods.find(pod => pod.podId === podId)
  const autoscaler = createAutoscaler({ instance: 'router' }, { router, podOf, votesOf: () => null, othersOf: () => [], ...dependencies })
  router.publishPods(pods)
  router.start()
  autoscaler.start()
  const limiter = createRateLimiter({ tokensPerMinute: 1_000_000, concurrentRequests: 1_000 }, { clock: seams.limiterClock(clock) })
  return { process, payments, router, runner, limiter, autoscaler }
}

type Dependencies = Pick<Parameters<typeof createRouter>[1], 'clock' | 'random' | 'logger' | 'metrics'>

function createRouterOf(world: GatewayWorld, dependencies: Dependencies, journal: Database['journal']): Router {
  const { signer, seams, standing, uptimeBps } = world
  return createRouter(
    {
      queueMaxJobs: 20,
      creditTokens: 4,
      floodSlackTokens: 2,
      cancelGraceMs: 1_000,
      signMs: 1_500,
      heartbeatTimeoutMs: 9_000,
      heartbeatIntervalMs: 3_000,
      journalIntervalMs: 1_000,
    },
    {
      signer,
      domain: { chainId: CHAIN_ID, settlement: SETTLEMENT },
      standing: nodeId => {
        const found = standing(nodeId)
        return found && seams.standing(found)
      },
      presence: { uptimeBps },
      journal,
      tokenizerFor: () => null,
      ...dependencies,
    },
  )
}

/** The router as the gateway calls it, with the laws listening to both sides. */
function watched({ laws, maximumOf }: GatewayWorld, process: Process, router: Router): Router['dispatch'] {
  return (order, sink) => {
    const job = laws.asked(order, process, maximumOf(order.jobId, order))
    const heard: JobSink = {
      decided: decision => {
        job.decisions.push(decision)
        sink.decided(decision)
      },
      leased: lease => {
        laws.leased(job, lease)
        sink.leased(lease)
      },
      loading: () => sink.loading(),
      undecided: count => sink.undecided(count),
      retrying: (code, message) => {
        laws.faulted(job, code, message)
        laws.retrying(job)
        sink.retrying(code, message)
      },
      delta: delta => {
        laws.delta(job, delta)
        sink.delta(delta)
      },
      completed: completion => {
        laws.over(job)
        sink.completed(completion)
      },
      failed: failure => {
        laws.faulted(job, failure.code, failure.message)
        laws.over(job)
        sink.failed(failure)
      },
    }
    return router.dispatch(order, heard)
  }
}
