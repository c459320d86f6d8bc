import { type Clock, type EpochPresence, type Logger, type NodeStore, repeat } from '#platform'
import { type Dispatcher, messageOf, type NodeId, type NodeView } from '#protocol'

/** How long nodes were linked, from which uptime (routing priority 5) follows. Kept in the database, so that a restart does not forget. */
export type Presence = { uptimeBps(nodeId: NodeId): number; start(): Promise<void>; stop(): void }

const SAVE_EVERY_MS = 10_000
/** A node that was first seen less than this ago counts as always present: it had no chance to be away. */
const GRACE_MS = 60_000

/**
 * A linked node's time and its capacity: million operations per second of the parts that it offers, as far as they were benchmarked and its
 * jobs bear out what it claims.
 */
export function presenceOf({ nodeId, online, facts, borneOutBps }: NodeView, onlineMs: number): EpochPresence['nodes'][number][] {
  if (!online) return []
  const scores = (facts?.devices ?? []).map(({ benchmark }) => benchmark?.score ?? 0)
  const claimed = scores.reduce((sum, score) => sum + score, 0) / 1e6
  return [{ nodeId, onlineMs, capacity: Math.floor((claimed * borneOutBps) / 10_000) }]
}

type Seen = { readonly firstSeenAtMs: number; onlineMs: number }

export function createPresence(dependencies: {
  /** Name of this router's instance: several watch at once, each for itself. */
  router: string
  nodes: NodeStore
  dispatcher: () => Pick<Dispatcher, 'nodes'>
  /** The emission epoch of now; null while the chain does not say. */
  epoch: () => Promise<number | null>
  clock: Clock
  logger: Logger
}): Presence {
  const { router, nodes, dispatcher, epoch, clock, logger } = dependencies
  const seen = new Map<NodeId, Seen>()
  let lastMs = 0
  let stop = (): void => undefined

  async function save(): Promise<void> {
    const nowMs = clock.now()
    const onlineMs = Math.min(nowMs - lastMs, 2 * SAVE_EVERY_MS)
    lastMs = nowMs
    const views = dispatcher().nodes()
    // A chain that is away must not cost the nodes their uptime.
    const now = await epoch().catch(() => null)
    if (now !== null) {
      await nodes.addEpochPresence(now, { router, watchedMs: onlineMs, nodes: views.flatMap(view => presenceOf(view, onlineMs)) })
    }
    for (const { nodeId, online } of views) {
      if (!online) continue
      const entry = seen.get(nodeId) ?? { firstSeenAtMs: nowMs - onlineMs, onlineMs: 0 }
      entry.onlineMs += onlineMs
      seen.set(nodeId, entry)
      await nodes.addPresence(nodeId, { atMs: nowMs, onlineMs })
    }
  }

  return {
    uptimeBps(nodeId) {
      const entry = seen.get(nodeId)
      const ageMs = entry ? clock.now() - entry.firstSeenAtMs : 0
      if (!entry || ageMs < GRACE_MS) return 10_000
      return Math.max(0, Math.min(10_000, Math.round((entry.onlineMs * 10_000) / ageMs)))
    },
    async start() {
      for (const { nodeId, firstSeenAtMs, onlineMs } of await nodes.list()) seen.set(nodeId, { firstSeenAtMs, onlineMs })
      lastMs = clock.now()
      stop = repeat(clock, SAVE_EVERY_MS, save, error =>
        logger.warn({ reason: messageOf(error) }, 'node presence could not be saved; it is saved with the next round'),
      )
    },
    stop: () => stop(),
  }
}
