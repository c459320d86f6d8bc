import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  type Dispatcher,
  domainSeparator,
  encodeMessage,
  type JobControl,
  type JobId,
  type JobOrder,
  type JobSink,
  jobDomain,
  type NodeId,
  type NodeLog,
  type NodeWhy,
  type PodId,
  type PodLoad,
  type PodRecord,
  type ReplicaAction,
} from '#protocol'
import { createLoadAllowances, type LoadAllowance } from './allowance.ts'
import { discard, failAttempt, offerSlots, STOPPING, submitJob } from './attempt.ts'
import { createColdWishes } from './cold.ts'
import { createRouterMetrics, type RouterContext } from './context.ts'
import { isNeeded, onSessionCut, onSessionLost } from './cut-links.ts'
import { cancelJob, grantCredit, onFrames, onLeaseMessage } from './delivery.ts'
import { createFleet } from './fleet.ts'
import { watchHedge } from './hedge.ts'
import { createJob, isFinished, type Job } from './job.ts'
import { createJournalWriter } from './journal-writer.ts'
import { createLeaseTable } from './lease.ts'
import { createLinkServer } from './link/server.ts'
import type { LinkSocket, SessionEvents } from './link/session.ts'
import { loadsOf } from './loads.ts'
import { DEFAULT_ROUTER_OPTIONS, type RouterDependencies, type RouterOptions } from './options.ts'
import { createPace } from './pace.ts'
import { createPodLogReader, type PodLogReader } from './pod-logs.ts'
import { createWaitingQueue } from './queue.ts'
import { poolRandom } from './random-pool.ts'
import { createSealer } from './seal.ts'
import { onSigned } from './signing.ts'
import { whyOf } from './why.ts'

/**
 * A router: holds the links of its nodes, picks a node for each job, leases, streams, counts, and countersigns receipts.
 *
 * @example
 * const router = createRouter({}, { signer, domain: { chainId, settlement }, clock: systemClock, … })
 * router.start()
 * httpServer.on('upgrade', (request, socket, head) => router.handleUpgrade(request, socket, head))
 */
export interface Router extends Dispatcher {
  start(): void
  /** Takes over an HTTP upgrade request of a node link. The caller has matched the path. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Takes over a node link that is open already: one that did not come by HTTP. */
  acceptLink(socket: LinkSocket): void
  /** Reads a node's standing and uptime again, or those of all linked nodes. Call it when the registry changes. */
  standingChanged(nodeId?: NodeId): void
  /** Jobs that are waiting or running. */
  openJobs(): number
  /** Why a node gets no work, with the fix. */
  why(nodeId: NodeId): NodeWhy
  /** What a pod's program wrote to stderr, from the linked nodes that host it. */
  podLogs(podId: PodId, sinceMs: number): Promise<NodeLog[]>
  /** What the published pods are asked for now, and who could serve them. */
  loads(): PodLoad[]
  /** Asks a node to load or unload one replica. It answers by its facts. */
  scale(nodeId: NodeId, podId: PodId, action: ReplicaAction): void
  /** Bounds what jobs may load by themselves, until it is said again. */
  allowLoads(podId: PodId, allowance: LoadAllowance): void
  /** Stores what the journal of decisions says so far; else it is stored every `journalIntervalMs`. */
  flushJournal(): Promise<void>
  /**
   * Resolves when a job's decisions can be replayed from what is on disk. Await it before the end of the job is committed (ADR 0017).
   * @throws what the journal's sink said, when they could not be stored
   */
  decisionsStored(jobId: JobId): Promise<void>
  /** Refuses new jobs, lets running ones finish for at most `drainMs`, fails the rest and closes all links. */
  stop(drainMs: number): Promise<void>
}

function createContext(options: RouterOptions, dependencies: RouterDependencies): RouterContext {
  const waking = new Set<PodId>()
  const wake = (podId: PodId): void => {
    if (waking.has(podId)) return
    waking.add(podId)
    queueMicrotask(() => {
      waking.delete(podId)
      offerSlots(context, podId)
    })
  }
  const { clock, random, domain, signer } = dependencies
  const fleet = createFleet({ router: signer.address, now: clock.now }, dependencies)
  const separator = domainSeparator(jobDomain(domain.chainId, domain.settlement))
  const metrics = createRouterMetrics(dependencies)
  const context: RouterContext = {
    options,
    dependencies,
    separator,
    sealer: createSealer(dependencies.signer, separator),
    journal: createJournalWriter(
      { intervalMs: options.journalIntervalMs },
      { ...dependencies, fleet, separator, sink: dependencies.journal, lost: metrics.journalLost },
    ),
    fleet,
    allowances: createLoadAllowances(),
    coldWishes: createColdWishes(),
    leases: createLeaseTable({ clock, random, setBusy: fleet.setBusy, onSlotFreed: hosting => wake(hosting.podId) }),
    queue: createWaitingQueue<Job>(options.queueMaxJobs),
    pace: createPace(),
    metrics,
    jobs: new Set(),
    wake,
    stopping: false,
  }
  return context
}

