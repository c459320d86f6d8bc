import { type Address, type NodeFacts, type NodeId, type NodeView, type PodId, type Replica, ZERO_BYTES32 } from '#protocol'
import { linkRefusals, nodeRefusals, podRefusals } from './filter.ts'
import type { FleetNode, Hosting } from './hosting.ts'
import { createPodJournal, type PodJournal, type UnsignedPiece } from './journal.ts'
import type { Session } from './link/session.ts'
import type { RouterDependencies } from './options.ts'
import { uptimeBucketOf } from './rank.ts'
import { addressPrefixOf } from './rank-list.ts'
import { createRoster, type Roster } from './roster.ts'
import { borneOut, createSpeeds, type SeenJob, type Speeds } from './speeds.ts'

/** Live capacity of the nodes linked to this router. It is the truth: a node's slots belong to exactly one router (DESIGN §3). */
export type Fleet = {
  join(session: Session, facts: NodeFacts): FleetNode
  /** Forgets the node, unless a newer link of the same key has replaced it. */
  leave(session: Session): void
  updateFacts(session: Session, facts: NodeFacts): void
  /** Its connection was cut. */
  linkChanged(session: Session): void
  refreshStanding(nodeId?: NodeId): void
  get(nodeId: NodeId): FleetNode | undefined
  all(): Iterable<FleetNode>
  size(): number
  /** Nodes whose connection is cut. */
  cutCount(): number
  hosting(podId: PodId): readonly Hosting[]
  /** The same as an index; undefined when nobody hosts the pod. */
  roster(podId: PodId): Roster | undefined
  /** The only way to change how many slots are taken. */
  setBusy(hosting: Hosting, busy: number): void
  /** A job ended on the hosting: its node ranks by what it shows, where that is less than it claims. */
  showed(hosting: Hosting, job: Omit<SeenJob, 'alongside'>): void
  /** What the journals of all pods said since the last time. */
  takeJournal(): UnsignedPiece[]
  /** Every pod's journal begins a new segment with its next decision: what an older one said was lost. */
  restartJournals(): void
  views(): NodeView[]
}

function newHosting(node: FleetNode, podId: PodId): Hosting {
  const { nodeId } = node
  const place = { node, nodeId, podId, addressPrefix: addressPrefixOf(nodeId), region: node.facts.region }
  const unknown = {
    replicas: [],
    manifestHash: ZERO_BYTES32,
    warm: false,
    slots: 0,
    unitsPerSecond: 0,
    owner: null,
    votes: 0,
    uptimeBps: 0,
  }
  const unjudged = { fixedRefusals: ['not judged yet'], refusals: [], fit: null, row: -1, rank: 0, isListed: false, number: -1, logged: '' }
  return { ...place, ...unknown, ...unjudged, busy: 0 }
}

function setReplicas(hosting: Hosting, replicas: readonly Replica[], speeds: Speeds): void {
  const warm = replicas.filter(replica => replica.state === 'warm')
  const usable = warm.length > 0 ? warm : replicas.filter(replica => replica.state === 'cold' || replica.state === 'loading')
  hosting.replicas = replicas
  hosting.fit = null
  hosting.manifestHash = (usable[0] ?? replicas[0])?.manifestHash ?? ZERO_BYTES32
  hosting.warm = warm.length > 0
  // A cold replica may not know its slots before it is loaded: one job may start it.
  hosting.slots = usable.reduce((sum, replica) => sum + (replica.state === 'warm' ? replica.slots : Math.max(1, replica.slots)), 0)
  hosting.unitsPerSecond = speeds.believed(hosting, claimedSpeed(replicas))
}

function claimedSpeed(replicas: readonly Replica[]): number {
  return replicas.reduce((best, replica) => Math.max(best, replica.unitsPerSecond), 0)
}

/** The rosters of all pods; a pod's journal outlives its last host, so that its segments stay linked. */
type Rosters = {
  readonly byPod: Map<PodId, Roster>
  readonly journals: Map<PodId, PodJournal>
  readonly newJournal: (podId: PodId) => PodJournal
}

function addHosting({ byPod, journals, newJournal }: Rosters, hosting: Hosting): void {
  const { podId } = hosting
  const journal = journals.get(podId) ?? newJournal(podId)
  journals.set(podId, journal)
  const roster = byPod.get(podId) ?? createRoster(journal)
  byPod.set(podId, roster)
  roster.add(hosting)
}

function removeHosting({ byPod }: Rosters, hosting: Hosting): void {
  const roster = byPod.get(hosting.podId)
  roster?.remove(hosting)
  if (roster?.hostings.length === 0) byPod.delete(hosting.podId)
}

/** Brings a node's hostings in line with its facts. A hosting object lives on while jobs hold slots of it. */
function applyFacts(node: FleetNode, rosters: Rosters, speeds: Speeds): void {
  const grouped = Map.groupBy(node.facts.replicas, replica => replica.podId)
  for (const [podId, hosting] of node.hostings) {
    setReplicas(hosting, grouped.get(podId) ?? [], speeds)
    if (hosting.replicas.length > 0 || hosting.busy > 0) continue
    node.hostings.delete(podId)
    removeHosting(rosters, hosting)
  }
  for (const [podId, replicas] of grouped) {
    if (node.hostings.has(podId)) continue
    const hosting = newHosting(node, podId)
    setReplicas(hosting, replicas, speeds)
    node.hostings.set(podId, hosting)
    addHosting(rosters, hosting)
  }
}

const WEI_PER_HEU = 1e18

