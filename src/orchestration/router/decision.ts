import type { Signer } from '#platform'
import {
  type Bytes32,
  type Candidate,
  type DecisionRecord,
  decisionDigest,
  decisionHash,
  type JobId,
  type NodeId,
  type SignedDecision,
} from '#protocol'
import { type Demand, refusalsOf } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { FleetNode } from './hosting.ts'
import { rankKeys, scaleOf } from './rank.ts'

export type DecisionInput = {
  readonly jobId: JobId
  readonly attempt: number
  readonly demand: Demand
  readonly seed: Bytes32
  readonly decidedAtMs: number
  readonly chosen: NodeId | null
}

function factsOf(node: FleetNode, demand: Demand): Candidate['facts'] {
  const hosting = node.hostings.get(demand.pod.podId)
  return {
    warm: hosting?.warm ?? false,
    referred: demand.referredNodes.has(node.nodeId),
    unitsPerSecond: hosting?.unitsPerSecond ?? 0,
    votes: (node.standing?.votes ?? 0n).toString(),
    uptimeBps: node.uptimeBps,
    freeSlots: hosting ? hosting.slots - hosting.busy : 0,
  }
}

/** The whole decision as it was taken: must run in the same turn as the pick, before any slot changes hands. */
export function recordDecision(fleet: Fleet, input: DecisionInput, minCollateralWei: bigint): DecisionRecord {
  const { jobId, attempt, demand, seed, decidedAtMs, chosen } = input
  const plain = [...fleet.all()].map(node => ({
    nodeId: node.nodeId,
    facts: factsOf(node, demand),
    refused: refusalsOf(node, demand, minCollateralWei),
  }))
  const contender = ({ nodeId, facts }: (typeof plain)[number]) => ({ nodeId, ...facts, votes: Number(facts.votes) })
  const scale = scaleOf(plain.filter(({ refused }) => refused.length === 0).map(contender))
  const candidates = plain.map(candidate =>
    candidate.refused.length > 0 ? candidate : { ...candidate, keys: rankKeys(contender(candidate), candidate.facts.referred, scale) },
  )
  return { version: 1, jobId, attempt, podId: demand.pod.podId, decidedAtMs, seed, candidates, chosen }
}

export function signDecision(record: DecisionRecord, separator: Uint8Array, signer: Signer): SignedDecision {
  const recordHash = decisionHash(record)
  const routerSignature = signer.signDigest(decisionDigest(separator, record.jobId, record.attempt, recordHash))
  return { record, recordHash, routerSignature, router: signer.address }
}
