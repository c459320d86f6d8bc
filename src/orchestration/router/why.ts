import type { NodeId, NodeStanding, NodeWhy, PodId, PodWhy, RankKeys } from '#protocol'
import { linkRefusals, NO_FREE_SLOT, nodeRefusals } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { Hosting } from './hosting.ts'
import { byEfficiency, byUptime, byVotes, byWarm, compare, rankKeys } from './rank.ts'

/** What to do about a reason of the filter, by how it begins. A reason without a line here says itself what is missing. */
const FIXES: readonly (readonly [string, string])[] = [
  ['its link is cut', 'Nothing: it comes back by itself. If it stays away, see why it can not reach the router: heurist node doctor.'],
  ['not registered', 'Register the node in the NodeRegistry with its collateral: heurist node start does it when its owner has HEU.'],
  [
    'jailed',
    'A validator accuses it. Answer the case (heurist collateral show says which) and repair the cause; a jail ends with its case or by its time.',
  ],
  ['exiting', 'Its owner asked for the collateral back. Register again to get work.'],
  ['collateral', 'Add what is missing: heurist collateral add <node> <heu>. What is unbonding covers nothing.'],
  ['does not host the pod', 'Allow the pod on this node; it is loaded when there is room.'],
  ['its replica is draining', 'Wait: the pod is taken off this node after its last job.'],
  ['can not load the pod: no room', 'Nothing: it is loaded when others have gone. For more at once, add a device or allow fewer pods.'],
  ['can not load the pod', "The reason is in the node's log; correct it and start the node again."],
  ['hosts another version', 'Wait for the node to load the new version; start it again if it does not.'],
  ['pays', 'The owner asks for more than the pod pays: lower the price (heurist node start --min-price), or serve pods that pay more.'],
  ['needs', 'No device of this node can hold the pod: host another one, or add hardware.'],
  [NO_FREE_SLOT, 'Nothing: it is fully used.'],
]

const NOT_LINKED = 'not linked to this router'

function fixesOf(refusals: readonly string[]): string[] {
  const found = refusals.flatMap(reason => FIXES.find(([beginning]) => reason.startsWith(beginning))?.[1] ?? [])
  return [...new Set(found)]
}

/** The priority that puts `best` first, and what would change it. */
const LAGS: readonly (readonly [(a: RankKeys, b: RankKeys) => number, NonNullable<PodWhy['behindBy']>, string])[] = [
  [byWarm, 'warm', 'Nothing: a warm node goes before every cold one, and the autoscaler loads more when more is asked for.'],
  [byEfficiency, 'efficiency', 'A faster device, or less beside it on this one: others are more than a tenth faster.'],
  [byVotes, 'votes', 'Win votes for this node: others have more than a tenth more.'],
  [byUptime, 'uptime', 'Stay online: others were reachable for a tenth more of the time.'],
]

function keysOf(hosting: Hosting): RankKeys {
  return rankKeys(hosting, false)
}

function lagBehind(own: RankKeys, best: RankKeys): { behindBy: PodWhy['behindBy']; fix: string[] } {
  const lag = LAGS.find(([comparator]) => comparator(best, own) < 0)
  return lag ? { behindBy: lag[1], fix: [lag[2]] } : { behindBy: null, fix: [] }
}

function podWhy(hosting: Hosting, hostings: readonly Hosting[]): PodWhy {
  const { podId, refusals, busy, slots } = hosting
  const reasons = [...refusals, ...(busy >= slots && (slots > 0 || refusals.length === 0) ? [NO_FREE_SLOT] : [])]
  const keys = keysOf(hosting)
  const ahead = hostings.filter(other => other.isListed && compare(keysOf(other), keys) < 0)
  const equals = hostings.filter(other => other.isListed && other !== hosting && compare(keysOf(other), keys) === 0).length
  const best = ahead.reduce<Hosting | null>((leader, next) => (leader && compare(keysOf(leader), keysOf(next)) <= 0 ? leader : next), null)
  const { behindBy, fix } = best ? lagBehind(keys, keysOf(best)) : { behindBy: null, fix: [] }
  return {
    podId,
    eligible: reasons.length === 0,
    refusals: reasons,
    freeSlots: Math.max(0, slots - busy),
    keys,
    ahead: ahead.length,
    equals,
    best: best && { nodeId: best.nodeId, keys: keysOf(best) },
    behindBy,
    fixes: [...fixesOf(reasons), ...fix],
  }
}

export type WhyOptions = { readonly standing: NodeStanding | null }

/**
 * Why a node gets no work, or less than others: the filter's reasons, and for each pod its rank against the best candidate, with the fix.
 * Referrals are of single jobs and not looked at.
 */
export function whyOf(fleet: Fleet, nodeId: NodeId, { standing }: WhyOptions): NodeWhy {
  const node = fleet.get(nodeId)
  const own = nodeRefusals(node?.standing ?? standing)
  const isLinked = node !== undefined && node.session.cutAtMs === null
  const refusals = [...(node ? linkRefusals(node.session) : [NOT_LINKED]), ...own]
  const pods = [...(node?.hostings ?? new Map<PodId, Hosting>()).values()].map(hosting => podWhy(hosting, fleet.hosting(hosting.podId)))
  const missing = node
    ? 'It hosts no pod: allow one in its settings.'
    : 'Start it, or see why it can not reach the router: heurist node doctor, on its own machine.'
  return { nodeId, linked: isLinked, refusals, fixes: [...(pods.length === 0 ? [missing] : []), ...fixesOf(own)], pods }
}
