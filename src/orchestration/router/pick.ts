import type { NodeId, PodId } from '#protocol'
import { type Demand, isEligible, isEligibleWithSlot, isPlain, suitsJob } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { Hosting } from './hosting.ts'
import { bestOf, drawOf, type Ranked, rankKeys, WARM_CODE } from './rank.ts'
import type { RankList } from './rank-list.ts'
import type { Roster } from './roster.ts'

/** Who was there to choose from; what the record says of it. */
export type Choices = { readonly eligible: number; readonly owners: number; readonly referred: boolean }

export type Choice = Choices &
  ({ readonly chosen: Hosting } | { readonly chosen: null /** A busy node could take it once a slot frees. */; readonly mayWait: boolean })

const NOBODY: Choices = { eligible: 0, owners: 0, referred: false }

/** The roster's hostings of these nodes. */
function hostingsOf(fleet: Pick<Fleet, 'get'>, nodeIds: Iterable<NodeId>, podId: PodId): Hosting[] {
  const found: Hosting[] = []
  for (const nodeId of nodeIds) {
    const hosting = fleet.get(nodeId)?.hostings.get(podId)
    if (hosting && hosting.row >= 0) found.push(hosting)
  }
  return found
}

/** The rule itself over a few: for jobs that name their nodes. */
function pickAmong(eligible: readonly Hosting[], { referredNodes }: Demand, seed: string): Hosting | null {
  const ranked = eligible.map((hosting): Ranked & { hosting: Hosting } => {
    const { nodeId } = hosting
    return { nodeId, keys: rankKeys(hosting, referredNodes.has(nodeId)), hosting }
  })
  return bestOf(ranked, seed)?.hosting ?? null
}

/** Priorities 3 to 5 and the draw, by the list alone: the first rank, and the place in it that the seed draws. */
function pickListed(list: RankList<Hosting>, seed: string): Hosting | null {
  const first = list.first()
  return first ? (list.at(drawOf(seed, first.equals)) ?? null) : null
}

/** A referred node goes first among the warm, or among the cold where nobody is warm. */
function pickReferred(list: RankList<Hosting>, referred: readonly Hosting[], demand: Demand, seed: string): Hosting | null {
  const isWarmOnly = (list.first()?.entry.rank ?? 0) >= WARM_CODE
  const leading = isWarmOnly ? referred.filter(({ rank }) => rank >= WARM_CODE) : referred
  return leading.length > 0 ? pickAmong(leading, demand, seed) : pickListed(list, seed)
}

/** Chooses from a list that holds nobody whom this job refuses. */
function choose(list: RankList<Hosting>, referred: readonly Hosting[], demand: Demand, seed: string): Choices & { chosen: Hosting | null } {
  const chosen = referred.length > 0 ? pickReferred(list, referred, demand, seed) : pickListed(list, seed)
  return { chosen, eligible: list.size, owners: list.owners, referred: referred.length > 0 }
}

function chooseAllowed(fleet: Fleet, demand: Demand, seed: string): Choices & { chosen: Hosting | null } {
  const named = hostingsOf(fleet, new Set(demand.preferences.allow_nodes), demand.pod.podId)
  const eligible = named.filter(hosting => isEligible(hosting, demand))
  return {
    chosen: pickAmong(eligible, demand, seed),
    eligible: eligible.length,
    owners: new Set(eligible.map(({ owner }) => owner)).size,
    referred: eligible.some(({ nodeId }) => demand.referredNodes.has(nodeId)),
  }
}

function chooseFrom(fleet: Fleet, roster: Roster, demand: Demand, seed: string): Choices & { chosen: Hosting | null } {
  const { preferences, referredNodes, excluded, pod } = demand
  if (preferences.allow_nodes) return chooseAllowed(fleet, demand, seed)
  const list = roster.listed(preferences.region)
  if (!list) return { ...NOBODY, chosen: null }
  const unwanted = hostingsOf(fleet, new Set([...excluded, ...(preferences.deny_nodes ?? [])]), pod.podId)
  // Set aside for as long as it takes to choose: at most a hundred, each 2 µs.
  const aside = unwanted.filter(({ isListed, region }) => isListed && (preferences.region === undefined || region === preferences.region))
  for (const hosting of aside) list.remove(hosting)
  try {
    const referred = referredNodes.size === 0 ? [] : hostingsOf(fleet, referredNodes, pod.podId).filter(item => isEligible(item, demand))
    return choose(list, referred, demand, seed)
  } finally {
    for (const hosting of aside) list.add(hosting)
  }
}

function mayWait(fleet: Fleet, roster: Roster, demand: Demand): boolean {
  const { allow_nodes, region } = demand.preferences
  if (roster.usable === 0 || (region !== undefined && !roster.listed(region))) return false
  if (isPlain(demand)) return true
  const hostings = allow_nodes ? hostingsOf(fleet, allow_nodes, demand.pod.podId) : roster.hostings
  return hostings.some(hosting => suitsJob(hosting, demand) && isEligibleWithSlot(hosting, demand))
}

/** filter, rank, pick. `seed` is 32 bytes of hex and only breaks ties. */
export function pick(fleet: Fleet, demand: Demand, seed: string): Choice {
  const roster = fleet.roster(demand.pod.podId)
  if (!roster) return { ...NOBODY, chosen: null, mayWait: false }
  roster.judgeFor(demand.pod)
  const { chosen, ...choices } = chooseFrom(fleet, roster, demand, seed)
  return chosen ? { ...choices, chosen } : { ...choices, chosen, mayWait: mayWait(fleet, roster, demand) }
}
