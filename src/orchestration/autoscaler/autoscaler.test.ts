import { describe, expect, test } from 'vitest'
import { createMetrics, silentLogger } from '#platform'
import { type HostLoad, type NodeId, type PodId, type PodLoad, type PodRecord, podManifestSchema, type ReplicaAction } from '#protocol'
import { createAutoscaler, type PodVotes } from './autoscaler.ts'
import type { Holder } from './share.ts'

const podId: PodId = `0x${'1'.repeat(64)}`
const node = (digit: number): NodeId => `0x${digit.toString(16).padStart(40, '0')}`
const manifest = (scaling: object) =>
  podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name: 'elastic' },
    spec: {
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: 'm', source: 'builtin:heurist-tiny', contextLength: 8 },
      scaling,
      price: { input: 1n, output: 1n },
    },
  })

/** Nodes with one device each, which load at once and obey. */
function scene(scaling: object, options: { nodes?: number; votes?: PodVotes | null; utilization?: number; others?: Holder[] } = {}) {
  let nowMs = 1_000_000
  let load: Partial<PodLoad> = {}
  const warm = new Map<NodeId, boolean>(Array.from({ length: options.nodes ?? 3 }, (_, index) => [node(index + 1), false]))
  const said: string[] = []
  const allowed: object[] = []
  const timers: { delayMs: number; run: () => void }[] = []
  const hosts = (): HostLoad[] =>
    [...warm].map(([nodeId, isWarm]) => ({
      nodeId,
      warm: isWarm ? 1 : 0,
      loading: 0,
      cold: isWarm ? 0 : 1,
      slots: 2,
      busy: 0,
      unitsPerSecond: 1,
      utilization: isWarm ? (options.utilization ?? null) : null,
    }))
  const autoscaler = createAutoscaler(
    { instance: 'r1' },
    {
      router: {
        loads: () => [{ podId, inFlight: 0, pending: 0, oldestPendingMs: 0, ...load, hosts: hosts() }],
        scale(nodeId: NodeId, _podId: PodId, action: ReplicaAction) {
          said.push(`${action} ${Number(nodeId)}`)
          warm.set(nodeId, action === 'load')
        },
        allowLoads: (_podId, allowance) => void allowed.push(allowance),
      },
      podOf: id => (id === podId ? ({ podId, name: 'elastic', manifest: manifest(scaling) } as PodRecord) : undefined), // cast: what is read of it
      votesOf: () => options.votes ?? null,
      othersOf: () => options.others ?? [],
      clock: {
        now: () => nowMs,
        after(delayMs, run) {
          timers.push({ delayMs, run })
          return () => undefined
        },
        afterTurn: run => run(),
      },
      logger: silentLogger,
      metrics: createMetrics(),
    },
  )
  const warmCount = (): number => [...warm.values()].filter(Boolean).length
  return {
    autoscaler,
    said,
    allowed,
    timers,
    warmCount,
    at(jobs: Partial<PodLoad>, ms: number) {
      load = jobs
      for (const untilMs = nowMs + ms; nowMs < untilMs; ) {
        nowMs += 1_000
        autoscaler.round()
      }
      return warmCount()
    },
  }
}

describe('createAutoscaler', () => {
  test('behavior: jobs may load the first replica of a pod at zero; the rest is asked for here, up to the limit', () => {
    const { at, allowed } = scene({ min: 0, target: 2, scaleDownAfterMs: 5_000 })
    at({}, 1_000)
    expect(allowed.at(-1)).toEqual({ limit: 100, plain: 1, narrowed: 100 })
    at({ pending: 1 }, 1_000)
    expect(allowed.at(-1)).toEqual({ limit: 100, plain: 0, narrowed: 99 })
  })
  test('behavior: beside another router, its part of what manifest and votes allow', () => {
    const others = [{ instance: 'r2', places: 3 }]
    const least = scene({ min: 1, target: 2 }, { others })
    expect(least.at({}, 2_000)).toBe(1)
    expect(scene({ min: 1, target: 2 }, { others: [{ instance: 'r0', places: 3 }] }).at({}, 2_000)).toBe(0)
    const most = scene({ min: 0, target: 1 }, { others, votes: { ceiling: 4, weight: 1n } })
    expect(most.at({ pending: 9 }, 5_000)).toBe(2)
    expect(most.autoscaler.scaleOf(podId)).toMatchObject({ desired: 2, ceiling: 4, places: 3, limit: 2 })
    // Routers tell each other of it twice a second: what an autoscaler remembers is not in it.
    const told = Object.keys(most.autoscaler.scaleOf(podId) ?? {}).toSorted()
    expect(told).toEqual(['ceiling', 'desired', 'limit', 'places', 'present', 'reasons'])
  })
  test('default: from zero to what is asked and back', () => {
    const { at, autoscaler } = scene({ min: 0, target: 2, scaleDownAfterMs: 5_000 })
    expect(at({}, 10_000)).toBe(0)
    expect(at({ pending: 1 }, 1_000)).toBe(1)
    expect(at({ inFlight: 4, pending: 1 }, 5_000)).toBe(3)
    expect(autoscaler.scaleOf(podId)).toMatchObject({ desired: 3, ceiling: null })
    expect(at({}, 20_000)).toBe(0)
  })

  test('behavior: without a target a replica takes as many jobs as it has slots', () => {
    const { at } = scene({ min: 1, scaleDownAfterMs: 5_000 })
    at({}, 10_000)
    expect(at({ inFlight: 2 }, 5_000)).toBe(1)
    expect(at({ inFlight: 2, pending: 2, oldestPendingMs: 0 }, 5_000)).toBe(2)
  })

  test('behavior: GPUs that its jobs keep busy ask for another, GPUs that strangers keep busy do not', () => {
    const busy = scene({ min: 1, target: 4, scaleDownAfterMs: 5_000 }, { utilization: 0.95 })
    expect(busy.at({}, 10_000)).toBe(1)
    expect(busy.at({ inFlight: 1 }, 1_000)).toBe(2)
    const calm = scene({ min: 1, target: 4, scaleDownAfterMs: 5_000 }, { utilization: 0.5 })
    expect(calm.at({ inFlight: 1 }, 10_000)).toBe(1)
  })

  test('behavior: votes are a ceiling, and the reason says so', () => {
    const { at, autoscaler } = scene({ min: 0, target: 1, scaleDownAfterMs: 5_000 }, { votes: { ceiling: 2, weight: 5n } })
    expect(at({ inFlight: 9, pending: 9, oldestPendingMs: 9_000 }, 20_000)).toBe(2)
    expect(autoscaler.scaleOf(podId)?.reasons.join()).toContain('votes allow only 2')
  })

  test('behavior: as many as the manifest keeps are loaded without a job', () => {
    const { at, said } = scene({ min: 2 })
    expect(at({}, 3_000)).toBe(2)
    expect(said).toEqual(['load 1', 'load 2'])
  })

  test('behavior: what wakes it is looked at soon and once, and not more often than twice a second', () => {
    const { autoscaler, said, timers } = scene({ min: 1 })
    for (let i = 0; i < 3; i++) autoscaler.wake()
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([50])
    timers[0]?.run()
    expect(said).toEqual(['load 1'])
    autoscaler.wake()
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([50, 500])
  })

  test('behavior: a pod that nobody knows any more is forgotten', () => {
    const { autoscaler } = scene({ min: 0 })
    expect(autoscaler.scaleOf(`0x${'2'.repeat(64)}`)).toBeNull()
  })
})
