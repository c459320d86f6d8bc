import { recoverSigner } from '#platform'
import {
  type Candidate,
  type DecisionRecord,
  decisionDigest,
  decisionHash,
  type NodeId,
  type RankKeys,
  type SignedDecision,
} from '#protocol'
import { bestOf, type Contender, rankKeys, type Scale, scaleOf } from './rank.ts'

export type Replay = {
  readonly matches: boolean
  /** What differs between the record and its replay, in words; empty when it matches. */
  readonly differences: readonly string[]
}

type Eligible = Contender & { readonly candidate: Candidate }

function eligibleOf(record: DecisionRecord): Eligible[] {
  return record.candidates
    .filter(({ refused }) => refused.length === 0)
    .map(candidate => ({ candidate, nodeId: candidate.nodeId, ...candidate.facts, votes: Number(candidate.facts.votes) }))
}

function sameKeys(a: RankKeys | undefined, b: RankKeys): boolean {
  if (!a) return false
  const { warm, referred, efficiencyBucket, votesBucket, uptimeBucket } = b
  return (
    a.warm === warm &&
    a.referred === referred &&
    a.efficiencyBucket === efficiencyBucket &&
    a.votesBucket === votesBucket &&
    a.uptimeBucket === uptimeBucket
  )
}

function keyDifferences(eligible: readonly Eligible[], scale: Scale): string[] {
  return eligible
    .filter(contender => !sameKeys(contender.candidate.keys, rankKeys(contender, contender.candidate.facts.referred, scale)))
    .map(({ nodeId }) => `the rank keys of ${nodeId} do not follow from its facts`)
}

/** The node that the recorded facts, keys and seed lead to; null when every candidate was refused. */
function replayedChoice(record: DecisionRecord, eligible: readonly Eligible[]): NodeId | null {
  const referred = new Set(eligible.filter(({ candidate }) => candidate.facts.referred).map(({ nodeId }) => nodeId))
  return bestOf(eligible, referred, record.seed)?.nodeId ?? null
}

function structuralDifferences(record: DecisionRecord): string[] {
  const differences: string[] = []
  const ids = new Set(record.candidates.map(({ nodeId }) => nodeId))
  if (ids.size !== record.candidates.length) differences.push('a node is listed twice')
  for (const { nodeId, refused, keys, facts } of record.candidates) {
    if (refused.length > 0 && keys) differences.push(`${nodeId} was refused and yet ranked`)
    if (refused.length === 0 && facts.freeSlots <= 0) differences.push(`${nodeId} was ranked without a free slot`)
  }
  return differences
}

/**
 * Repeats a routing decision from its record alone (law R2) and says whether it leads to the same node.
 * With the EIP-712 domain separator of the network the router's signature is checked too.
 *
 * @example replayDecision(signed, domainSeparator(jobDomain(chainId, settlement))).matches
 */
export function replayDecision(signed: SignedDecision, separator?: Uint8Array): Replay {
  const { record, recordHash, routerSignature, router } = signed
  const differences = structuralDifferences(record)
  const eligible = eligibleOf(record)
  differences.push(...keyDifferences(eligible, scaleOf(eligible)))
  const choice = replayedChoice(record, eligible)
  if (choice !== record.chosen) differences.push(`the replay chooses ${choice ?? 'no node'}, the record ${record.chosen ?? 'no node'}`)
  const hash = decisionHash(record)
  if (hash !== recordHash) differences.push(`the record hashes to ${hash}, the decision says ${recordHash}`)
  if (separator && recoverSigner(decisionDigest(separator, record.jobId, record.attempt, recordHash), routerSignature) !== router) {
    differences.push(`the signature is not of router ${router}`)
  }
  return { matches: differences.length === 0, differences }
}
