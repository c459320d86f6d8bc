import type { Bytes32, DecisionDemand, DecisionRecord, JobId, NodeId } from '#protocol'
import { type Demand, isPinned } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { Choice } from './pick.ts'

export type DecisionInput = {
  readonly jobId: JobId
  readonly attempt: number
  readonly demand: Demand
  readonly seed: Bytes32
  readonly decidedAtMs: number
  readonly choice: Choice
}

// Members below are written in alphabetical order: the canonical form is hashed for every job and need not sort what is in order.

function demandOf(fleet: Fleet, { preferences, excluded, referredNodes, pod }: Demand): DecisionDemand {
  const { allow_nodes, deny_nodes, region } = preferences
  const isHost = (nodeId: NodeId): boolean => fleet.get(nodeId)?.hostings.has(pod.podId) ?? false
  return {
    ...(allow_nodes && { allow: allow_nodes }),
    ...(deny_nodes && { deny: deny_nodes }),
    excluded: [...excluded],
    referred: [...referredNodes].filter(isHost),
    ...(region !== undefined && { region }),
  }
}

/** A decision as it was taken: must run in the same turn as the pick, before any slot changes hands. */
export function recordDecision(fleet: Fleet, input: DecisionInput): DecisionRecord {
  const { jobId, attempt, demand, seed, decidedAtMs, choice } = input
  const { podId } = demand.pod
  const roster = fleet.roster(podId)
  return {
    attempt,
    chosen: choice.chosen?.nodeId ?? null,
    decidedAtMs,
    demand: demandOf(fleet, demand),
    eligible: choice.eligible,
    hosts: roster?.hostings.length ?? 0,
    jobId,
    journal: roster?.journal.decided(jobId, attempt, roster.hostings) ?? null,
    linked: fleet.size(),
    podId,
    route: { owners: choice.owners, pinned: isPinned(demand), referred: choice.referred },
    seed,
    version: 2,
  }
}
