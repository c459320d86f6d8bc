import { type Chain, type ChainCursor, type ChainEvent, type ChainNode, type ChainWatch, type Clock, type Logger, repeat } from '#platform'
import { type Address, BPS, messageOf, type NodeId, type NodeStanding, nodeGaugeId } from '#protocol'
import { readTime } from '../economy/context.ts'

export type RegistryOptions = {
  /** How often new chain events are looked for, in ms. */
  readonly pollMs: number
  /** How often all nodes are read again (events do not tell what a re-org took away), in ms. */
  readonly reloadMs: number
}
export const DEFAULT_REGISTRY_OPTIONS: RegistryOptions = { pollMs: 1_000, reloadMs: 30_000 }

export type RegistryDependencies = {
  readonly chain: Chain
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
    a.bonded === b.bonded &&
    a.restaked === b.restaked &&
    a.floor === b.floor &&
    a.covered === b.covered &&
    a.registered === b.registered &&
    a.jailed === b.jailed &&
    a.exiting === b.exiting &&
    a.votes === b.votes
  )
}

/** What the chain says about nodes, held in memory for the router's filter (wp §2.2.2). */
export function createRegistry(options: Partial<RegistryOptions>, dependencies: RegistryDependencies): Registry {
  return new ChainRegistry({ ...DEFAULT_REGISTRY_OPTIONS, ...options }, dependencies)
}

/** Its face is made of arrow functions: they are passed around as plain functions. */
class ChainRegistry implements Registry {
  readonly #options: RegistryOptions
  readonly #dependencies: RegistryDependencies
  readonly #nodes = new Map<NodeId, ChainNode>()
  readonly #listeners = new Set<(nodeId: NodeId) => void>()
  #loadedAtMs: number
  #watch: ChainWatch | null = null
  #stopReloading = (): void => undefined

  constructor(options: RegistryOptions, dependencies: RegistryDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#loadedAtMs = dependencies.clock.now()
  }

  readonly start = async (): Promise<void> => {
    const { chain } = this.#dependencies
    // Events from here on; what was before is in the first complete read.
    const { number } = await chain.head()
    await this.#reload()
    const place = { kinds: ['node'], cursor: memoryCursor(), fromBlock: number, until: 'latest' } as const
    this.#watch = chain.watch({ ...place, pollMs: this.#options.pollMs }, events => this.#onEvents(events))
    const { clock, logger } = this.#dependencies
    this.#stopReloading = repeat(
      clock,
      this.#options.reloadMs,
      () => this.#reload(),
      error => logger.warn({ err: messageOf(error), ageMs: this.ageMs() }, 'the registry was not read again; the last standings stay'),
    )
  }

  readonly stop = async (): Promise<void> => {
    this.#stopReloading()
    await this.#watch?.stop()
  }

  readonly standing = (nodeId: NodeId): NodeStanding | null => {
    return this.#nodes.get(nodeId) ?? null
  }

  readonly payout = (nodeId: NodeId): Address | null => {
    return this.#nodes.get(nodeId)?.payout ?? null
  }

  readonly nodes = (): readonly ChainNode[] => {
    return [...this.#nodes.values()]
  }

  readonly refresh = async (nodeId: NodeId): Promise<NodeStanding | null> => {
    const found = await this.#dependencies.chain.nodeStanding(nodeId)
    const [node] = found ? await this.#withVotes([found]) : []
    if (node) this.#keep(node)
    else this.#forget(nodeId)
    return node ?? null
  }

  readonly ageMs = (): number => {
    return this.#dependencies.clock.now() - this.#loadedAtMs
  }

  readonly onChange = (listener: (nodeId: NodeId) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #keep(node: ChainNode): void {
    if (same(this.#nodes.get(node.nodeId), node)) return
    this.#nodes.set(node.nodeId, node)
    this.#tell(node.nodeId)
  }

  #forget(nodeId: NodeId): void {
    if (this.#nodes.delete(nodeId)) this.#tell(nodeId)
  }

  #tell(nodeId: NodeId): void {
    for (const listener of this.#listeners) listener(nodeId)
  }

  /** With the stHEU that votes for each node in the epoch of now: the router's fourth priority. */
  async #withVotes(nodes: readonly ChainNode[]): Promise<ChainNode[]> {
    if (nodes.length === 0) return []
    const { chain } = this.#dependencies
    const { epoch } = await readTime({ chain })
    const weights = await Promise.all(
      nodes.map(({ registryId }) => chain.read('NodeGauge', 'weightAt', [nodeGaugeId(registryId), BigInt(epoch)])),
    )
    return nodes.map((node, index) => ({ ...node, votes: (weights[index] ?? 0n) / BPS }))
  }

  async #reload(): Promise<void> {
    const all = await this.#withVotes(await this.#dependencies.chain.allNodes())
    for (const node of all) this.#keep(node)
    const present = new Set(all.map(node => node.nodeId))
    // Not in the list: a retired key, a node that left, or one whose registration the chain lost.
    for (const nodeId of [...this.#nodes.keys()]) if (!present.has(nodeId)) await this.refresh(nodeId)
    this.#loadedAtMs = this.#dependencies.clock.now()
  }

  async #onEvents(events: readonly ChainEvent[]): Promise<void> {
    for (const event of events) {
      if (event.kind !== 'node') continue
      const known = this.nodes().find(node => node.registryId === event.registryId)
      if (known) await this.refresh(known.nodeId)
      if (event.nodeId && event.nodeId !== known?.nodeId) await this.refresh(event.nodeId)
    }
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