/** @returns whether one of them may serve now and could not before, or the other way round */
function judgeHostings(node: FleetNode, { byPod }: Rosters): boolean {
  const refusals = nodeRefusals(node.standing)
  let isChanged = false
  for (const hosting of node.hostings.values()) {
    const wasUsable = hosting.fixedRefusals.length === 0
    hosting.votes = Number(node.standing?.votes ?? 0n) / WEI_PER_HEU
    hosting.uptimeBps = node.uptimeBps
    hosting.fixedRefusals = [...linkRefusals(node.session), ...refusals, ...podRefusals(hosting.replicas)]
    byPod.get(hosting.podId)?.update(hosting)
    isChanged ||= wasUsable !== (hosting.fixedRefusals.length === 0)
  }
  return isChanged
}

/** Takes over what the chain and the presence record say about a node now. True when it can change a decision. */
function readStanding(node: FleetNode, { standing, presence }: Pick<RouterDependencies, 'standing' | 'presence'>): boolean {
  const before = { standing: node.standing, uptimeBps: node.uptimeBps }
  node.standing = standing(node.nodeId)
  node.uptimeBps = Math.max(0, Math.min(10_000, Math.round(presence.uptimeBps(node.nodeId))))
  return node.standing !== before.standing || uptimeBucketOf(node.uptimeBps) !== uptimeBucketOf(before.uptimeBps)
}

export type FleetOptions = { readonly router: Address; readonly now: () => number }

export function createFleet(
  { router, now }: FleetOptions,
  sources: Pick<RouterDependencies, 'standing' | 'presence' | 'onHostsChanged'>,
): Fleet {
  const nodes = new Map<NodeId, FleetNode>()
  const rosters: Rosters = { byPod: new Map(), journals: new Map(), newJournal: podId => createPodJournal(podId, { router, now }) }

  const speeds = createSpeeds()

  function takeFacts(node: FleetNode): void {
    applyFacts(node, rosters, speeds)
    readStanding(node, sources)
    judge(node)
  }

  function judge(node: FleetNode): void {
    if (judgeHostings(node, rosters)) sources.onHostsChanged?.()
  }

  function forget(node: FleetNode | undefined): void {
    for (const hosting of node?.hostings.values() ?? []) removeHosting(rosters, hosting)
  }

  return {
    join(session, facts) {
      forget(nodes.get(session.nodeId))
      const node: FleetNode = { nodeId: session.nodeId, session, facts, standing: null, uptimeBps: 0, hostings: new Map() }
      nodes.set(session.nodeId, node)
      takeFacts(node)
      return node
    },
    leave(session) {
      const node = nodes.get(session.nodeId)
      if (node?.session !== session) return
      forget(node)
      nodes.delete(session.nodeId)
      sources.onHostsChanged?.()
    },
    updateFacts(session, facts) {
      const node = nodes.get(session.nodeId)
      if (node?.session !== session) return
      node.facts = facts
      takeFacts(node)
    },
    linkChanged(session) {
      const node = nodes.get(session.nodeId)
      if (node?.session === session) judge(node)
    },
    refreshStanding(nodeId) {
      const chosen = nodeId === undefined ? nodes.values() : [nodes.get(nodeId)].filter(node => node !== undefined)
      // Most know nothing new, and a hosting that is judged again is sorted again.
      for (const node of chosen) if (readStanding(node, sources)) judge(node)
    },
    get: nodeId => nodes.get(nodeId),
    all: () => nodes.values(),
    size: () => nodes.size,
    cutCount: () => [...nodes.values()].filter(({ session }) => session.cutAtMs !== null).length,
    roster: podId => rosters.byPod.get(podId),
    hosting: podId => rosters.byPod.get(podId)?.hostings ?? [],
    setBusy(hosting, busy) {
      hosting.busy = busy
      // A hosting of a link that is gone has no row any more.
      if (nodes.get(hosting.nodeId) === hosting.node) rosters.byPod.get(hosting.podId)?.updateBusy(hosting)
    },
    showed(hosting, job) {
      const { node, nodeId, podId, replicas } = hosting
      let alongside = 0
      for (const { busy } of node.hostings.values()) alongside += busy
      if (!speeds.saw(hosting, { ...job, alongside: Math.max(1, alongside) })) return
      const believed = speeds.believed(hosting, claimedSpeed(replicas))
      // A hosting of a link that is gone has no row any more.
      if (believed === hosting.unitsPerSecond || nodes.get(nodeId) !== node) return
      hosting.unitsPerSecond = believed
      rosters.byPod.get(podId)?.update(hosting)
    },
    takeJournal: () => [...rosters.journals.values()].flatMap(journal => journal.take()),
    restartJournals() {
      for (const journal of rosters.journals.values()) journal.restart()
    },
    views: () => [...nodes.values()].map(viewOf),
  }
}

/** By the pod of which it claims most beyond what its jobs show. */
function borneOutBps({ hostings }: FleetNode): number {
  const parts = [...hostings.values()].map(({ unitsPerSecond, replicas }) => borneOut(unitsPerSecond, claimedSpeed(replicas)))
  return parts.length === 0 ? 10_000 : Math.floor(Math.min(...parts) * 10_000)
}

function viewOf(node: FleetNode): NodeView {
  let busySlots = 0
  for (const hosting of node.hostings.values()) busySlots += hosting.busy
  return {
    nodeId: node.nodeId,
    owner: node.standing?.owner ?? null,
    name: node.facts.name,
    online: node.session.cutAtMs === null,
    jailed: node.standing?.jailed ?? false,
    collateral: node.standing?.collateral ?? 0n,
    uptimeBps: node.uptimeBps,
    borneOutBps: borneOutBps(node),
    busySlots,
    connectedAtMs: node.session.connectedAtMs,
    lastSeenAtMs: node.session.lastSeenAtMs,
    facts: node.facts,
  }
}
