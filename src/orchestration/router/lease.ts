import type { Clock, RandomBytes } from '#platform'
import { bytesToHex, type LeaseId, type LeaseView, ZERO_ADDRESS, ZERO_BYTES32 } from '#protocol'
import type { Hosting } from './hosting.ts'
import type { Job, Lease } from './job.ts'
import type { Session } from './link/session.ts'
import type { Meter } from './metering.ts'

export type LeaseTerms = { readonly creditTokens: number; readonly meter: Meter }

/** Who may work on what, right now. */
export type LeaseTable = {
  grant(job: Job, hosting: Hosting, terms: LeaseTerms): Lease
  byId(leaseId: LeaseId): Lease | undefined
  byChannel(session: Session, channel: number): Lease | undefined
  /** Ends the right to earn. The slot is still taken. */
  expire(lease: Lease): void
  /** Gives the slot back, once; the lease stays known. */
  freeSlot(lease: Lease): void
  /** Forgets the lease, and gives its slot back. */
  release(lease: Lease): void
  ofSession(session: Session): Lease[]
  countOf(session: Session): number
  size(): number
}

// Milliseconds since 1970 times 4,096 fits a double's 53 bits until 2039.
const TOKENS_PER_MS = 4096

/** Fencing tokens that only grow, over restarts too: the start time stands in the high part. */
function createFencingTokens(startMs: number): () => number {
  let last = startMs * TOKENS_PER_MS
  return () => {
    last += 1
    return last
  }
}

/** Channel numbers are of one link; 32 bits wrap around, and a number in use is passed over. */
function createChannels() {
  const bySession = new Map<Session, Map<number, Lease>>()
  let last = 0
  return {
    get: (session: Session, channel: number) => bySession.get(session)?.get(channel),
    all: (session: Session) => [...(bySession.get(session)?.values() ?? [])],
    count: (session: Session) => bySession.get(session)?.size ?? 0,
    next(session: Session): number {
      const own = bySession.get(session)
      do last = (last + 1) >>> 0
      while (own?.has(last))
      return last
    },
    add(lease: Lease): void {
      const own = bySession.get(lease.session) ?? new Map<number, Lease>()
      bySession.set(lease.session, own.set(lease.channel, lease))
    },
    remove(lease: Lease): void {
      const own = bySession.get(lease.session)
      own?.delete(lease.channel)
      if (own?.size === 0) bySession.delete(lease.session)
    },
  }
}

type LeaseIds = Pick<Lease, 'leaseId' | 'fencingToken' | 'channel' | 'grantedAtMs'>

function newLease(ids: LeaseIds, job: Job, hosting: Hosting, { creditTokens, meter }: LeaseTerms): Lease {
  return {
    ...ids,
    attempt: job.attempts,
    session: hosting.node.session,
    hosting,
    nodeOwner: hosting.node.standing?.owner ?? ZERO_ADDRESS,
    job,
    meter,
    decisionHash: ZERO_BYTES32,
    routeClass: 3,
    phase: 'waiting',
    live: true,
    phaseMessages: 0,
    hasLoaded: !hosting.warm,
    wasHeldUp: false,
    holdsSlot: true,
    creditTokens,
    unsentCreditTokens: 0,
    nextSequence: 0,
    heardAtMs: ids.grantedAtMs,
    cancelDeadline: () => {},
  }
}

export type LeaseDependencies = {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly setBusy: (hosting: Hosting, busy: number) => void
  readonly onSlotFreed: (hosting: Hosting) => void
}

export function createLeaseTable(dependencies: LeaseDependencies): LeaseTable {
  const { clock, random, setBusy, onSlotFreed } = dependencies
  const leases = new Map<LeaseId, Lease>()
  const channels = createChannels()
  const nextToken = createFencingTokens(clock.now())

  function freeSlot(lease: Lease): void {
    if (!lease.holdsSlot) return
    lease.holdsSlot = false
    setBusy(lease.hosting, lease.hosting.busy - 1)
    onSlotFreed(lease.hosting)
  }

  function expire(lease: Lease): void {
    lease.live = false
    lease.cancelDeadline()
  }

  return {
    grant(job, hosting, terms) {
      const channel = channels.next(hosting.node.session)
      const ids = { leaseId: bytesToHex(random(32)), fencingToken: nextToken(), channel, grantedAtMs: clock.now() }
      const lease = newLease(ids, job, hosting, terms)
      leases.set(lease.leaseId, lease)
      channels.add(lease)
      setBusy(hosting, hosting.busy + 1)
      return lease
    },
    byId: leaseId => leases.get(leaseId),
    byChannel: channels.get,
    expire,
    freeSlot,
    release(lease) {
      if (!leases.delete(lease.leaseId)) return
      expire(lease)
      channels.remove(lease)
      freeSlot(lease)
    },
    ofSession: channels.all,
    countOf: channels.count,
    size: () => leases.size,
  }
}

export function viewOfLease({ leaseId, hosting, attempt, fencingToken }: Lease): LeaseView {
  return { leaseId, nodeId: hosting.nodeId, attempt, fencingToken }
}
