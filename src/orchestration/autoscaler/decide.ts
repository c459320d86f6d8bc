/**
 * How many replicas a pod should have (wp §2.1.2, DESIGN §8). Pure: what was seen, what is wanted, what is remembered and the time go
 * in; a number, its reasons and what to remember come out. After Knative's autoscaler: two windows over the jobs at once.
 *
 * 1. A pod at zero gets its first replica with its first job.
 * 2. The mean of jobs at once over the stable window, divided by the target of one replica, is the number of replicas.
 * 3. When the panic window asks for twice of what there is, it decides instead, and nothing is taken away until a stable window has
 *    passed without it.
 * 4. A job that waits long, or replicas that compute all the time, ask for one more than there is.
 * 5. Fewer are wanted only when the largest wish of the last `scaleDownAfterMs` is smaller: a pause is no reason to unload.
 * 6. Whoever has not been asked for anything for that long goes to zero; a replica that loads is not idle.
 * 7. No data is a third answer and never zero: the present number stays.
 */

export type ScaleObservation = {
  /** Jobs that hold a slot. */
  readonly inFlight: number
  /** Jobs that wait for one, and for how long the oldest has. */
  readonly pending: number
  readonly oldestPendingMs: number
  /** Replicas that serve, and those that load. */
  readonly warm: number
  readonly loading: number
  /** Mean utilisation of the devices of warm replicas, 0 to 1; null when nobody measures it. */
  readonly utilization: number | null
}

export type ScaleSpec = {
  readonly min: number
  readonly max: number
  /** Jobs at once that one replica should have. */
  readonly target: number
  /** How long a smaller number must have been enough, in ms. */
  readonly scaleDownAfterMs: number
  readonly stableWindowMs: number
  readonly panicWindowMs: number
  /** A job that has waited this long asks for another replica, in ms. */
  readonly patienceMs: number
  /** Devices busier than this ask for another replica, 0 to 1. */
  readonly busyUtilization: number
}

/** What the network allows: the ceiling from votes (wp §3.2.4), and the replicas that its nodes could hold. */
export type ScaleLimits = { readonly ceiling: number; readonly places: number }

type Sample = { readonly atMs: number; readonly jobs: number }
type Wish = { readonly atMs: number; readonly replicas: number }
/** Replaced, never changed. */
export type ScaleState = {
  readonly desired: number
  readonly samples: readonly Sample[]
  readonly wishes: readonly Wish[]
  /** Since when the panic window decides; null in peace. */
  readonly panicUntilMs: number | null
}
export type ScaleDecision = { readonly desired: number; readonly state: ScaleState; readonly reasons: readonly string[] }

export const DEFAULT_SCALE_SPEC: ScaleSpec = {
  min: 0,
  max: 100,
  target: 1,
  scaleDownAfterMs: 300_000,
  stableWindowMs: 60_000,
  panicWindowMs: 6_000,
  patienceMs: 1_000,
  busyUtilization: 0.9,
}
/** The panic window takes over when it asks for this many times what there is. */
const PANIC_FACTOR = 2

export function newScaleState(present: number): ScaleState {
  return { desired: present, samples: [], wishes: [], panicUntilMs: null }
}

