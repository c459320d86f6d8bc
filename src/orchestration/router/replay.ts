import { recoverMember } from '#platform'
import { type Candidate, type DecisionRecord, decisionDigest, decisionHash, type RankKeys, type SignedDecision } from '#protocol'
import { bestOf, type Contender, type Race, raceOfAll, rankKeys } from './rank.ts'

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

function keyDifferences(eligible: readonly Eligible[], race: Race): string[] {
  return eligible
    .filter(({ candidate }, row) => !sameKeys(candidate.keys, rankKeys(race, row)))
    .map(({ nodeId }) => `the rank keys of ${nodeId} do not follow from its facts`)
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

/** What organic weight hangs on must follow from the candidates. */
function routeDifferences({ route }: DecisionRecord, eligible: readonly Eligible[]): string[] {
  const owners = new Set(eligible.map(({ candidate }) => candidate.facts.owner)).size
  const referred = eligible.some(({ candidate }) => candidate.facts.referred)
  const differences: string[] = []
  if (owners !== route.owners) differences.push(`the eligible have ${owners} owners, the record says ${route.owners}`)
  if (referred !== route.referred) differences.push(`the record says ${route.referred ? '' : 'not '}referred, its candidates differ`)
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
  const referred = new Set(eligible.filter(({ candidate }) => candidate.facts.referred).map(({ nodeId }) => nodeId))
  const race = raceOfAll(eligible, referred)
  differences.push(...keyDifferences(eligible, race), ...routeDifferences(record, eligible))
  const choice = eligible[bestOf(race, record.seed)]?.nodeId ?? null
  if (choice !== record.chosen) differences.push(`the replay chooses ${choice ?? 'no node'}, the record ${record.chosen ?? 'no node'}`)
  const hash = decisionHash(record)
  if (hash !== recordHash) differences.push(`the record hashes to ${hash}, the decision says ${recordHash}`)
  if (
    separator &&
    recoverMember(separator, decisionDigest(separator, record.jobId, record.attempt, recordHash), routerSignature) !== router
  ) {
    differences.push(`the signature is not of router ${router}`)
  }
  return { matches: differences.length === 0, differences }
}
