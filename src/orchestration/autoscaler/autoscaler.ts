import { type Clock, type Logger, type Metrics, repeat } from '#platform'
import { messageOf, type NodeId, type PodId, type PodLoad, type PodRecord, type ReplicaAction } from '#protocol'
import { DEFAULT_SCALE_SPEC, decideScale, newScaleState, type ScaleObservation, type ScaleSpec, type ScaleState } from './decide.ts'
import { type Placing, placeReplicas } from './place.ts'
import { type Holder, shareOf } from './share.ts'

/** What votes give a pod: how many replicas it may have, and its weight where places are scarce. */
export type PodVotes = { readonly ceiling: number; readonly weight: bigint }

export type AutoscalerOptions = {
  /** Pause between two looks, in ms (default 2,000). */
  readonly everyMs?: number
  /** This router's name among others. */
  readonly instance: string
}
export type AutoscalerDependencies = {
  /** The router whose nodes are scaled. */
  readonly router: {
    loads(): readonly PodLoad[]
    scale(nodeId: NodeId, podId: PodId, action: ReplicaAction): void
    allowLoads(podId: PodId, allowance: { readonly limit: number; readonly plain: number; readonly narrowed: number }): void
  }
  readonly podOf: (podId: PodId) => PodRecord | undefined
  /** null: the chain did not say; then votes bound nothing. */
  readonly votesOf: (podId: PodId) => PodVotes | null
  /** The other routers, and what of the pod their nodes could hold; what manifest and votes allow is divided among all. */
  readonly othersOf: (podId: PodId) => readonly Holder[]
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}
/** What stands behind a pod's number of replicas. */
export type PodScale = {
  readonly desired: number
  readonly present: number
  /** What votes allow in the whole network; null while the chain does not say. */
  readonly ceiling: number | null
  /** Replicas that this router's nodes hold or could hold, and how many it may have, whatever its nodes hold just now. */
  readonly places: number
  readonly limit: number
  readonly reasons: readonly string[]
}
export type Autoscaler = {
  start(): void
  stop(): void
  /** Looks and acts once. */
  round(): void
  /** Something happened that need not wait for the next look: looks soon, and once for all that happens until then. */
  wake(): void
  scaleOf(podId: PodId): PodScale | null
}

const DEFAULT_EVERY_MS = 2_000
/** Between what wakes it and the look, and at least this long between two such looks: in a large fleet something always happens. */
const WAKE_MS = 50
const WAKE_GAP_MS = 500

