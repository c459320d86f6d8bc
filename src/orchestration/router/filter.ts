import { type JobPreferences, type NodeId, type NodeStanding, type PodRecord, type Replica, unmetRequirements } from '#protocol'
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
  if (!standing.covered) {
    const backing = standing.bonded + standing.restaked
    reasons.push(`collateral ${backing} wei is below the floor of ${standing.floor}`)
  }
  return reasons
}

/** Reasons from the state of a node's replicas of one pod. */
export function podRefusals(replicas: readonly Replica[]): string[] {
  if (replicas.length === 0) return ['does not host the pod']
  if (replicas.some(replica => replica.state === 'warm' || replica.state === 'cold' || replica.state === 'loading')) return []
  if (replicas.some(replica => replica.state === 'draining')) return ['its replica is draining']
  const why = replicas.find(replica => replica.reason !== undefined)?.reason
  return [`can not load the pod${why === undefined ? '' : `: ${why}`}`]
}

/** Reasons from hardware and version. Remembered until the facts change. */
export function fixedFit(hosting: Hosting, pod: PodRecord): readonly string[] {
  if (hosting.fit?.manifestHash === pod.manifestHash) return hosting.fit.refusals
  const perDevice = hosting.node.facts.devices.map(device => unmetRequirements(pod.manifest, device))
  const refusals = perDevice.some(unmet => unmet.length === 0) ? [] : perDevice.flat()
  if (hosting.manifestHash !== pod.manifestHash) refusals.push('hosts another version of the pod')
  hosting.fit = { manifestHash: pod.manifestHash, refusals }
  return refusals
}

function userRefusal(demand: Demand, nodeId: NodeId, region: string): string | null {
  const { allow_nodes, deny_nodes, region: wanted } = demand.preferences
  if (deny_nodes?.includes(nodeId)) return 'denied by the user'
  if (allow_nodes && !allow_nodes.includes(nodeId)) return "not on the user's list of allowed nodes"
  if (wanted !== undefined && wanted !== region) return `not in the region ${wanted}`
  return null
}

/** True when the payer narrows the choice of nodes: it could steer the job to its own. */
export function isPinned({ preferences: { allow_nodes, deny_nodes, region } }: Pick<Demand, 'preferences'>): boolean {
  return allow_nodes !== undefined || deny_nodes !== undefined || region !== undefined
}

/** True when nothing about this one job narrows the choice: then the roster's columns alone tell who is eligible. */
export function isPlain(demand: Demand): boolean {
  return demand.excluded.size === 0 && !isPinned(demand)
}

/** True when this job's own limits allow the node. */
export function suitsJob(hosting: Hosting, demand: Demand): boolean {
  return !demand.excluded.has(hosting.nodeId) && userRefusal(demand, hosting.nodeId, hosting.node.facts.region) === null
}

/** True when at most a free slot is missing. */
export function isEligibleWithSlot(hosting: Hosting, demand: Demand): boolean {
  return hosting.fixedRefusals.length === 0 && fixedFit(hosting, demand.pod).length === 0 && suitsJob(hosting, demand)
}

/** True when the node may get the job now. */
export function isEligible(hosting: Hosting, demand: Demand): boolean {
  return hosting.busy < hosting.slots && isEligibleWithSlot(hosting, demand)
}

/** Every reason against a node, for the decision record; empty exactly when {@link isEligible} holds. */
export function refusalsOf(node: FleetNode, demand: Demand): string[] {
  const hosting = node.hostings.get(demand.pod.podId)
  const user = userRefusal(demand, node.nodeId, node.facts.region)
  const reasons = hosting
    ? [...hosting.fixedRefusals, ...fixedFit(hosting, demand.pod)]
    : [...nodeRefusals(node.standing), 'does not host the pod']
  if (user !== null) reasons.push(user)
  if (demand.excluded.has(node.nodeId)) reasons.push('failed an earlier attempt of this job')
  if (hosting && hosting.busy >= hosting.slots && podRefusals(hosting.replicas).length === 0) reasons.push(NO_FREE_SLOT)
  return reasons
}

/** "no free slot (3 nodes); jailed (1 node)": what a user reads when nobody can take the job. */
export function summarizeRefusals(refusals: readonly (readonly string[])[]): string {
  if (refusals.length === 0) return 'no node is connected'
  const counts = new Map<string, number>()
  for (const reason of refusals.flat()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([reason, count]) => `${reason} (${count} ${count === 1 ? 'node' : 'nodes'})`)
    .join('; ')
}
