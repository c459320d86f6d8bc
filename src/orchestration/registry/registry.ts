import type { Chain, ChainCursor, ChainEvent, ChainNode, ChainWatch, Clock, Logger, PodStore } from '#platform'
import { type Address, messageOf, type NodeId, type NodeStanding, type PodRecord } from '#protocol'

export type RegistryOptions = {
  /** How often new chain events are looked for, in ms. */
  readonly pollMs: number
  /** How often all nodes are read again (events do not tell what a re-org took away), in ms. */
  readonly reloadMs: number
}
export const DEFAULT_REGISTRY_OPTIONS: RegistryOptions = { pollMs: 1_000, reloadMs: 30_000 }

export type RegistryDependencies = {
  readonly chain: Chain
  readonly pods: Pick<PodStore, 'list'>
  readonly clock: Clock
  readonly logger: Logger
}

export type Registry = {
  /** Reads everything once, then keeps it fresh. @throws HeuristError CHAIN_UNAVAILABLE */
  start(): Promise<void>
  /** What the chain says about a node; null when it does not know it. The object changes only when its content does. */
  standing(nodeId: NodeId): NodeStanding | null
  /** Where the node's earnings go; null for an unknown node. */
  payout(nodeId: NodeId): Address | null
  nodes(): readonly ChainNode[]
  /** Asks the chain about one node now: it just registered, or just linked. */
  refresh(nodeId: NodeId): Promise<NodeStanding | null>
  pods(): readonly PodRecord[]
  refreshPods(): Promise<readonly PodRecord[]>
  /** Age of the last complete read in ms: while the chain is away the old standings stay, and this grows. */
  ageMs(): number
  /** Calls `listener` after a node's standing changed; the returned function ends it. */
  onChange(listener: (nodeId: NodeId) => void): () => void
  stop(): Promise<void>
}

function same(a: ChainNode | undefined, b: ChainNode): boolean {
  return (
    a !== undefined &&
    a.owner === b.owner &&
    a.payout === b.payout &&
    a.collateral === b.collateral &&
    a.registered === b.registered &&
    a.jailed === b.jailed &&
    a.exiting === b.exiting &&
    a.votes === b.votes
  )
}

/** What the chain and the pod table say, held in memory for the router's filter (wp §2.2.2). */
export function createRegistry(options: Partial<RegistryOptions>, dependencies: RegistryDependencies): Registry {
  const settings = { ...DEFAULT_REGISTRY_OPTIONS, ...options }
  const { chain, clock, logger } = dependencies
  const nodes = new Map<NodeId, ChainNode>()
  const listeners = new Set<(nodeId: NodeId) => void>()
  let pods: readonly PodRecord[] = []
  let loadedAtMs = clock.now()
  let watch: ChainWatch | null = null
  let cancelReload = (): void => undefined
  let stopped = false

  function changed(nodeId: NodeId): void {
    for (const listener of listeners) listener(nodeId)
  }

  function keep(node: ChainNode): void {
    if (same(nodes.get(node.nodeId), node)) return
    nodes.set(node.nodeId, node)
    changed(node.nodeId)
  }

  function forget(nodeId: NodeId): void {
    if (nodes.delete(nodeId)) changed(nodeId)
  }

  async function refresh(nodeId: NodeId): Promise<NodeStanding | null> {
    const node = await chain.nodeStanding(nodeId)
    if (node) keep(node)
    else forget(nodeId)
    return node
  }

  async function reload(): Promise<void> {
    const all = await chain.allNodes()
    for (const node of all) keep(node)
    const present = new Set(all.map(node => node.nodeId))
    // Retired keys are not in the list; what is asked for again says so.
    for (const nodeId of [...nodes.keys()]) if (!present.has(nodeId)) await refresh(nodeId)
    await refreshPods()
    loadedAtMs = clock.now()
  }

  async function refreshPods(): Promise<readonly PodRecord[]> {
    pods = await dependencies.pods.list()
    return pods
  }

  async function onEvents(events: readonly ChainEvent[]): Promise<void> {
    for (const event of events) {
      if (event.kind !== 'node') continue
      const known = [...nodes.values()].find(node => node.registryId === event.registryId)
      if (known) await refresh(known.nodeId)
      if (event.nodeId && event.nodeId !== known?.nodeId) await refresh(event.nodeId)
    }
  }

  function scheduleReload(): void {
    cancelReload = clock.after(settings.reloadMs, () => {
      void reload()
        .catch(error =>
          logger.warn(
            { err: messageOf(error), ageMs: clock.now() - loadedAtMs },
            'the registry was not read again; the last standings stay',
          ),
        )
        .finally(() => {
          if (!stopped) scheduleReload()
        })
    })
  }

  return {
    async start() {
      const { number } = await chain.head()
      await reload()
      watch = chain.watch(
        { kinds: ['node'], cursor: memoryCursor(), fromBlock: number, until: 'latest', pollMs: settings.pollMs },
        onEvents,
      )
      scheduleReload()
    },
    standing: nodeId => nodes.get(nodeId) ?? null,
    payout: nodeId => nodes.get(nodeId)?.payout ?? null,
    nodes: () => [...nodes.values()],
    refresh,
    pods: () => pods,
    refreshPods,
    ageMs: () => clock.now() - loadedAtMs,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      stopped = true
      cancelReload()
      await watch?.stop()
    },
  }
}

/** A restart reads everything anyway, so this reader's place need not be kept. */
function memoryCursor(): { load(): Promise<ChainCursor | null>; save(cursor: ChainCursor): Promise<void> } {
  let current: ChainCursor | null = null
  return {
    load: async () => current,
    save: async cursor => {
      current = cursor
    },
  }
}
