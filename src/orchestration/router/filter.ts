import {
  type JobPreferences,
  type NodeFacts,
  type NodeId,
  type NodeStanding,
  type PodRecord,
  type Replica,
  unmetRequirements,
} from '#protocol'
import type { FleetNode, Hosting } from './hosting.ts'

/**
 * Who may get a job (law R1). Every refusal is a reason in words; an empty result is an answer, never "everyone".
 * Reasons fall into three: those of the node and its pod (worked out when facts change), those of pod and hardware
 * (once per manifest), and those of this one job.
 */
export type Demand = {
  readonly pod: PodRecord
  readonly preferences: JobPreferences
  readonly referredNodes: ReadonlySet<NodeId>
  /** Nodes that already failed this job. */
  readonly excluded: ReadonlySet<NodeId>
}

/** The one refusal that time alone may lift: such a job waits in the queue instead of failing. */
export const NO_FREE_SLOT = 'no free slot'

/** Reasons that the chain gives against a node, whatever the job. */
export function nodeRefusals(standing: NodeStanding | null): string[] {
  if (!standing?.registered) return ['not registered']
  const reasons: string[] = []
  if (standing.jailed) reasons.push('jailed')
  if (standing.exiting) reasons.push('exiting')
  if (!standing.covered) reasons.push(`collateral ${standing.bonded + standing.restaked} wei is below the floor of ${standing.floor}`)
  return reasons
}

/** Reasons from the node's connection. */
export function linkRefusals({ cutAtMs }: { readonly cutAtMs: number | null }): string[] {
  return cutAtMs === null ? [] : ['its link is cut']
}

/** Reasons from the state of a node's replicas of one pod. */
export function podRefusals(replicas: readonly Replica[]): string[] {
  if (replicas.length === 0) return ['does not host the pod']
  if (replicas.some(replica => replica.state === 'warm' || replica.state === 'cold' || replica.state === 'loading')) return []
  if (replicas.some(replica => replica.state === 'draining')) return ['its replica is draining']
  const why = replicas.find(replica => replica.reason !== undefined)?.reason
  return [`can not load the pod${why === undefined ? '' : `: ${why}`}`]
}

/** What each device lacks; empty when one lacks nothing. */
function unmetByAll({ devices }: NodeFacts, { manifest }: PodRecord): string[] {
  const perDevice = devices.map(device => unmetRequirements(manifest, device))
  return perDevice.some(unmet => unmet.length === 0) ? [] : perDevice.flat()
}

/** Reasons from hardware, price and version. Remembered until the facts change. */
export function fixedFit(hosting: Hosting, pod: PodRecord): readonly string[] {
  if (hosting.fit?.manifestHash === pod.manifestHash) return hosting.fit.refusals
  const refusals = unmetByAll(hosting.node.facts, pod)
  if (hosting.manifestHash !== pod.manifestHash) refusals.push('hosts another version of the pod')
  hosting.fit = { manifestHash: pod.manifestHash, refusals }
  return refusals
}

/** What one job says about nodes: the part of a demand that its record keeps. */
export type JobLimits = {
  readonly preferences: Pick<JobPreferences, 'allow_nodes' | 'deny_nodes' | 'region'>
  readonly excluded: ReadonlySet<NodeId>
}
type Place = { readonly nodeId: NodeId; readonly region: string }

function userRefusal({ preferences }: Pick<JobLimits, 'preferences'>, { nodeId, region }: Place): string | null {
  const { allow_nodes, deny_nodes, region: wanted } = preferences
  if (deny_nodes?.includes(nodeId)) return 'denied by the user'
  if (allow_nodes && !allow_nodes.includes(nodeId)) return "not on the user's list of allowed nodes"
  if (wanted !== undefined && wanted !== region) return `not in the region ${wanted}`
  return null
}

/** True when the payer narrows the choice of nodes: it could steer the job to its own. */
export function isPinned({ preferences: { allow_nodes, deny_nodes, region } }: Pick<JobLimits, 'preferences'>): boolean {
  return allow_nodes !== undefined || deny_nodes !== undefined || region !== undefined
}

/** True when nothing about this one job narrows the choice: then the roster's list alone tells who is eligible. */
export function isPlain(limits: JobLimits): boolean {
  return limits.excluded.size === 0 && !isPinned(limits)
}

/** True when this job's own limits allow the node. */
export function suitsJob(place: Place, limits: JobLimits): boolean {
  return !limits.excluded.has(place.nodeId) && userRefusal(limits, place) === null
}

/** True when at most a free slot is missing. */
export function isEligibleWithSlot(hosting: Hosting, demand: Demand): boolean {
  return hosting.fixedRefusals.length === 0 && fixedFit(hosting, demand.pod).length === 0 && suitsJob(hosting, demand)
}

/** True when the node may get the job now. */
export function isEligible(hosting: Hosting, demand: Demand): boolean {
  return hosting.busy < hosting.slots && isEligibleWithSlot(hosting, demand)
}

/** A host as the filter judges it, live or as the journal remembers it. `refusals` are those whatever the job. */
export type JudgedHost = Place & { readonly refusals: readonly string[]; readonly slots: number; readonly busy: number }

/** Every reason against a host of the pod; empty exactly when it may get the job. */
export function hostRefusals(host: JudgedHost, limits: JobLimits): string[] {
  const reasons = [...host.refusals]
  const user = userRefusal(limits, host)
  if (user !== null) reasons.push(user)
  if (limits.excluded.has(host.nodeId)) reasons.push('failed an earlier attempt of this job')
  // Without a usable replica there are no slots, and the reason for that is said already.
  if (host.busy >= host.slots && (host.slots > 0 || host.refusals.length === 0)) reasons.push(NO_FREE_SLOT)
  return reasons
}

/** Every reason against a linked node, whether it hosts the pod or not. */
export function refusalsOf(node: FleetNode, demand: Demand): string[] {
  const { nodeId, facts, standing } = node
  const hosting = node.hostings.get(demand.pod.podId)
  if (hosting) return hostRefusals({ ...hosting, refusals: [...hosting.fixedRefusals, ...fixedFit(hosting, demand.pod)] }, demand)
  const unmet = unmetByAll(facts, demand.pod)
  const refusals = [...linkRefusals(node.session), ...nodeRefusals(standing), ...(unmet.length > 0 ? unmet : ['does not host the pod'])]
  return hostRefusals({ nodeId, region: facts.region, refusals, slots: 0, busy: 0 }, demand)
}

/**
 * "no free slot (3 nodes); jailed (1 node)": what a user reads when nobody can take the job. `others` are linked nodes that do not host
 * the pod.
 */
export function summarizeRefusals(refusals: readonly (readonly string[])[], others = 0): string {
  if (refusals.length + others === 0) return 'no node is connected'
  const counts = new Map<string, number>(others > 0 ? [['does not host the pod', others]] : [])
  for (const reason of refusals.flat()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([reason, count]) => `${reason} (${count} ${count === 1 ? 'node' : 'nodes'})`)
    .join('; ')
}
