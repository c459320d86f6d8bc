import type { ChainNode, EpochPresence, NodeWork } from '#platform'
import { BPS, type NodeId } from '#protocol'

/** What the emission contract is told of one node for one epoch; see `NodeReport` in `IEmissionController.sol`. */
export type NodeReport = {
  readonly nodeId: bigint
  readonly availabilityBps: bigint
  readonly capacity: bigint
  readonly organicComputeUnits: bigint
}
export type EpochFacts = {
  /** Every node that the registry knows now. */
  readonly nodes: readonly Pick<ChainNode, 'nodeId' | 'registryId'>[]
  readonly presence: EpochPresence
  readonly work: readonly NodeWork[]
}

/**
 * The report of an epoch, ascending by registry id. Availability is the part of the time the router watched in which the node
 * was linked: a router that was down holds nobody's absence against it. Nodes without presence and without work are left out.
 */
export function epochReport({ nodes, presence, work }: EpochFacts): NodeReport[] {
  const seen = new Map(presence.nodes.map(node => [node.nodeId, node]))
  const units = new Map<NodeId, bigint>(work.map(({ nodeId, organicUnits }) => [nodeId, organicUnits]))
  return nodes
    .map(({ nodeId, registryId }) => ({
      nodeId: registryId,
      availabilityBps: availabilityBpsDown(seen.get(nodeId)?.onlineMs ?? 0, presence.watchedMs),
      capacity: BigInt(seen.get(nodeId)?.capacity ?? 0),
      organicComputeUnits: units.get(nodeId) ?? 0n,
    }))
    .filter(({ availabilityBps, organicComputeUnits }) => availabilityBps > 0n || organicComputeUnits > 0n)
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
}

function availabilityBpsDown(onlineMs: number, watchedMs: number): bigint {
  if (watchedMs <= 0) return 0n
  const share = (BigInt(Math.round(onlineMs)) * BPS) / BigInt(Math.round(watchedMs))
  return share > BPS ? BPS : share
}