function sessionEvents(context: RouterContext, logs: PodLogReader): SessionEvents {
  const { fleet, queue, metrics, dependencies } = context
  const wakeAll = (): void => {
    for (const podId of queue.pods()) context.wake(podId)
  }
  return {
    joined(session, facts) {
      const node = fleet.join(session, facts)
      metrics.nodes.set(fleet.size())
      dependencies.logger.info({ nodeId: session.nodeId, sessionId: session.sessionId }, 'A node linked.')
      if (node.standing === null) dependencies.onUnknownNode?.(session.nodeId)
      wakeAll()
    },
    facts(session, facts) {
      fleet.updateFacts(session, facts)
      wakeAll()
    },
    logs: logs.answer,
    leaseMessage: (session, message) => onLeaseMessage(context, session, message),
    signed: (session, message) => onSigned(context, session, message),
    frames: (session, frames, bytes) => onFrames(context, session, frames, bytes),
    openLeases: session => context.leases.countOf(session),
    isNeeded: session => isNeeded(context, session),
    cut(session) {
      metrics.linksCut.inc()
      fleet.linkChanged(session)
      onSessionCut(context, session)
    },
    resumed(session, facts) {
      metrics.linksResumed.inc()
      fleet.updateFacts(session, facts)
      wakeAll()
    },
    left(session) {
      fleet.leave(session)
      onSessionLost(context, session)
      metrics.nodes.set(fleet.size())
    },
  }
}

function capacityOf(context: RouterContext, podId: PodId): ReturnType<Dispatcher['podCapacity']> {
  let warm = 0
  let loading = 0
  let replicas = 0
  let freeSlots = 0
  for (const hosting of context.fleet.hosting(podId)) {
    replicas += hosting.replicas.length
    warm += hosting.replicas.filter(replica => replica.state === 'warm').length
    loading += hosting.replicas.filter(replica => replica.state === 'loading').length
    if (hosting.fixedRefusals.length === 0) freeSlots += Math.max(0, hosting.slots - hosting.busy)
  }
  return { warm, loading, replicas, freeSlots }
}

async function drain(context: RouterContext, drainMs: number): Promise<void> {
  const { clock } = context.dependencies
  for (const job of context.queue.drain()) discard(context, job, STOPPING)
  const untilMs = clock.now() + drainMs
  while (context.jobs.size > 0 && clock.now() < untilMs) await new Promise<void>(resolve => clock.after(20, resolve))
  for (const job of [...context.jobs]) if (!isFinished(job)) failAttempt(context, job, STOPPING)
}

function dispatch(context: RouterContext, order: JobOrder, sink: JobSink): JobControl {
  const job = createJob(order, sink, context.dependencies.clock.now())
  // Next microtask: no callback runs before the caller holds its control.
  queueMicrotask(() => {
    if (isFinished(job)) return
    submitJob(context, job)
    if (!isFinished(job)) watchHedge(context, job)
  })
  return {
    cancel: reason => cancelJob(context, job, reason),
    grant: tokens => grantCredit(context, job, tokens),
  }
}

export function createRouter(options: Partial<RouterOptions>, given: RouterDependencies): Router {
  const dependencies = { ...given, random: poolRandom(given.random) }
  const context = createContext({ ...DEFAULT_ROUTER_OPTIONS, ...options }, dependencies)
  const { fleet, queue, metrics, journal, separator } = context
  const { clock } = dependencies
  let pods: readonly PodRecord[] = []
  let cancelRefresh = (): void => {}
  const countClose = (code: string): void => metrics.linksClosed.inc({ code })
  const logs = createPodLogReader({ fleet, clock })
  const links = createLinkServer({
    options: context.options,
    dependencies,
    separator,
    events: sessionEvents(context, logs),
    pods: () => pods,
    countClose,
  })

  function standingChanged(nodeId?: NodeId): void {
    fleet.refreshStanding(nodeId)
    for (const podId of queue.pods()) context.wake(podId)
  }

  function refreshLater(): void {
    cancelRefresh = clock.after(context.options.standingRefreshMs, () => {
      standingChanged()
      metrics.openJobs.set(context.jobs.size)
      metrics.nodesCut.set(fleet.cutCount())
      refreshLater()
    })
  }

  return {
    start() {
      refreshLater()
      journal.start()
    },
    handleUpgrade: links.handleUpgrade,
    acceptLink: links.accept,
    standingChanged,
    openJobs: () => context.jobs.size,
    dispatch: (order, sink) => dispatch(context, order, sink),
    nodes: () => fleet.views(),
    publishPods(records) {
      pods = [...records]
      const text = encodeMessage({ type: 'pods', pods: [...records] })
      for (const node of fleet.all()) node.session.send(text)
    },
    loads: () =>
      loadsOf(
        context,
        pods.map(({ podId }) => podId),
      ),
    scale: (nodeId, podId, action) => fleet.get(nodeId)?.session.send(encodeMessage({ type: 'scale', podId, action })),
    allowLoads(podId, allowance) {
      context.allowances.set(podId, allowance)
      if (queue.size(podId) > 0) context.wake(podId)
    },
    podCapacity: podId => capacityOf(context, podId),
    podLogs: logs.read,
    why: nodeId => whyOf(fleet, nodeId, { standing: dependencies.standing(nodeId) }),
    flushJournal: journal.flush,
    decisionsStored: journal.stored,
    async stop(drainMs) {
      context.stopping = true
      cancelRefresh()
      await drain(context, drainMs)
      links.close()
      await journal.stop()
    },
  }
}
