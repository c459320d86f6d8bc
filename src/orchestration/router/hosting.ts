import type { Address, NodeFacts, NodeId, NodeStanding, PodId, Replica } from '#protocol'
import type { Session } from './link/session.ts'

/**
 * One pod on one linked node: what filter and rank look at. Mutable, because it is read for every job and a slot changes hands
 * twice per job; `fixedRefusals` holds every reason that does not depend on the job and is worked out when facts change.
 */
export type Hosting = {
  readonly node: FleetNode
  readonly nodeId: NodeId
  readonly podId: PodId
  /** {@link addressPrefixOf} the node. */
  readonly addressPrefix: number
  replicas: readonly Replica[]
  manifestHash: string
  warm: boolean
  slots: number
  unitsPerSecond: number
  /** Slots under a lease, kept across changes of facts. */
  busy: number
  owner: Address | null
  region: string
  /** HEU. */
  votes: number
  uptimeBps: number
  /** Reasons of the node and its replicas, whatever the job and the pod's version. */
  fixedRefusals: readonly string[]
  /** Those and the ones of hardware and version, for the version of the pod that the roster judges for. */
  refusals: readonly string[]
  /** Reasons from hardware and version, for one version of the pod. */
  fit: { readonly manifestHash: string; readonly refusals: readonly string[] } | null
  /** Position among the roster's hostings. */
  row: number
  /** `rankCode` under which it stands in the roster's lists. */
  rank: number
  /** Stands in the roster's lists: a slot is free and nothing but the job itself can speak against it. */
  isListed: boolean
  /** Its number in the journal of the pod. */
  number: number
  /** What the journal last said of it. */
  logged: string
}

export type FleetNode = {
  readonly nodeId: NodeId
  readonly session: Session
  facts: NodeFacts
  standing: NodeStanding | null
  uptimeBps: number
  readonly hostings: Map<PodId, Hosting>
}
