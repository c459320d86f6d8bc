import type { Clock, RandomBytes } from '#platform'
import { bytesToHex, type LeaseId, type LeaseView, ZERO_ADDRESS } from '#protocol'
import type { Hosting } from './hosting.ts'
import type { Job, Lease } from './job.ts'
import type { Session } from './link/session.ts'
import type { Meter } from './metering.ts'

export type LeaseTable = {
  grant(job: Job, hosting: Hosting, terms: { readonly creditTokens: number; readonly meter: Meter }): Lease
  byId(leaseId: LeaseId): Lease | undefined
  byChannel(session: Session, channel: number): Lease | undefined
  /** Ends the right to earn. The slot is still taken. */
  expire(lease: Lease): void
  /** Gives the slot back, once; the lease stays known. */
  freeSlot(lease: Lease): void
  /** Forgets the lease, and gives its slot back. */
  release(lease: Lease): void
  ofSession(session: Session): Lease[]
  size(): number
}

// Milliseconds since 1970 times 4,096 fits a double's 53 bits until 2039.
const TOKENS_PER_MS = 4096

export function createLeaseTable(dependencies: { clock: Clock; random: RandomBytes; onSlotFreed: (hosting: Hosting) => void }): LeaseTable {
  const { clock, random, onSlotFreed } = dependencies
  const leases = new Map<LeaseId, Lease>()
  const channels = new Map<Session, Map<number, Lease>>()
  // Strictly increasing over restarts too: the start time stands in the high part.
  let lastToken = clock.now() * TOKENS_PER_MS
  let lastChannel = 0

  function freeSlot(lease: Lease): void {
    if (!lease.holdsSlot) return
    lease.holdsSlot = false
    lease.hosting.busy -= 1
    onSlotFreed(lease.hosting)
  }

  function channelsOf(session: Session): Map<number, Lease> {
    let own = channels.get(session)
    if (!own) {
      own = new Map()
      channels.set(session, own)
    }
    return own
  }

  return {
    grant(job, hosting, terms) {
      const { session } = hosting.node
      const own = channelsOf(session)
      do lastChannel = (lastChannel + 1) >>> 0
      while (own.has(lastChannel))
      lastToken += 1
      const lease: Lease = {
        leaseId: bytesToHex(random(32)),
        fencingToken: lastToken,
        attempt: job.attempts,
        channel: lastChannel,
        session,
        hosting,
        nodeOwner: hosting.node.standing?.owner ?? ZERO_ADDRESS,
        job,
        meter: terms.meter,
        grantedAtMs: clock.now(),
        phase: 'waiting',
        live: true,
        hasLoaded: !hosting.warm,
        holdsSlot: true,
        creditTokens: terms.creditTokens,
        unsentCreditTokens: 0,
        nextSequence: 0,
        cancelDeadline: () => {},
      }
      leases.set(lease.leaseId, lease)
      own.set(lease.channel, lease)
      hosting.busy += 1
      return lease
    },
    byId: leaseId => leases.get(leaseId),
    byChannel: (session, channel) => channels.get(session)?.get(channel),
    expire(lease) {
      lease.live = false
      lease.cancelDeadline()
    },
    freeSlot,
    release(lease) {
      if (!leases.delete(lease.leaseId)) return
      lease.live = false
      lease.cancelDeadline()
      const own = channels.get(lease.session)
      own?.delete(lease.channel)
      if (own?.size === 0) channels.delete(lease.session)
      freeSlot(lease)
    },
    ofSession: session => [...(channels.get(session)?.values() ?? [])],
    size: () => leases.size,
  }
}

export function viewOfLease({ leaseId, hosting, attempt, fencingToken }: Lease): LeaseView {
  return { leaseId, nodeId: hosting.nodeId, attempt, fencingToken }
}
