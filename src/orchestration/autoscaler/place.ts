import type { NodeId, PodId, ReplicaAction } from '#protocol'

/** A node that holds, or could hold, replicas of a pod. */
export type Place = {
  readonly nodeId: NodeId
  readonly warm: number
  readonly loading: number
  /** Replicas that could be loaded now. */
  readonly cold: number
  /** Jobs that hold a slot of the pod there. */
  readonly busy: number
  readonly unitsPerSecond: number
}
/** One pod, what it has and what it should have. */
export type Placing = {
  readonly podId: PodId
  readonly desired: number
  /** Votes of the pod: who goes first when places are scarce (wp §3.2.4); then who waits longest. */
  readonly votes: bigint
  readonly oldestPendingMs: number
  readonly places: readonly Place[]
}
export type ScaleCommand = { readonly nodeId: NodeId; readonly podId: PodId; readonly action: ReplicaAction }

/**
 * The commands that bring each pod to its number. A new replica goes to the node where fewest of this round's loads went, and among
 * those to the fastest; only an idle one is taken away, the slowest first.
 */
export function placeReplicas(pods: readonly Placing[]): ScaleCommand[] {
  const loads = new Map<NodeId, number>()
  const order = [...pods].sort((a, b) => (a.votes === b.votes ? b.oldestPendingMs - a.oldestPendingMs : a.votes < b.votes ? 1 : -1))
  return order.flatMap(pod => {
    const present = pod.places.reduce((sum, { warm, loading }) => sum + warm + loading, 0)
    return pod.desired >= present ? loadsOf(pod, pod.desired - present, loads) : evictionsOf(pod, present - pod.desired)
  })
}

function loadsOf({ podId, places }: Placing, count: number, loads: Map<NodeId, number>): ScaleCommand[] {
  const left = new Map(places.map(({ nodeId, cold }) => [nodeId, cold]))
  const commands: ScaleCommand[] = []
  while (commands.length < count) {
    const [best] = places
      .filter(({ nodeId }) => (left.get(nodeId) ?? 0) > 0)
      .sort(
        (a, b) =>
          a.warm + a.loading + (loads.get(a.nodeId) ?? 0) - (b.warm + b.loading + (loads.get(b.nodeId) ?? 0)) ||
          b.unitsPerSecond - a.unitsPerSecond ||
          (a.nodeId < b.nodeId ? -1 : 1),
      )
    if (!best) break
    left.set(best.nodeId, (left.get(best.nodeId) ?? 0) - 1)
    loads.set(best.nodeId, (loads.get(best.nodeId) ?? 0) + 1)
    commands.push({ nodeId: best.nodeId, podId, action: 'load' })
  }
  return commands
}

function evictionsOf({ podId, places }: Placing, count: number): ScaleCommand[] {
  return places
    .filter(({ warm, busy }) => warm > 0 && busy === 0)
    .sort((a, b) => a.unitsPerSecond - b.unitsPerSecond || (a.nodeId < b.nodeId ? 1 : -1))
    .slice(0, count)
    .map(({ nodeId }) => ({ nodeId, podId, action: 'evict' as const }))
}
