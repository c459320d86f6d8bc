import { type Autoscaler, createAutoscaler, type Holder, type PodVotes, type Router } from '#orchestration'
import { type Chain, type Clock, type Logger, type Metrics, repeat } from '#platform'
import { messageOf, type PodId, type PodRecord } from '#protocol'
import { epochClock } from './keeper.ts'

export type ScalingDependencies = {
  readonly chain: Pick<Chain, 'read' | 'head'>
  readonly router: Pick<Router, 'loads' | 'scale' | 'allowLoads' | 'nodes'>
  readonly pods: () => readonly PodRecord[]
  /** The other routers of the network, if there are any. */
  readonly peers: () => readonly Peer[]
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Another router, as it tells of itself. */
export type Peer = {
  readonly instance: string
  readonly devices: number
  readonly pods: ReadonlyMap<PodId, { readonly scale: { readonly places: number } | null }>
}

const VOTES_EVERY_MS = 15_000

/** The autoscaler of this process's router, bounded by the votes of the pod gauge (wp §3.2.4). */
export function createScaling({ instance }: { readonly instance: string }, dependencies: ScalingDependencies): Autoscaler {
  const { pods, peers, clock, logger } = dependencies
  const readVotes = votesReader(dependencies)
  let votes: ReadonlyMap<PodId, PodVotes> = new Map()
  let stop = (): void => undefined
  const podOf = (podId: PodId): PodRecord | undefined => pods().find(pod => pod.podId === podId)
  const othersOf = (podId: PodId): Holder[] =>
    peers().map(peer => ({ instance: peer.instance, places: peer.pods.get(podId)?.scale?.places ?? 0 }))
  const autoscaler = createAutoscaler({ instance }, { ...dependencies, podOf, votesOf: podId => votes.get(podId) ?? null, othersOf })
  const refresh = async (): Promise<void> => {
    votes = await readVotes()
  }
  const failed = (error: unknown): void =>
    logger.warn({ reason: messageOf(error) }, 'the votes for pods could not be read; the last ones count')
  return {
    ...autoscaler,
    start() {
      void refresh().catch(failed)
      stop = repeat(clock, VOTES_EVERY_MS, refresh, failed)
      autoscaler.start()
    },
    stop() {
      stop()
      autoscaler.stop()
    },
  }
}

/** Replicas of one pod that the network could run at once: a replica lives on one device. */
export function replicaPlaces(router: Pick<Router, 'nodes'>): number {
  return router.nodes().reduce((sum, { facts }) => sum + (facts?.devices.length ?? 0), 0)
}

/** Empty in an epoch in which nobody has voted for any pod: then votes bound nothing. */
function votesReader({ chain, router, pods, peers }: ScalingDependencies): () => Promise<ReadonlyMap<PodId, PodVotes>> {
  const epochNow = epochClock(chain)
  return async () => {
    const epoch = BigInt((await epochNow()) ?? 0)
    if ((await chain.read('PodGauge', 'totalWeightAt', [epoch])) === 0n) return new Map()
    const places = BigInt(peers().reduce((sum, { devices }) => sum + devices, replicaPlaces(router)))
    const entries = pods().map(async ({ podId }): Promise<[PodId, PodVotes]> => {
      const [ceiling, weight] = await Promise.all([
        chain.read('PodGauge', 'replicaCeilingOf', [podId, epoch, places]),
        chain.read('PodGauge', 'weightAt', [podId, epoch]),
      ])
      return [podId, { ceiling: Number(ceiling), weight }]
    })
    return new Map(await Promise.all(entries))
  }
}