/** Follows the demand of each pod: to zero and back, within what votes, manifest and nodes allow (wp §2.1.2). */
export function createAutoscaler(options: AutoscalerOptions, dependencies: AutoscalerDependencies): Autoscaler {
  const { router, podOf, votesOf, othersOf, clock, logger, metrics } = dependencies
  const states = new Map<PodId, ScaleState>()
  const scales = new Map<PodId, PodScale>()
  const desiredGauge = metrics.gauge('heurist_autoscaler_replicas_desired', 'Replicas that the autoscaler wants, by pod.', ['pod'])
  const actions = metrics.counter('heurist_autoscaler_actions_total', 'Replicas that nodes were asked to load or to unload.', [
    'pod',
    'action',
  ])
  let stop = (): void => undefined
  let cancelWake: (() => void) | null = null
  let wokenAtMs = 0

  function placingOf(load: PodLoad, pod: PodRecord): Placing {
    const observation = observe(load)
    const votes = votesOf(load.podId)
    const places = placesIn(load)
    const others = othersOf(load.podId)
    const share = (total: number): number => shareOf(total, { instance: options.instance, places }, others)
    const whole = specOf(pod, load)
    const spec = { ...whole, min: share(whole.min), max: share(whole.max) }
    const limits = { ceiling: share(votes?.ceiling ?? Number.POSITIVE_INFINITY), places }
    const state = states.get(load.podId) ?? newScaleState(observation.warm + observation.loading)
    const decision = decideScale(observation, { spec, limits }, state, clock.now())
    states.set(load.podId, decision.state)
    const present = observation.warm + observation.loading
    const limit = Math.min(spec.max, limits.ceiling)
    const { desired, reasons } = decision
    // Its state stays here: it holds the samples of five minutes, and this is told every half second.
    scales.set(load.podId, { desired, reasons, present, ceiling: votes?.ceiling ?? null, places, limit })
    desiredGauge.set({ pod: pod.name }, decision.desired)
    if (decision.desired !== state.desired) {
      logger.info({ pod: pod.name, from: state.desired, to: decision.desired, reasons: decision.reasons }, 'replicas wanted')
    }
    return {
      podId: load.podId,
      desired: decision.desired,
      votes: votes?.weight ?? 0n,
      oldestPendingMs: load.oldestPendingMs,
      places: load.hosts,
    }
  }

  function round(): void {
    const loads = router.loads().flatMap(load => {
      const pod = podOf(load.podId)
      return pod ? [{ load, pod }] : []
    })
    const known = new Set(loads.map(({ load }) => load.podId))
    for (const podId of states.keys()) if (!known.has(podId)) states.delete(podId)
    for (const podId of scales.keys()) if (!known.has(podId)) scales.delete(podId)
    for (const { nodeId, podId, action } of placeReplicas(loads.map(({ load, pod }) => placingOf(load, pod)))) {
      router.scale(nodeId, podId, action)
      actions.inc({ pod: podOf(podId)?.name ?? podId, action })
    }
    for (const [podId, { desired, limit }] of scales) {
      // The first job of a pod at zero need not wait for the next look.
      router.allowLoads(podId, { limit, plain: desired === 0 ? Math.min(1, limit) : 0, narrowed: Math.max(0, limit - desired) })
    }
  }

  const failed = (error: unknown): void => logger.error({ reason: messageOf(error) }, 'the autoscaler could not look; it looks again')

  function look(): void {
    cancelWake = null
    wokenAtMs = clock.now()
    try {
      round()
    } catch (error) {
      failed(error)
    }
  }

  return {
    start() {
      stop = repeat(clock, options.everyMs ?? DEFAULT_EVERY_MS, round, failed)
    },
    stop() {
      stop()
      cancelWake?.()
    },
    round,
    wake() {
      cancelWake ??= clock.after(Math.max(WAKE_MS, wokenAtMs + WAKE_GAP_MS - clock.now()), look)
    },
    scaleOf: podId => scales.get(podId) ?? null,
  }
}

function observe({ hosts, inFlight, pending, oldestPendingMs }: PodLoad): ScaleObservation {
  const warm = hosts.reduce((sum, host) => sum + host.warm, 0)
  const loading = hosts.reduce((sum, host) => sum + host.loading, 0)
  const measured = hosts.flatMap(host => host.utilization ?? [])
  const utilization = measured.length > 0 ? measured.reduce((sum, each) => sum + each, 0) / measured.length : null
  return { inFlight, pending, oldestPendingMs, warm, loading, utilization }
}

/** Replicas that the linked nodes hold or could hold. */
function placesIn({ hosts }: PodLoad): number {
  return hosts.reduce((sum, { warm, loading, cold }) => sum + warm + loading + cold, 0)
}

function specOf({ manifest }: PodRecord, { hosts }: PodLoad): ScaleSpec {
  const { min, max, target, scaleDownAfterMs } = manifest.spec.scaling
  const slots = hosts.flatMap(host => (host.warm > 0 ? [host.slots / host.warm] : []))
  const mean = slots.length > 0 ? slots.reduce((sum, each) => sum + each, 0) / slots.length : DEFAULT_SCALE_SPEC.target
  return {
    ...DEFAULT_SCALE_SPEC,
    min,
    max,
    target: target ?? Math.max(1, mean),
    ...(scaleDownAfterMs !== undefined && {
      scaleDownAfterMs,
      // Who wants to be quick down does not want the memory of a minute.
      stableWindowMs: Math.min(DEFAULT_SCALE_SPEC.stableWindowMs, scaleDownAfterMs),
      panicWindowMs: Math.min(DEFAULT_SCALE_SPEC.panicWindowMs, scaleDownAfterMs),
    }),
  }
}