/** @param observation null: nobody could say */
export function decideScale(
  observation: ScaleObservation | null,
  { spec, limits }: { readonly spec: ScaleSpec; readonly limits: ScaleLimits },
  state: ScaleState,
  nowMs: number,
): ScaleDecision {
  if (observation === null) return { desired: state.desired, state, reasons: ['no data: the present number stays'] }
  const jobs = observation.inFlight + observation.pending
  const samples = [...state.samples.filter(({ atMs }) => atMs > nowMs - spec.stableWindowMs), { atMs: nowMs, jobs }]
  const present = observation.warm + observation.loading
  const { wish, reasons, panicUntilMs } = wishOf(observation, spec, { ...state, samples }, nowMs)
  const wishes = [...state.wishes.filter(({ atMs }) => atMs > nowMs - spec.scaleDownAfterMs), { atMs: nowMs, replicas: wish }]
  const held = Math.max(...wishes.map(({ replicas }) => replicas))
  // Until a whole delay has been watched, what is there stays: a restart is no reason to unload.
  const isWatched = state.wishes.some(({ atMs }) => atMs <= nowMs - spec.scaleDownAfterMs)
  const wanted = isWatched || held >= present ? held : Math.max(held, present)
  const delayed = wanted > wish ? [`${wish} would do, and fewer must do for ${spec.scaleDownAfterMs / 1000} s first`] : []
  const { desired, because } = withinLimits(wanted, spec, limits)
  return { desired, state: { desired, samples, wishes, panicUntilMs }, reasons: [...reasons, ...delayed, ...because] }
}

type Wished = { readonly wish: number; readonly reasons: readonly string[]; readonly panicUntilMs: number | null }

function wishOf(observation: ScaleObservation, spec: ScaleSpec, state: ScaleState, nowMs: number): Wished {
  const { warm, loading, inFlight, pending, oldestPendingMs, utilization } = observation
  const replicasFor = (windowMs: number): number => Math.ceil(meanSince(state.samples, nowMs - windowMs) / spec.target - 1e-9)
  const stable = replicasFor(spec.stableWindowMs)
  const panic = replicasFor(spec.panicWindowMs)
  const isPanic = panic >= PANIC_FACTOR * Math.max(1, warm)
  const panicUntilMs = isPanic
    ? nowMs + spec.stableWindowMs
    : state.panicUntilMs !== null && nowMs < state.panicUntilMs
      ? state.panicUntilMs
      : null
  const wishes: [number, string][] = [[stable, `${stable} for the mean of the last ${spec.stableWindowMs / 1000} s`]]
  if (panicUntilMs !== null) wishes.push([Math.max(panic, state.desired), `${panic} for the last ${spec.panicWindowMs / 1000} s: panic`])
  if (inFlight + pending > 0) wishes.push([1, '1 because there is a job'])
  if (pending > 0 && oldestPendingMs >= spec.patienceMs && loading === 0) {
    wishes.push([warm + 1, `${warm + 1} because a job has waited for ${Math.round(oldestPendingMs)} ms`])
  }
  // Devices that others keep busy are no demand for this pod.
  if (utilization !== null && utilization > spec.busyUtilization && loading === 0 && inFlight > 0) {
    wishes.push([warm + 1, `${warm + 1} because the devices are ${Math.round(utilization * 100)} % busy`])
  }
  // What loads was asked for: it is not taken back before it has served.
  if (loading > 0) wishes.push([warm + loading, `${warm + loading} because ${loading} load`])
  const wish = Math.max(...wishes.map(([replicas]) => replicas))
  return { wish, panicUntilMs, reasons: wishes.filter(([replicas]) => replicas === wish).map(([, reason]) => reason) }
}

/** The mean over the samples of a window; 0 when there are none. */
function meanSince(samples: readonly Sample[], sinceMs: number): number {
  const inside = samples.filter(({ atMs }) => atMs > sinceMs)
  return inside.length === 0 ? 0 : inside.reduce((sum, { jobs }) => sum + jobs, 0) / inside.length
}

function withinLimits(wanted: number, { min, max }: ScaleSpec, { ceiling, places }: ScaleLimits): { desired: number; because: string[] } {
  const bounds: [number, string][] = [
    [max, 'the manifest allows'],
    [ceiling, 'votes allow'],
    [places, 'nodes can hold'],
  ]
  const because = wanted < min ? [`the manifest keeps ${min}`] : []
  let desired = Math.max(wanted, min)
  for (const [bound, who] of bounds) {
    if (desired <= bound) continue
    desired = bound
    because.push(`${who} only ${bound}`)
  }
  return { desired, because }
}
