import { endLease, failLease } from './attempt.ts'
import type { RouterContext } from './context.ts'
import type { Fault } from './errors.ts'
import { isEligibleWithSlot } from './filter.ts'
import type { Lease } from './job.ts'
import type { Session } from './link/session.ts'
import { shouldRetry } from './retry.ts'

function nodeLost({ nodeId }: Session, what: string): Fault {
  return { code: 'ROUTER_NODE_LOST', message: `The link to node ${nodeId} ${what}.` }
}

/** The session of a node is over: whatever it held is lost. */
export function onSessionLost(context: RouterContext, session: Session): void {
  for (const lease of context.leases.ofSession(session)) {
    if (lease.live) endLease(context, lease, nodeLost(session, 'closed while it held the job'), true)
    else context.leases.release(lease)
  }
}

/**
 * The connection of a node broke, and the node may come back: its leases run on, and so do their deadlines. A job that has sent nothing
 * need not wait so long where another node can take it.
 */
export function onSessionCut(context: RouterContext, session: Session): void {
  const { cutAtMs } = session
  context.dependencies.clock.after(context.options.moveAfterCutMs, () => {
    // It is back, or over; another cut has a watch of its own.
    if (session.cutAtMs !== cutAtMs) return
    const fault = nodeLost(session, 'was cut before the job had output')
    for (const lease of context.leases.ofSession(session)) if (mayMove(context, lease, fault)) failLease(context, lease, fault)
    if (isNeeded(context, session)) onSessionCut(context, session)
    else session.end()
  })
}

/** One of its leases is live: something is lost when the session ends. */
export function isNeeded({ leases }: RouterContext, session: Session): boolean {
  return leases.ofSession(session).some(({ live }) => live)
}

function mayMove({ fleet }: RouterContext, { live, hosting, job }: Lease, fault: Fault): boolean {
  const { startedOutput, attempts, order } = job
  if (!live || !shouldRetry({ fault, startedOutput, attempts, preferences: order.preferences })) return false
  return fleet.hosting(job.podId).some(other => other !== hosting && isEligibleWithSlot(other, job.demand))
}
