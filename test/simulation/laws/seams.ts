import type { Payments } from '#application'
import type { Router } from '#orchestration'
import type { Clock, JobStore, JournalStore } from '#platform'
import type { NodeFacts, NodeStanding } from '#protocol'
import type { LinkSocket } from '../../../src/orchestration/router/link/session.ts'
import type { Disk } from './disk.ts'

/** Where a planted bug may stand: around the ports of the production code, never in it. */
export type Seams = {
  disk(disk: Disk): void
  jobs(jobs: JobStore): JobStore
  payments(payments: Payments): Payments
  router(router: Router): Router
  standing(standing: NodeStanding): NodeStanding
  journal(journal: JournalStore): JournalStore
  facts(facts: NodeFacts): NodeFacts
  limiterClock(clock: Clock): Clock
  /** The router's end of a connection. */
  link(socket: LinkSocket): LinkSocket
}

export const NO_BUG: Seams = {
  disk: () => undefined,
  jobs: jobs => jobs,
  payments: payments => payments,
  router: router => router,
  standing: standing => standing,
  journal: journal => journal,
  facts: facts => facts,
  limiterClock: clock => clock,
  link: socket => socket,
}
