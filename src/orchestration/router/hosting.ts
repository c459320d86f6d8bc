import type { NodeFacts, NodeId, NodeStanding, PodId, Replica } from '#protocol'
import type { Session } from './link/session.ts'

/**
 * One pod on one linked node: what filter and rank look at. Mutable, because it is read for every job and a slot changes hands
 * twice per job; `fixedRefusals` holds every reason that does not depend on the job and is worked out when facts change.
 */
export type Hosting = {
  readonly node: FleetNode
  readonly nodeId: NodeId
  readonly podId: PodId
  replicas: readonly Replica[]
  manifestHash: string
  warm: boolean
  slots: number
  unitsPerSecond: number
  /** Slots under a lease, kept across changes of facts. */
  busy: number
  votes: number
  uptimeBps: number
  fixedRefusals: readonly string[]
  /** Reasons from hardware and version, for one version of the pod. */
  fit: { readonly manifestHash: string; readonly refusals: readonly string[] } | null
  /** Position in the pod's roster. */
  row: number
}

export type FleetNode = {
  readonly nodeId: NodeId
  readonly session: Session
  facts: NodeFacts
  standing: NodeStanding | null
  uptimeBps: number
  readonly hostings: Map<PodId, Hosting>
}
