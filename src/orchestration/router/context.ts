import type { Counter, Gauge, Histogram } from 'prom-client'
import type { JobSink, PodId } from '#protocol'
import type { LoadAllowances } from './allowance.ts'
import type { ColdWishes } from './cold.ts'
import type { Fleet } from './fleet.ts'
import type { Job } from './job.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { LeaseTable } from './lease.ts'
import type { RouterDependencies, RouterOptions } from './options.ts'
import type { Pace } from './pace.ts'
import type { WaitingQueue } from './queue.ts'
import type { Sealer } from './seal.ts'

export type RouterMetrics = {
  readonly jobs: Counter
  readonly hedges: Counter
  readonly retries: Counter
  readonly lateResults: Counter
  readonly overclaims: Counter
  readonly misbehaviour: Counter
  readonly linksClosed: Counter
  readonly linksCut: Counter
  readonly linksResumed: Counter
  readonly journalLost: Counter
  readonly nodes: Gauge
  /** Set once per refresh, as is the next: a gauge costs 2 µs to set. */
  readonly openJobs: Gauge
  readonly nodesCut: Gauge
  readonly queueSeconds: Histogram
}

/** What the parts of one router share. */
export type RouterContext = {
  readonly options: RouterOptions
  readonly dependencies: RouterDependencies
  readonly separator: Uint8Array
  readonly sealer: Sealer
  readonly journal: JournalWriter
  readonly fleet: Fleet
  readonly allowances: LoadAllowances
  readonly coldWishes: ColdWishes
  readonly leases: LeaseTable
  readonly queue: WaitingQueue<Job>
  readonly pace: Pace
  readonly metrics: RouterMetrics
  /** Jobs that are not in a terminal state. */
  readonly jobs: Set<Job>
  /** Offers waiting jobs to free slots of a pod, at the end of this turn. */
  readonly wake: (podId: PodId) => void
  stopping: boolean
}

export function createRouterMetrics({ metrics }: Pick<RouterDependencies, 'metrics'>): RouterMetrics {
  return {
    jobs: metrics.counter('heurist_router_jobs_total', 'Jobs by how they ended: succeeded or a RouterErrorCode.', ['outcome']),
    hedges: metrics.counter(
      'heurist_router_hedges_total',
      'Second attempts beside a silent first one: those begun, and those of them that were first with output (won).',
      ['event'],
    ),
    retries: metrics.counter('heurist_router_retries_total', 'Attempts that failed and were tried again on another node.', ['code']),
    lateResults: metrics.counter('heurist_router_late_results_total', 'Messages refused because their lease is not live (law L8).'),
    overclaims: metrics.counter('heurist_router_overclaims_total', 'Jobs whose node claimed more tokens than the router counted.'),
    misbehaviour: metrics.counter('heurist_router_misbehaviour_total', 'Leases cut because the node broke the protocol.'),
    linksClosed: metrics.counter('heurist_router_links_closed_total', 'Node links that this router closed, by reason.', ['code']),
    linksCut: metrics.counter('heurist_router_links_cut_total', 'Connections of nodes that broke while their node held leases.'),
    linksResumed: metrics.counter('heurist_router_links_resumed_total', 'Sessions that a node came back to after a cut, leases and all.'),
    journalLost: metrics.counter(
      'heurist_router_journal_lost_total',
      'Parts of the journal of decisions that were given up because they could not be stored (law R2).',
    ),
    nodes: metrics.gauge('heurist_router_nodes', 'Nodes linked now, those that are cut off for a moment among them.'),
    nodesCut: metrics.gauge('heurist_router_nodes_cut', 'Nodes whose connection broke and whose leases wait for them to come back.'),
    openJobs: metrics.gauge('heurist_router_jobs_open', 'Jobs that are waiting or running.'),
    queueSeconds: metrics.histogram('heurist_router_queue_seconds', 'Time from submission to the first lease.', {
      buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60],
    }),
  }
}

/** Calls the gateway's sink. A throwing sink is a defect of the gateway and must not take the router down. */
export function tell(context: RouterContext, job: Job, call: (sink: JobSink) => void): void {
  try {
    call(job.sink)
  } catch (error) {
    context.dependencies.logger.error({ jobId: job.order.jobId, err: error }, 'The sink of a job threw.')
  }
}
