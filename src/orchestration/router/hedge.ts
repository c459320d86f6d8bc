import { stopLease, tryLease } from './attempt.ts'
import { type RouterContext, tell } from './context.ts'
import { isFinished, type Job, keepOnly, type Lease, otherAttempt } from './job.ts'
import { viewOfLease } from './lease.ts'

/**
 * Hedging, off unless a request asks for it: while a job's node has sent nothing for `hedge_after_ms`, a second attempt runs on another warm
 * node. Who sends output first has the job; the other is stopped and earns nothing. Both count as attempts, only one is ever heard and
 * paid (laws L7, L8), and when one fails the other goes on.
 */
export function watchHedge(context: RouterContext, job: Job): void {
  const { hedge_after_ms: afterMs } = job.order.preferences
  const { clock } = context.dependencies
  if (afterMs === undefined) return
  const look = (): void => {
    if (isFinished(job) || job.startedOutput) return
    const { lease, hedge } = job
    const leftMs = lease && !hedge ? lease.grantedAtMs + afterMs - clock.now() : afterMs
    if (lease && leftMs <= 0) hedgeBeside(context, job, lease)
    job.cancelHedgeTimer = clock.after(leftMs > 0 ? leftMs : afterMs, look)
  }
  job.cancelHedgeTimer = clock.after(afterMs, look)
}

function hedgeBeside(context: RouterContext, job: Job, first: Lease): void {
  const { max_attempts } = job.order.preferences
  if (job.attempts >= max_attempts || first.phase === 'signing' || context.stopping) return
  // For the rest of the job: a node does not get it twice.
  job.excluded.add(first.hosting.nodeId)
  if (tryLease(context, job, 'hedge').chosen) context.metrics.hedges.inc({ event: 'begun' })
}

/** The first that sends output has the job. */
export function settleOn(context: RouterContext, lease: Lease): void {
  const other = otherAttempt(lease)
  if (!other) return
  keepOnly(lease)
  stopLease(context, other, 'HEDGED')
  if (lease.attempt > other.attempt) context.metrics.hedges.inc({ event: 'won' })
  else tell(context, lease.job, sink => sink.leased(viewOfLease(lease)))
}
