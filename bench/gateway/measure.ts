import { closedLoop, type LoadResult, openLoop, openStreams, percentile, type Target } from './load.ts'
import { cpuSeconds, mainThreadCpuSeconds, residentMb } from './processes.ts'
import type { Bench } from './targets.ts'

const median = (values: readonly number[]): number => percentile(values, 0.5)

export type GatewayRow = {
  readonly name: string
  readonly unaryPerSecond: number
  readonly unaryCpuUs: number
  readonly streamCpuUs: number
  /** Of the main thread alone. */
  readonly unaryThreadUs: number
  readonly streamThreadUs: number
  readonly tokensPerSecond: number
  readonly unaryErrors: number
  readonly streamErrors: number
}
export type LatencyRow = { readonly name: string; readonly p50Ms: number; readonly p99Ms: number; readonly errors: number }
export type StreamsRow = {
  readonly name: string
  readonly firstP50Ms: number
  readonly firstP99Ms: number
  readonly lost: number
  readonly errors: number
  /** Before the first stream, and the most while they were open. */
  readonly beforeMb: number
  readonly residentMb: number
}

type Measured = { readonly load: LoadResult; readonly cpuUs: number; readonly threadUs: number }

/** CPU of the target's own processes while `work` runs. */
async function withCpu(target: Target, work: () => Promise<LoadResult>): Promise<Measured> {
  const total = (of: (pid: number) => number): number => target.pids().reduce((sum, pid) => sum + of(pid), 0)
  const [cpu, thread] = [total(cpuSeconds), total(mainThreadCpuSeconds)]
  const load = await work()
  return { load, cpuUs: (total(cpuSeconds) - cpu) * 1e6, threadUs: (total(mainThreadCpuSeconds) - thread) * 1e6 }
}

export const UNARY = { stream: false, maxTokens: 16, callers: 64, durationMs: 4000 }
/** The longest path still compiled for a tenth of its CPU after the four seconds that are enough for a proxy. */
const WARM_UP_MS = 15_000
const STREAM = { stream: true, maxTokens: 256, callers: 32, durationMs: 4000 }

/** Rounds interleaved over the targets, so that a noisy moment hits all; medians of the rounds. */
export async function measureThroughput(targets: readonly Target[], rounds: number, tell: (text: string) => void): Promise<GatewayRow[]> {
  const unary = new Map<string, Measured[]>(targets.map(({ name }) => [name, []]))
  const streams = new Map<string, Measured[]>(targets.map(({ name }) => [name, []]))
  // A first round warms every path and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const target of targets) {
      tell(`round ${round} of ${rounds}: ${target.name}`)
      const one = await withCpu(target, () => closedLoop(target, round === 0 ? { ...UNARY, durationMs: WARM_UP_MS } : UNARY))
      const many = await withCpu(target, () => closedLoop(target, STREAM))
      if (round === 0) continue
      unary.get(target.name)?.push(one)
      streams.get(target.name)?.push(many)
    }
  }
  return targets.map(({ name }) => rowOf(name, unary.get(name) ?? [], streams.get(name) ?? []))
}

function rowOf(name: string, unary: readonly Measured[], streams: readonly Measured[]): GatewayRow {
  return {
    name,
    unaryPerSecond: median(unary.map(({ load }) => load.requests / load.seconds)),
    unaryCpuUs: median(unary.map(({ load, cpuUs }) => cpuUs / load.requests)),
    streamCpuUs: median(streams.map(({ load, cpuUs }) => cpuUs / load.tokens)),
    unaryThreadUs: median(unary.map(({ load, threadUs }) => threadUs / load.requests)),
    streamThreadUs: median(streams.map(({ load, threadUs }) => threadUs / load.tokens)),
    tokensPerSecond: median(streams.map(({ load }) => load.tokens / load.seconds)),
    unaryErrors: unary.reduce((sum, { load }) => sum + load.errors, 0),
    streamErrors: streams.reduce((sum, { load }) => sum + load.errors, 0),
  }
}

/** Latency at 200 requests a second, open loop. */
export async function measureLatency(targets: readonly Target[], tell: (text: string) => void): Promise<LatencyRow[]> {
  const rows: LatencyRow[] = []
  for (const target of targets) {
    tell(`latency at 200 requests a second: ${target.name}`)
    const load = await openLoop(target, { stream: false, maxTokens: 16, perSecond: 200, durationMs: 6000 })
    rows.push({ name: target.name, p50Ms: percentile(load.totalMs, 0.5), p99Ms: percentile(load.totalMs, 0.99), errors: load.errors })
  }
  return rows
}

const STREAM_TOKENS = 8

function memoryOfAll(target: Target): number {
  return target.pids().reduce((sum, pid) => sum + residentMb(pid), 0)
}

/** Many streams at once, one token a second each. A lost token is one that was asked for and did not arrive. */
export async function measureStreams(targets: readonly Target[], streams: number, tell: (text: string) => void): Promise<StreamsRow[]> {
  const rows: StreamsRow[] = []
  for (const target of targets) {
    tell(`${streams} open streams: ${target.name}`)
    const beforeMb = memoryOfAll(target)
    let residentMb = beforeMb
    const watch = setInterval(() => {
      residentMb = Math.max(residentMb, memoryOfAll(target))
    }, 250)
    const load = await openStreams(target, { streams, maxTokens: STREAM_TOKENS, rampMs: 3 * streams, tag: 'paced' })
    clearInterval(watch)
    rows.push({
      name: target.name,
      firstP50Ms: percentile(load.firstByteMs, 0.5),
      firstP99Ms: percentile(load.firstByteMs, 0.99),
      lost: streams * STREAM_TOKENS - load.tokens,
      errors: load.errors,
      beforeMb,
      residentMb,
    })
  }
  return rows
}

export function memoryOf(bench: Bench): { name: string; mb: number }[] {
  return [
    { name: 'main (gateway, router, sequencer)', mb: residentMb(bench.mainPid()) },
    { name: 'PostgreSQL (postmaster)', mb: residentMb(bench.databasePid()) },
  ]
}
