/** Demand under the autoscaler's rule, Knative's, replicas that never go, and a perfect forecast. */
import { DEFAULT_SCALE_SPEC, decideScale, newScaleState } from '#orchestration'
import { azureRequests, DAY_MS, dayOf, type Job } from './demand.ts'
import { seededRandom } from './random.ts'

const TICK_MS = 1_000
const DECIDE_EVERY_TICKS = 2
/** Jobs at once of one replica, and how long a model takes to load. */
export const SLOTS = 4
export const LOAD_MS = 15_000

type Seen = {
  readonly inFlight: number
  readonly pending: number
  readonly oldestPendingMs: number
  readonly warm: number
  readonly loading: number
}
/** How many replicas there should be; called every two seconds. */
export type Rule = (seen: Seen, nowMs: number) => number

export function ourRule(): Rule {
  const spec = { ...DEFAULT_SCALE_SPEC, target: SLOTS }
  const limits = { ceiling: Number.POSITIVE_INFINITY, places: Number.POSITIVE_INFINITY }
  let state = newScaleState(0)
  return (seen, nowMs) => {
    const decision = decideScale({ ...seen, utilization: null }, { spec, limits }, state, nowMs)
    state = decision.state
    return decision.desired
  }
}

/** Knative's defaults: windows of 60 s and 6 s, 70 % of the slots as the target, panic at twice, 30 s of grace before zero. */
export function knativeRule(): Rule {
  let samples: { atMs: number; jobs: number }[] = []
  let panicUntilMs = 0
  let desired = 0
  let busyAtMs = Number.NEGATIVE_INFINITY
  return ({ inFlight, pending, warm }, nowMs) => {
    samples = [...samples.filter(({ atMs }) => atMs > nowMs - 60_000), { atMs: nowMs, jobs: inFlight + pending }]
    const replicasFor = (windowMs: number): number => {
      const inside = samples.filter(({ atMs }) => atMs > nowMs - windowMs)
      return Math.ceil(inside.reduce((sum, { jobs }) => sum + jobs, 0) / inside.length / (0.7 * SLOTS) - 1e-9)
    }
    const [stable, panic] = [replicasFor(60_000), replicasFor(6_000)]
    if (stable > 0) busyAtMs = nowMs
    if (panic >= 2 * Math.max(1, warm)) panicUntilMs = nowMs + 60_000
    desired = nowMs < panicUntilMs ? Math.max(desired, panic) : stable
    return desired === 0 && nowMs - busyAtMs < 30_000 ? 1 : desired
  }
}

export const fixedRule =
  (replicas: number): Rule =>
  () =>
    replicas

export type Outcome = { readonly waitsMs: readonly number[]; readonly coldStarts: number; readonly replicaMs: number }
type Replica = { readonly readyMs: number; readonly freeAtMs: number[] }

/** Plays `lengthMs` of demand, from `present` warm replicas. A job waits for the first slot; replicas load for {@link LOAD_MS} and are taken away only when idle. */
export function play(jobs: readonly Job[], rule: Rule, { present = 0, lengthMs = DAY_MS } = {}): Outcome {
  let replicas: Replica[] = Array.from({ length: present }, () => newReplica(-1))
  const waiting: Job[] = []
  const waitsMs: number[] = []
  let coldStarts = 0
  let replicaMs = 0
  let next = 0
  for (let tick = 0, nowMs = 0; nowMs < lengthMs; tick++, nowMs += TICK_MS) {
    while (next < jobs.length && jobs[next]!.atMs < nowMs + TICK_MS) {
      const job = jobs[next++]!
      if (!replicas.some(({ readyMs }) => readyMs <= job.atMs)) coldStarts += 1
      waiting.push(job)
    }
    startWaiting(waiting, replicas, nowMs + TICK_MS, waitMs => waitsMs.push(waitMs))
    if (tick % DECIDE_EVERY_TICKS === 0)
      replicas = scaled(replicas, rule(seenOf(replicas, waiting, nowMs + TICK_MS), nowMs + TICK_MS), nowMs + TICK_MS)
    replicaMs += replicas.length * TICK_MS
  }
  return { waitsMs, coldStarts, replicaMs }
}

const newReplica = (readyMs: number): Replica => ({ readyMs, freeAtMs: new Array<number>(SLOTS).fill(readyMs) })

function startWaiting(waiting: Job[], replicas: readonly Replica[], untilMs: number, started: (waitMs: number) => void): void {
  while (waiting[0]) {
    const [job] = waiting
    let best: Replica | null = null
    let bestSlot = -1
    for (const replica of replicas) {
      replica.freeAtMs.forEach((freeAtMs, slot) => {
        if (best === null || freeAtMs < best.freeAtMs[bestSlot]!) [best, bestSlot] = [replica, slot]
      })
    }
    const chosen = best as Replica | null // cast: assigned in the callback above
    if (chosen === null || chosen.freeAtMs[bestSlot]! > untilMs) return
    const startMs = Math.max(job.atMs, chosen.freeAtMs[bestSlot]!)
    chosen.freeAtMs[bestSlot] = startMs + job.durationMs
    started(startMs - job.atMs)
    waiting.shift()
  }
}

