import { type Bus, type Clock, type Logger, repeat } from '#platform'
import {
  BUS_TOPICS,
  type Dispatcher,
  type JobOrder,
  messageOf,
  type NodeId,
  type NodeLog,
  type NodeView,
  type NodeWhy,
  type PodId,
  type SignedDiscardReceipt,
} from '#protocol'
import { chooseRouter } from './choose.ts'
import { createRouterDirectory, type KnownRouter } from './directory.ts'
import { RouterLink } from './link.ts'
import { RemoteJob } from './remote-job.ts'

export type RouterPoolDependencies = {
  readonly bus: Pick<Bus, 'subscribe'>
  readonly signDiscard: (order: JobOrder, facts: { readonly attempts: number; readonly reason: string }) => SignedDiscardReceipt
  readonly clock: Clock
  readonly logger: Logger
  readonly random: () => number
}

/** The routers of other processes behind one face: what a gateway that runs alone asks instead of the router beside it. */
export type RouterPool = Dispatcher & {
  start(): void
  /** Routers that are linked now. */
  routers(): readonly KnownRouter[]
  why(nodeId: NodeId): Promise<NodeWhy>
  /** What a pod's program wrote to stderr, from the nodes of all routers. */
  podLogs(podId: PodId, sinceMs: number): Promise<NodeLog[]>
  /** What the autoscalers of all routers want of a pod; null while none has looked. */
  scaleOf(podId: PodId): { readonly desired: number; readonly ceiling: number | null; readonly reasons: readonly string[] } | null
  stop(): void
}

type Member = { readonly link: RouterLink; readonly url: string; heardAtMs: number; given: number }

/** How often broken links are dialled again, in ms. */
const DIAL_EVERY_MS = 250
/** Nodes find their next router within this time after one went, in ms. */
const UNSETTLED_MS = 5_000

/** Capacity of a pod over all routers. */
function capacityOf(routers: readonly KnownRouter[], podId: `0x${string}`): ReturnType<Dispatcher['podCapacity']> {
  const total = { warm: 0, loading: 0, replicas: 0, freeSlots: 0 }
  for (const { pods } of routers) {
    const summary = pods.get(podId)
    total.warm += summary?.warm ?? 0
    total.loading += summary?.loading ?? 0
    total.replicas += summary?.replicas ?? 0
    total.freeSlots += summary?.freeSlots ?? 0
  }
  return total
}

/** What the autoscalers of all routers want: each for its own nodes. */
function scaleIn(routers: readonly KnownRouter[], podId: PodId): ReturnType<RouterPool['scaleOf']> {
  const scales = routers.flatMap(({ instance, pods }) => {
    const scale = pods.get(podId)?.scale
    return scale ? [{ instance, ...scale }] : []
  })
  if (scales.length === 0) return null
  return {
    desired: scales.reduce((sum, { desired }) => sum + desired, 0),
    ceiling: scales.reduce<number | null>((most, { ceiling }) => (ceiling === null ? most : Math.max(most ?? 0, ceiling)), null),
    reasons: scales.map(
      ({ instance, desired, limit, places }) => `${instance} wants ${desired}, may have ${Math.min(limit, places)} of ${places}`,
    ),
  }
}

export function createRouterPool({ secret }: { readonly secret: string }, dependencies: RouterPoolDependencies): RouterPool {
  const { bus, clock, logger, random, signDiscard } = dependencies
  const directory = createRouterDirectory({ clock })
  const members = new Map<string, Member>()
  let unsubscribe = (): void => undefined
  let stopDialling = (): void => undefined
  let isStopped = false
  let movedAtMs = Number.NEGATIVE_INFINITY

  /** Links to every router that is heard of, and lets go of those that moved. */
  function dial(): void {
    for (const { instance, url, heardAtMs, draining } of directory.list()) {
      const member = members.get(instance)
      if (draining || !member) movedAtMs = clock.now()
      if (member?.url === url) {
        // Its summary counts what it was given until then.
        if (heardAtMs > member.heardAtMs) Object.assign(member, { heardAtMs, given: 0 })
        continue
      }
      member?.link.close()
      const closed = (): void => {
        if (members.get(instance)?.link !== link) return
        members.delete(instance)
        movedAtMs = clock.now()
      }
      const link: RouterLink = new RouterLink({ url, secret }, { clock, logger, closed })
      members.set(instance, { link, url, heardAtMs, given: 0 })
    }
  }
  const linked = (): { router: KnownRouter; member: Member; given: number }[] =>
    directory.list().flatMap(router => {
      const member = members.get(router.instance)
      return member?.link.isOpen ? [{ router, member, given: member.given }] : []
    })

  function choose({ pod }: JobOrder): RouterLink | null {
    const chosen = chooseRouter(linked(), pod.podId, random)
    if (!chosen) return null
    chosen.member.given += 1
    return chosen.member.link
  }
  const isUnsettled = (): boolean => clock.now() - movedAtMs < UNSETTLED_MS
  const openLinks = (): RouterLink[] => [...members.values()].flatMap(({ link }) => (link.isOpen ? [link] : []))
  function nodes(): NodeView[] {
    const byId = new Map<NodeId, NodeView>()
    for (const node of openLinks().flatMap(link => link.nodes)) if (node.online || !byId.has(node.nodeId)) byId.set(node.nodeId, node)
    return [...byId.values()]
  }

  return {
    start() {
      unsubscribe = bus.subscribe(BUS_TOPICS.router, payload => {
        directory.heard(payload)
        if (!isStopped) dial()
      })
      stopDialling = repeat(clock, DIAL_EVERY_MS, dial, error =>
        logger.error({ reason: messageOf(error) }, 'the routers could not be dialled; they are dialled again'),
      )
    },
    routers: () => linked().map(({ router }) => router),
    dispatch: (order, sink) => new RemoteJob(order, sink, { choose, isUnsettled, signDiscard, clock }).control,
    nodes,
    // Routers read the pods themselves.
    publishPods: () => undefined,
    podCapacity: podId => capacityOf(directory.list(), podId),
    scaleOf: podId => scaleIn(directory.list(), podId),
    async why(nodeId) {
      const links = openLinks()
      const link = links.find(each => each.nodes.some(node => node.nodeId === nodeId && node.online)) ?? links[0]
      if (!link) throw new Error('no router can be reached from this gateway now')
      return link.why(nodeId)
    },
    async podLogs(podId, sinceMs) {
      // A router that is lost meanwhile takes its nodes' lines with it; the others' are shown.
      const answers = await Promise.allSettled(openLinks().map(link => link.podLogs(podId, sinceMs)))
      return answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
    },
    stop() {
      isStopped = true
      stopDialling()
      unsubscribe()
      for (const { link } of members.values()) link.close()
    },
  }
}
