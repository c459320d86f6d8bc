import { recoverSigner } from '#platform'
import { groupOf, hexToBytes } from '#protocol'
import { endJob, failLease } from './attempt.ts'
import { type RouterContext, tell } from './context.ts'
import type { Draft, Lease } from './job.ts'
import { moveJob } from './job.ts'
import type { Session, SignedMessage } from './link/session.ts'
import { sealReceipt } from './seal.ts'

type Member = SignedMessage['leases'][number]

/** The lease that a member speaks for, while it may still earn (law L8). */
function liveLease(context: RouterContext, session: Session, { leaseId, fencingToken }: Member): Lease | null {
  const lease = context.leases.byId(leaseId)
  return lease?.live && lease.session === session && lease.fencingToken === fencingToken ? lease : null
}

/**
 * A node has signed a group of receipts. The router knows what each digest must be, so the group is put together again from the
 * digests that were drafted here, and one recovery checks them all. Members whose lease is over meanwhile are refused alone.
 */
export function onSigned(context: RouterContext, session: Session, { leases, signature }: SignedMessage): void {
  const isForeign = leases.some(({ leaseId }) => (context.leases.byId(leaseId)?.session ?? session) !== session)
  if (isForeign) {
    session.close('LINK_FOREIGN_LEASE', `Node ${session.nodeId} signed for a lease of another node.`)
    return
  }
  const live = leases.map(member => liveLease(context, session, member))
  const strays = live.filter(lease => lease === null).length
  for (let i = 0; i < strays; i++) session.countStray()
  if (strays > 0) context.metrics.lateResults.inc(strays)
  // Not worth a recovery: nobody earns by it.
  if (strays === leases.length) return
  const digests = leases.map(({ digest }) => hexToBytes(digest))
  const group = groupOf(context.separator, digests)
  const isSigned = recoverSigner(group.digest, signature) === session.nodeId
  for (const [position, lease] of live.entries()) {
    // Named twice: the first time ended it.
    if (!lease?.live) continue
    const { draft } = lease.job
    if (draft && isSigned && draft.digestHex === leases[position]?.digest)
      complete(context, lease, draft, group.member(position, signature))
    else refuse(context, lease, draft ? 'a signature that is not over its receipt' : 'a signature before its receipt was drafted')
  }
}

function refuse(context: RouterContext, lease: Lease, what: string): void {
  failLease(context, lease, { code: 'ROUTER_NODE_MISBEHAVED', message: `Node ${lease.hosting.nodeId} sent ${what}.` })
}

function complete(context: RouterContext, lease: Lease, draft: Draft, nodeSignature: `0x${string}`): void {
  const { job } = lease
  moveJob(job, 'succeeded')
  endJob(context, job, 'succeeded')
  context.leases.release(lease)
  const signedReceipt = sealReceipt(draft, nodeSignature, context.sealer)
  const { units, choices, digestHex } = draft
  tell(context, job, sink => sink.completed({ signedReceipt, receiptDigest: digestHex, nodeOwner: lease.nodeOwner, units, choices }))
}
