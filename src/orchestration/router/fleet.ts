import { type NodeFacts, type NodeId, type NodeView, type PodId, type Replica, ZERO_BYTES32 } from '#protocol'
import { nodeRefusals, podRefusals } from './filter.ts'
import type { FleetNode, Hosting } from './hosting.ts'
import type { Session } from './link/session.ts'
import type { RouterDependencies } from './options.ts'

/** Live capacity of the nodes linked to this router. It is the truth: a node's slots belong to exactly one router (DESIGN §3). */
export type Fleet = {
  join(session: Session, facts: NodeFacts): FleetNode
  /** Forgets the node, unless a newer link of the same key has replaced it. */
  leave(session: Session): void
  updateFacts(session: Session, facts: NodeFacts): void
  refreshStanding(nodeId?: NodeId): void
  get(nodeId: NodeId): FleetNode | undefined
  all(): Iterable<FleetNode>
  size(): number
  hosting(podId: PodId): readonly Hosting[]
  views(): NodeView[]
}

function newHosting(node: FleetNode, podId: PodId): Hosting {
  const { nodeId } = node
  const unknown = { replicas: [], manifestHash: ZERO_BYTES32, warm: false, slots: 0, unitsPerSecond: 0 }
  return { node, nodeId, podId, ...unknown, busy: 0, votes: 0, uptimeBps: 0, fixedRefusals: [] }
}

function setReplicas(hosting: Hosting, replicas: readonly Replica[]): void {
  const warm = replicas.filter(replica => replica.state === 'warm')
  const usable = warm.length > 0 ? warm : replicas.filter(replica => replica.state === 'cold' || replica.state === 'loading')
  hosting.replicas = replicas
  hosting.manifestHash = (usable[0] ?? replicas[0])?.manifestHash ?? ZERO_BYTES32
  hosting.warm = warm.length > 0
  // A cold replica may not know its slots before it is loaded: one job may start it.
  hosting.slots = usable.reduce((sum, replica) => sum + (replica.state === 'warm' ? replica.slots : Math.max(1, replica.slots)), 0)
  hosting.unitsPerSecond = replicas.reduce((best, replica) => Math.max(best, replica.unitsPerSecond), 0)
}

/** Which hostings exist per pod: a decision looks at the nodes of its pod alone. */
function createPodIndex() {
  const byPod = new Map<PodId, Hosting[]>()
  return {
    get: (podId: PodId): readonly Hosting[] => byPod.get(podId) ?? [],
    add(hosting: Hosting): void {
      const hostings = byPod.get(hosting.podId)
      if (hostings) hostings.push(hosting)
      else byPod.set(hosting.podId, [hosting])
    },
    remove(hosting: Hosting): void {
      const hostings = byPod.get(hosting.podId)
      const position = hostings?.indexOf(hosting) ?? -1
      if (!hostings || position < 0) return
      // The order does not matter (rank is independent of it), so the last takes the gap.
      const last = hostings.pop()
      if (last && last !== hosting) hostings[position] = last
      if (hostings.length === 0) byPod.delete(hosting.podId)
    },
  }
}
type PodIndex = ReturnType<typeof createPodIndex>

/** Brings a node's hostings in line with its facts. A hosting object lives on while jobs hold slots of it. */
function applyFacts(node: FleetNode, index: PodIndex): void {
  const grouped = Map.groupBy(node.facts.replicas, replica => replica.podId)
  for (const [podId, hosting] of node.hostings) {
    setReplicas(hosting, grouped.get(podId) ?? [])
    if (hosting.replicas.length > 0 || hosting.busy > 0) continue
    node.hostings.delete(podId)
    index.remove(hosting)
  }
  for (const [podId, replicas] of grouped) {
    if (node.hostings.has(podId)) continue
    const hosting = newHosting(node, podId)
    setReplicas(hosting, replicas)
    node.hostings.set(podId, hosting)
    index.add(hosting)
  }
}

export function createFleet(
  { minCollateralWei }: { readonly minCollateralWei: bigint },
  { standing, presence }: Pick<RouterDependencies, 'standing' | 'presence'>,
): Fleet {
  const nodes = new Map<NodeId, FleetNode>()
  const index = createPodIndex()

  function applyStanding(node: FleetNode): void {
    node.standing = standing(node.nodeId)
    node.uptimeBps = Math.max(0, Math.min(10_000, Math.round(presence.uptimeBps(node.nodeId))))
    const refusals = nodeRefusals(node.standing, minCollateralWei)
    for (const hosting of node.hostings.values()) {
      hosting.votes = Number(node.standing?.votes ?? 0n)
      hosting.uptimeBps = node.uptimeBps
      hosting.fixedRefusals = [...refusals, ...podRefusals(hosting.replicas)]
    }
  }

  function forget(node: FleetNode | undefined): void {
    for (const hosting of node?.hostings.values() ?? []) index.remove(hosting)
  }

  return {
    join(session, facts) {
      forget(nodes.get(session.nodeId))
      const node: FleetNode = { nodeId: session.nodeId, session, facts, standing: null, uptimeBps: 0, hostings: new Map() }
      nodes.set(session.nodeId, node)
      applyFacts(node, index)
      applyStanding(node)
      return node
    },
    leave(session) {
      const node = nodes.get(session.nodeId)
      if (node?.session !== session) return
      forget(node)
      nodes.delete(session.nodeId)
    },
    updateFacts(session, facts) {
      const node = nodes.get(session.nodeId)
      if (node?.session !== session) return
      node.facts = facts
      applyFacts(node, index)
      applyStanding(node)
    },
    refreshStanding(nodeId) {
      const chosen = nodeId === undefined ? nodes.values() : [nodes.get(nodeId)].filter(node => node !== undefined)
      for (const node of chosen) applyStanding(node)
    },
    get: nodeId => nodes.get(nodeId),
    all: () => nodes.values(),
    size: () => nodes.size,
    hosting: index.get,
    views: () => [...nodes.values()].map(viewOf),
  }
}

function viewOf(node: FleetNode): NodeView {
  let busySlots = 0
  for (const hosting of node.hostings.values()) busySlots += hosting.busy
  return {
    nodeId: node.nodeId,
    owner: node.standing?.owner ?? null,
    name: node.facts.name,
    online: true,
    jailed: node.standing?.jailed ?? false,
    collateral: node.standing?.collateral ?? 0n,
    uptimeBps: node.uptimeBps,
    busySlots,
    connectedAtMs: node.session.connectedAtMs,
    lastSeenAtMs: node.session.lastSeenAtMs,
    facts: node.facts,
  }
}
