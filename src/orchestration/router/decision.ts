import type { Signer } from '#platform'
import type { Bytes32, Candidate, DecisionRecord, JobId, NodeId, RouteFacts, SignedDecision } from '#protocol'
import { type Demand, isPinned, refusalsOf } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { FleetNode, Hosting } from './hosting.ts'
import { type Race, raceOf, rankKeys } from './rank.ts'
import { createSealer, sealDecision } from './seal.ts'

export type DecisionInput = {
  readonly jobId: JobId
  readonly attempt: number
  readonly demand: Demand
  readonly seed: Bytes32
  readonly decidedAtMs: number
  readonly chosen: NodeId | null
}

// Members below are written in alphabetical order: the canonical form is hashed for every job and need not sort what is in order.

function factsOf(node: FleetNode, hosting: Hosting | undefined, demand: Demand): Candidate['facts'] {
  return {
    freeSlots: hosting ? hosting.slots - hosting.busy : 0,
    owner: node.standing?.owner ?? null,
    referred: demand.referredNodes.has(node.nodeId),
    unitsPerSecond: hosting?.unitsPerSecond ?? 0,
    uptimeBps: node.uptimeBps,
    votes: (node.standing?.votes ?? 0n).toString(),
    warm: hosting?.warm ?? false,
  }
}

/** The race as the pick saw it: the roster's columns have not changed since. */
function raceOfEligible(fleet: Fleet, demand: Demand, eligible: readonly Hosting[]): Race | null {
  const roster = fleet.roster(demand.pod.podId)
  if (!roster || eligible.length === 0) return null
  const rows = Int32Array.from(eligible, ({ row }) => row)
  return raceOf(roster.columns().field, rows, rows.length, demand.referredNodes)
}

function routeOf(demand: Demand, eligible: readonly Hosting[]): RouteFacts {
  return {
    owners: new Set(eligible.map(({ node }) => node.standing?.owner)).size,
    pinned: isPinned(demand),
    referred: eligible.some(({ nodeId }) => demand.referredNodes.has(nodeId)),
  }
}

/** The whole decision as it was taken: must run in the same turn as the pick, before any slot changes hands. */
export function recordDecision(fleet: Fleet, input: DecisionInput): DecisionRecord {
  const { jobId, attempt, demand, seed, decidedAtMs, chosen } = input
  const judged = [...fleet.all()].map(node => {
    const hosting = node.hostings.get(demand.pod.podId)
    return { node, hosting, refused: refusalsOf(node, demand) }
  })
  const eligible = judged.flatMap(({ hosting, refused }) => (hosting && refused.length === 0 ? [hosting] : []))
  const race = raceOfEligible(fleet, demand, eligible)
  const candidates = judged.map(({ node, hosting, refused }): Candidate => {
    const { nodeId } = node
    const facts = factsOf(node, hosting, demand)
    if (!race || !hosting || refused.length > 0) return { facts, nodeId, refused }
    return { facts, keys: rankKeys(race, hosting.row), nodeId, refused }
  })
  const route = routeOf(demand, eligible)
  return { attempt, candidates, chosen, decidedAtMs, jobId, podId: demand.pod.podId, route, seed, version: 1 }
}

/** Signed alone; the router itself signs many together (seal.ts). */
export function signDecision(record: DecisionRecord, separator: Uint8Array, signer: Signer): SignedDecision {
  return sealDecision(record, { separator, sealer: createSealer(signer, separator) })
}
