/**
 * A day of many pods under the autoscaler's rule, Knative's, replicas that never go, and a perfect forecast. Demand is generated from the
 * published statistics of a real trace: Shahrad et al., "Serverless in the Wild", USENIX ATC 2020 (Azure Functions, July 2019): 45 % of
 * the applications are called at most once an hour, 81 % at most once a minute, and execution times are log-normal with a log mean of
 * -0.38 and a deviation of 2.36 (seconds). Arrivals are Poisson with a daily wave.
 */
import { DEFAULT_SCALE_SPEC, decideScale, newScaleState } from '#orchestration'
import { seededRandom } from './random.ts'

const DAY_MS = 86_400_000
const TICK_MS = 1_000
const DECIDE_EVERY_TICKS = 2
/** Jobs at once of one replica, and how long a model takes to load. */
export const SLOTS = 4
export const LOAD_MS = 15_000
const LONGEST_JOB_MS = 120_000

export type Job = { readonly atMs: number; readonly durationMs: number }

/** Calls a second of the application at a quantile: log-linear between the published points, two a second at the top. */
function rateAt(quantile: number): number {
  const points: [number, number][] = [
    [0, 1 / 86_400],
    [0.45, 1 / 3_600],
    [0.81, 1 / 60],
    [1, 2],
  ]
  const next = points.findIndex(([at]) => at >= quantile)
  const [[fromAt, from], [toAt, to]] = [points[Math.max(0, next - 1)]!, points[Math.max(1, next)]!]
  return Math.exp(Math.log(from) + ((Math.log(to) - Math.log(from)) * (quantile - fromAt)) / (toAt - fromAt || 1))
}

/** A day of one application, oldest first. */
export function dayOf(quantile: number, random: () => number): Job[] {
  const mean = rateAt(quantile)
  const phase = random() * 2 * Math.PI
  const jobs: Job[] = []
  // Thinning: candidates at the highest rate, kept by the wave's height.
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - random()) / (1.6 * mean)) * 1_000
    if (atMs >= DAY_MS) return jobs
    if (random() > (1 + 0.6 * Math.sin((atMs / DAY_MS) * 2 * Math.PI + phase)) / 1.6) continue
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    jobs.push({ atMs, durationMs: Math.min(LONGEST_JOB_MS, Math.exp(-0.38 + 2.36 * normal) * 1_000) })
  }
}

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

/** Plays a day. A job waits for the first slot; replicas load for {@link LOAD_MS} and are taken away only when idle. */
export function playDay(jobs: readonly Job[], rule: Rule, present = 0): Outcome {
  let replicas: Replica[] = Array.from({ length: present }, () => newReplica(-1))
  const waiting: Job[] = []
  const waitsMs: number[] = []
  let coldStarts = 0
  let replicaMs = 0
  let next = 0
  for (let tick = 0, nowMs = 0; nowMs < DAY_MS; tick++, nowMs += TICK_MS) {
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

/** Replica time if every job started at once, each replica loaded just in time, and went when nobody needed it. */
export function forecastReplicaMs(jobs: readonly Job[]): { replicaMs: number; peak: number } {
  const changes = jobs.flatMap(({ atMs, durationMs }): [number, number][] => [
    [atMs, 1],
    [atMs + durationMs, -1],
  ])
  changes.sort(([a, up], [b, down]) => a - b || up - down)
  let [count, replicas, replicaMs, lastMs, peak] = [0, 0, 0, 0, 0]
  for (const [atMs, change] of changes) {
    replicaMs += replicas * (atMs - lastMs)
    lastMs = atMs
    count += change
    const needed = Math.ceil(count / SLOTS)
    if (needed > replicas) replicaMs += (needed - replicas) * LOAD_MS
    replicas = needed
    peak = Math.max(peak, replicas)
  }
  return { replicaMs, peak }
}

export type ScaleRow = {
  readonly rule: string
  readonly coldPercent: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly hours: number
}

/** One row a rule, over `pods` applications at even quantiles. */
export function scaleRows(pods: number, seed = 1): { readonly rows: ScaleRow[]; readonly jobs: number } {
  const random = seededRandom(seed)
  const days = Array.from({ length: pods }, (_, index) => dayOf((index + 0.5) / pods, random))
  const forecasts = days.map(forecastReplicaMs)
  const jobs = days.reduce((sum, day) => sum + day.length, 0)
  const of = (rule: string, outcomes: readonly Outcome[]): ScaleRow => {
    const waits = outcomes.flatMap(({ waitsMs }) => waitsMs).sort((a, b) => a - b)
    const at = (share: number): number => Math.round(waits[Math.floor(waits.length * share)] ?? 0)
    const cold = outcomes.reduce((sum, { coldStarts }) => sum + coldStarts, 0)
    const hours = outcomes.reduce((sum, { replicaMs }) => sum + replicaMs, 0) / 3_600_000
    return { rule, coldPercent: (100 * cold) / jobs, p50Ms: at(0.5), p99Ms: at(0.99), hours }
  }
  const forecastHours = forecasts.reduce((sum, { replicaMs }) => sum + replicaMs, 0) / 3_600_000
  const rows = [
    of(
      'heurist',
      days.map(day => playDay(day, ourRule())),
    ),
    of(
      "Knative's defaults",
      days.map(day => playDay(day, knativeRule())),
    ),
    of(
      'always on, at the peak',
      days.map((day, index) => playDay(day, fixedRule(Math.max(1, forecasts[index]!.peak)), Math.max(1, forecasts[index]!.peak))),
    ),
    { rule: 'perfect forecast', coldPercent: 0, p50Ms: 0, p99Ms: 0, hours: forecastHours },
  ]
  return { rows, jobs }
}

export function scalePage({ rows, jobs }: ReturnType<typeof scaleRows>, pods: number): string {
  const cells = rows.map(
    ({ rule, coldPercent, p50Ms, p99Ms, hours }) =>
      `| ${rule} | ${coldPercent.toFixed(2)} % | ${p50Ms} ms | ${p99Ms} ms | ${hours.toFixed(0)} |`,
  )
  return `# Autoscaler, simulated

Written by \`npm run simulate -- autoscaler --write\`; do not edit. A day of ${pods} pods, ${jobs.toLocaleString('en-US')} jobs, generated from the published statistics of the
Azure Functions trace of July 2019 (Shahrad et al., "Serverless in the Wild", USENIX ATC 2020): 45 % of the applications are called at most once an hour,
81 % at most once a minute, execution times are log-normal. A replica serves ${SLOTS} jobs at once and loads for ${LOAD_MS / 1000} s. It is a simulation of the rule
(\`orchestration/autoscaler/decide.ts\`), not a measurement of the network.

| rule | jobs that found no warm replica | wait p50 | wait p99 | replica hours |
| --- | --- | --- | --- | --- |
${cells.join('\n')}

"Knative's defaults": windows of 60 s and 6 s, 70 % of the slots as the target, 30 s of grace before zero. "Perfect forecast" loads each replica just
in time, every time, and drops it at once, so that nobody waits; Knative's rule holds fewer because its jobs wait instead. What our rule pays more than
Knative's is the five minutes for which it keeps a replica that might be needed again; \`spec.scaling.scaleDownAfterMs\` sets them.
`
}