function seenOf(replicas: readonly Replica[], waiting: readonly Job[], nowMs: number): Seen {
  const warm = replicas.filter(({ readyMs }) => readyMs <= nowMs)
  return {
    inFlight: warm.reduce((sum, { freeAtMs }) => sum + freeAtMs.filter(atMs => atMs > nowMs).length, 0),
    pending: waiting.length,
    oldestPendingMs: waiting[0] ? nowMs - waiting[0].atMs : 0,
    warm: warm.length,
    loading: replicas.length - warm.length,
  }
}

function scaled(replicas: Replica[], desired: number, nowMs: number): Replica[] {
  if (desired >= replicas.length)
    return [...replicas, ...Array.from({ length: desired - replicas.length }, () => newReplica(nowMs + LOAD_MS))]
  let surplus = replicas.length - desired
  return replicas.filter(({ readyMs, freeAtMs }) => {
    const isIdle = readyMs <= nowMs && freeAtMs.every(atMs => atMs <= nowMs)
    if (!isIdle || surplus === 0) return true
    surplus -= 1
    return false
  })
}

/** Replica time if every job started at once, each replica loaded just in time, and went whenever it costs less to load it again. */
export function forecastReplicaMs(jobs: readonly Job[]): { replicaMs: number; peak: number } {
  const changes = jobs.flatMap(({ atMs, durationMs }): [number, number][] => [
    [atMs, 1],
    [atMs + durationMs, -1],
  ])
  changes.sort(([a, up], [b, down]) => a - b || up - down)
  /** When the replica of each level was needed last. */
  const neededAtMs: number[] = []
  let [count, replicas, replicaMs, lastMs] = [0, 0, 0, 0]
  for (const [atMs, change] of changes) {
    replicaMs += replicas * (atMs - lastMs)
    lastMs = atMs
    count += change
    const needed = Math.ceil(count / SLOTS)
    for (let level = replicas; level < needed; level++)
      replicaMs += Math.min(LOAD_MS, atMs - (neededAtMs[level] ?? Number.NEGATIVE_INFINITY))
    for (let level = needed; level < replicas; level++) neededAtMs[level] = atMs
    replicas = needed
  }
  return { replicaMs, peak: neededAtMs.length }
}

export type Scaled = { readonly rows: readonly ScaleRow[]; readonly jobs: number }
type ScaleRow = {
  readonly rule: string
  readonly coldPercent: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly hours: number
}

/** One row a rule, over what each pod is asked within `lengthMs`. */
function rowsOf(demands: readonly (readonly Job[])[], lengthMs: number): Scaled {
  const forecasts = demands.map(forecastReplicaMs)
  const jobs = demands.reduce((sum, demand) => sum + demand.length, 0)
  const of = (rule: string, outcomes: readonly Outcome[]): ScaleRow => {
    const waits = outcomes.flatMap(({ waitsMs }) => waitsMs).sort((a, b) => a - b)
    const at = (share: number): number => Math.round(waits[Math.floor(waits.length * share)] ?? 0)
    const cold = outcomes.reduce((sum, { coldStarts }) => sum + coldStarts, 0)
    const hours = outcomes.reduce((sum, { replicaMs }) => sum + replicaMs, 0) / 3_600_000
    return { rule, coldPercent: (100 * cold) / jobs, p50Ms: at(0.5), p99Ms: at(0.99), hours }
  }
  const underRule = (rule: () => Rule): Outcome[] => demands.map(demand => play(demand, rule(), { lengthMs }))
  const alwaysOn = demands.map((demand, index) => {
    const present = Math.max(1, forecasts[index]!.peak)
    return play(demand, fixedRule(present), { present, lengthMs })
  })
  const forecastHours = forecasts.reduce((sum, { replicaMs }) => sum + replicaMs, 0) / 3_600_000
  const rows = [
    of('heurist', underRule(ourRule)),
    of("Knative's defaults", underRule(knativeRule)),
    of('always on, at the peak', alwaysOn),
    { rule: 'perfect forecast', coldPercent: 0, p50Ms: 0, p99Ms: 0, hours: forecastHours },
  ]
  return { rows, jobs }
}

/** A generated day of `pods` applications at even quantiles. */
export function generatedDay(pods: number, seed = 1): Scaled {
  const random = seededRandom(seed)
  return rowsOf(
    Array.from({ length: pods }, (_, index) => dayOf((index + 0.5) / pods, random)),
    DAY_MS,
  )
}

/** The hour of the real trace, its two services as two pods that nobody has asked before. */
export function tracedHour(): Scaled {
  return rowsOf([azureRequests('code'), azureRequests('conv')], 3_600_000)
}
