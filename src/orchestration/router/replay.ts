import { recoverMember } from '#platform'
import {
  type Candidate,
  type DecisionRecord,
  decisionDigest,
  decisionHash,
  type JournalPiece,
  type RouteFacts,
  type SignedDecision,
} from '#protocol'
import { hostRefusals, isPinned, type JobLimits } from './filter.ts'
import { bestOf, rankKeys } from './rank.ts'
import { type JournalReading, type KnownHost, readJournal } from './replay-journal.ts'

export type Replay = {
  readonly matches: boolean
  /** What differs between the record and its replay, in words; empty when it matches. */
  readonly differences: readonly string[]
  /** The hosts as the decision saw them; empty when the journal does not lead there. */
  readonly candidates: readonly Candidate[]
}

function limitsOf({ demand: { allow, deny, region, excluded } }: DecisionRecord): JobLimits {
  const preferences = { ...(allow && { allow_nodes: allow }), ...(deny && { deny_nodes: deny }), ...(region !== undefined && { region }) }
  return { preferences, excluded: new Set(excluded) }
}

/** Filters and ranks the hosts again, by the rule itself and not by the router's index. */
function candidatesOf(record: DecisionRecord, hosts: readonly KnownHost[]): Candidate[] {
  const limits = limitsOf(record)
  const referred = new Set(record.demand.referred)
  return hosts.map(host => ({
    nodeId: host.nodeId,
    owner: host.owner,
    freeSlots: Math.max(0, host.slots - host.busy),
    refused: hostRefusals(host, limits),
    keys: rankKeys(host, referred.has(host.nodeId)),
  }))
}

function routeOf(record: DecisionRecord, eligible: readonly Candidate[]): RouteFacts {
  return {
    referred: eligible.some(({ keys }) => keys.referred === 1),
    pinned: isPinned(limitsOf(record)),
    owners: new Set(eligible.map(({ owner }) => owner)).size,
  }
}

/** What the record says against what its candidates lead to. */
function choiceDifferences(record: DecisionRecord, candidates: readonly Candidate[]): string[] {
  const eligible = candidates.filter(({ refused }) => refused.length === 0)
  const choice = bestOf(eligible, record.seed)?.nodeId ?? null
  const { referred, pinned, owners } = routeOf(record, eligible)
  const facts: [string, unknown, unknown][] = [
    ['chosen node', choice ?? 'nobody', record.chosen ?? 'nobody'],
    ['number of hosts', candidates.length, record.hosts],
    ['number of eligible nodes', eligible.length, record.eligible],
    ['number of owners', owners, record.route.owners],
    ['referral', referred, record.route.referred],
    ['pinning', pinned, record.route.pinned],
  ]
  return facts
    .filter(([, found, said]) => found !== said)
    .map(([what, found, said]) => `${what}: the replay finds ${found}, the record ${said}`)
}

function signatureDifferences({ record, recordHash, routerSignature, router }: SignedDecision, separator: Uint8Array): string[] {
  const differences: string[] = []
  const hash = decisionHash(record)
  if (hash !== recordHash) differences.push(`the record hashes to ${hash}, the decision says ${recordHash}`)
  if (recoverMember(separator, decisionDigest(separator, record.jobId, record.attempt, recordHash), routerSignature) !== router) {
    differences.push(`the signature is not of router ${router}`)
  }
  return differences
}

function replayIn(reading: JournalReading | null, signed: SignedDecision, separator: Uint8Array): Replay {
  const { record, router } = signed
  const differences = signatureDifferences(signed, separator)
  const moment = reading?.moments.get(`${record.jobId} ${record.attempt}`)
  if (record.journal && !moment) {
    differences.push(reading ? 'its journal has no such decision' : `its journal ${record.journal.segment} is missing`)
    differences.push(...(reading?.differences ?? []))
    return { matches: false, differences, candidates: [] }
  }
  if (moment && moment.head !== record.journal?.head) differences.push('its journal said something else until then than the record claims')
  if (moment && reading?.router !== router) differences.push('its journal is signed by another router')
  if (moment && reading?.podId !== record.podId) differences.push('its journal is of another pod')
  if (moment && !moment.isSigned) differences.push(...(reading?.differences ?? []), 'its journal is not signed up to the decision')
  const candidates = candidatesOf(record, moment?.hosts ?? [])
  differences.push(...choiceDifferences(record, candidates))
  return { matches: differences.length === 0, differences, candidates }
}

/**
 * Repeats routing decisions from signed data alone (law R2): the journal's segments show the fleet as each decision saw it; filter, rank
 * and draw are run again, and whatever differs is said. `pieces` are those of the segments that the decisions name, in any order.
 *
 * @example replayDecisions([decision], pieces, domainSeparator(jobDomain(chainId, settlement)))[0].matches
 */
export function replayDecisions(decisions: readonly SignedDecision[], pieces: readonly JournalPiece[], separator: Uint8Array): Replay[] {
  const bySegment = Map.groupBy(pieces, ({ segment }) => segment)
  const wanted = new Set(decisions.map(({ record }) => `${record.jobId} ${record.attempt}`))
  const readings = new Map([...bySegment].map(([segment, own]) => [segment, readJournal(own, wanted, separator)]))
  return decisions.map(decision => {
    const { journal } = decision.record
    return replayIn((journal && readings.get(journal.segment)) ?? null, decision, separator)
  })
}
