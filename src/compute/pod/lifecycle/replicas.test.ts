import { afterEach, describe, expect, test } from 'vitest'
import { createManualClock, silentLogger } from '#platform'
import { type Device, HeuristError, type PodRecord } from '#protocol'
import { until } from '../../node/testing/fake-router.ts'
import { makePod, TEST_DEVICE } from '../../node/testing/fixtures.ts'
import { createTestEngine, type TestEngineOptions } from '../../node/testing/test-engine.ts'
import type { ResolvedModel } from './entry.ts'
import { type ReplicaDependencies, Replicas } from './replicas.ts'

const never = new AbortController().signal
const cold = { scaling: { min: 0 } }
let running: Replicas[] = []
afterEach(async () => {
  await Promise.all(running.map(replicas => replicas.stop()))
  running = []
})

function setUp(
  options: {
    engine?: TestEngineOptions
    devices?: Device[]
    dependencies?: Partial<ReplicaDependencies>
    bytes?: Record<string, number>
  } = {},
) {
  const clock = createManualClock()
  const engine = createTestEngine(options.engine)
  const held = new Set<string>()
  const speeds = new Map<string, number>()
  const replicas = new Replicas(
    { slots: () => 4, maxWaitingPerReplica: 2 },
    {
      devices: () => options.devices ?? [TEST_DEVICE],
      engines: { llama: engine.engine },
      clock,
      random: () => 0.5,
      logger: silentLogger,
      objection: () => null,
      resolveModel: async (manifest): Promise<ResolvedModel> => {
        held.add(manifest.metadata.name)
        return { path: null, bytes: options.bytes?.[manifest.metadata.name] ?? 0, release: () => held.delete(manifest.metadata.name) }
      },
      knownSpeed: pod => speeds.get(pod.name) ?? null,
      saveSpeed: (pod, _device, speed) => speeds.set(pod.name, speed),
      changed: () => {},
      ...options.dependencies,
    },
  )
  running.push(replicas)
  const states = () => Object.fromEntries(replicas.facts().map(fact => [`${nameOf(fact.podId)}@${fact.deviceId}`, fact.state]))
  const nameOf = (podId: string) => [...replicas.pods(), ...known].find(pod => pod.podId === podId)?.name
  const known: PodRecord[] = []
  return { clock, engine, held, speeds, replicas, states, known }
}

const ready = (replicas: Replicas, pod: PodRecord) => replicas.ready(pod, { signal: never, onLoading: () => {} })
/** As the router does it: the pods exist, and its autoscaler wishes one replica of each. */
function setAndLoad(replicas: Replicas, pods: readonly PodRecord[]): void {
  replicas.setPods(pods)
  for (const { podId } of pods) replicas.scale(podId, 'load')
}

describe('Replicas', () => {
  test('default: a pod is loaded when the autoscaler wishes it, another at its first lease, and none by itself', async () => {
    const { replicas, states, engine } = setUp()
    const [wished, lazy] = [makePod('wished'), makePod('lazy')]
    replicas.setPods([wished, lazy])
    replicas.scale(wished.podId, 'load')
    await until(() => states()['wished@cpu'] === 'warm')
    expect(states()).toEqual({ 'wished@cpu': 'warm', 'lazy@cpu': 'cold' })
    let loadings = 0
    const replica = await replicas.ready(lazy, { signal: never, onLoading: () => loadings++ })
    expect([loadings, engine.state.loads, states()['lazy@cpu']]).toEqual([1, 2, 'warm'])
    expect((await replica.claim(never)) !== null).toBe(true)
  })

  test('behavior: ten leases at once load a cold pod once', async () => {
    const { replicas, engine } = setUp()
    const pod = makePod('lazy', cold)
    replicas.setPods([pod])
    await Promise.all(Array.from({ length: 10 }, () => ready(replicas, pod)))
    expect(engine.state.loads).toBe(1)
  })

  test('behavior: an aborted lease ends its wait and not the load', async () => {
    let open = () => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    const { replicas, states } = setUp({ engine: { load: () => gate } })
    const pod = makePod('lazy', cold)
    replicas.setPods([pod])
    const stop = new AbortController()
    const lease = replicas.ready(pod, { signal: stop.signal, onLoading: () => {} })
    stop.abort(new Error('cancelled'))
    await expect(lease).rejects.toThrow('cancelled')
    open()
    await until(() => states()['lazy@cpu'] === 'warm')
  })

  test('behavior: where a load stands is shown as the reason, and gone when it is warm', async () => {
    let open = () => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    const { replicas, states } = setUp({
      dependencies: {
        resolveModel: async (_manifest, { onProgress }) => {
          onProgress({ source: 'm', receivedBytes: 12_300_000, totalBytes: 36_000_000, bytesPerSecond: 5_100_000 })
          await gate
          return { path: null, bytes: 0, release: () => {} }
        },
      },
    })
    setAndLoad(replicas, [makePod('tiny')])
    await until(() => replicas.facts()[0]?.reason)
    expect(replicas.facts()[0]).toMatchObject({ state: 'loading', reason: 'pulling 34 % (12.3 of 36.0 MB, 5.1 MB/s)' })
    open()
    await until(() => states()['tiny@cpu'] === 'warm')
    expect(replicas.facts()[0]?.reason).toBeUndefined()
  })

  test('behavior: a failed load shows its reason, and may be tried again after a growing pause', async () => {
    let failures = 2
    const load = async () => {
      if (failures-- > 0) throw new Error('out of memory')
    }
    const { replicas, states, clock, held } = setUp({ engine: { load } })
    const pod = makePod('tiny')
    setAndLoad(replicas, [pod])
    await until(() => states()['tiny@cpu'] === 'failed')
    replicas.scale(pod.podId, 'load')
    expect(replicas.facts()[0]?.reason).toBe('out of memory')
    expect(held.size).toBe(0)
    await expect(ready(replicas, pod)).rejects.toMatchObject({
      code: 'NODE_LOAD_FAILED',
      retryable: true,
      message: expect.stringContaining('out of memory'),
    })
    clock.advance(1000)
    expect(states()['tiny@cpu']).toBe('cold')
    replicas.scale(pod.podId, 'load')
    await until(() => failures === 0 && states()['tiny@cpu'] === 'failed')
    clock.advance(1000)
    expect(states()['tiny@cpu']).toBe('failed')
    clock.advance(1000)
    expect(states()['tiny@cpu']).toBe('cold')
    replicas.scale(pod.podId, 'load')
    await until(() => states()['tiny@cpu'] === 'warm')
    expect(replicas.facts()[0]?.reason).toBeUndefined()
  })

  test('behavior: a lazy pod that failed can be leased again after the pause', async () => {
    let failures = 1
    const { replicas, states, clock } = setUp({
      engine: {
        load: async () => {
          if (failures-- > 0) throw new Error('no file')
        },
      },
    })
    const pod = makePod('lazy', cold)
    replicas.setPods([pod])
    await expect(ready(replicas, pod)).rejects.toThrow('no file')
    clock.advance(1000)
    expect(states()['lazy@cpu']).toBe('cold')
    await ready(replicas, pod)
  })

  test('behavior: a removed pod drains: the running job ends, then it is unloaded and its files are let go', async () => {
    const { replicas, states, engine, held, known } = setUp()
    const pod = makePod('tiny')
    known.push(pod)
    replicas.setPods([pod])
    const release = await (await ready(replicas, pod)).claim(never)
    replicas.setPods([])
    expect(states()).toEqual({ 'tiny@cpu': 'draining' })
    expect([engine.state.unloads, held.size]).toEqual([0, 1])
    release?.()
    await until(() => Object.keys(states()).length === 0)
    expect([engine.state.unloads, held.size]).toEqual([1, 0])
  })

  test('behavior: a new version replaces the old one', async () => {
    const { replicas, engine } = setUp()
    setAndLoad(replicas, [makePod('tiny')])
    await until(() => replicas.facts()[0]?.state === 'warm')
    const next = makePod('tiny', { timeouts: { loadMs: 5 } })
    setAndLoad(replicas, [next])
    await until(() => engine.state.unloads === 1 && replicas.facts()[0]?.state === 'warm')
    expect(replicas.facts()).toMatchObject([{ manifestHash: next.manifestHash, state: 'warm' }])
  })

  test('behavior: the same pods announced again change nothing', async () => {
    const { replicas, engine } = setUp()
    setAndLoad(replicas, [makePod('tiny')])
    await until(() => replicas.facts()[0]?.state === 'warm')
    replicas.setPods([makePod('tiny')])
    expect([replicas.facts()[0]?.state, engine.state.loads, engine.state.unloads]).toEqual(['warm', 1, 0])
  })

  test('behavior: memory is made by the idle pod that was used longest ago, never by a busy one or one that is to stay', async () => {
    const bytes = { kept: 2e9, old: 2e9, fresh: 2e9, next: 4e9 }
    const { replicas, states, clock } = setUp({ bytes, devices: [{ ...TEST_DEVICE, memoryBytes: 10e9 }] })
    const [kept, old, fresh, next] = [makePod('kept'), makePod('old', cold), makePod('fresh', cold), makePod('next', cold)]
    replicas.setPods([kept, old, fresh, next])
    await ready(replicas, kept)
    for (const pod of [old, fresh]) {
      clock.advance(1000)
      const release = await (await ready(replicas, pod)).claim(never)
      if (pod === fresh) release?.()
      else void release
    }
    // `old` still runs, so `fresh` has to go although it was used later.
    await ready(replicas, next)
    expect(states()).toEqual({ 'kept@cpu': 'warm', 'old@cpu': 'warm', 'fresh@cpu': 'cold', 'next@cpu': 'warm' })
  })

  test('behavior: what has no room beside the busy is refused, says why, and may come when something was unloaded', async () => {
    const { replicas, states, engine, known } = setUp({ bytes: { busy: 6e9, next: 6e9 }, devices: [{ ...TEST_DEVICE, memoryBytes: 10e9 }] })
    const [busy, next] = [makePod('busy', cold), makePod('next', cold)]
    known.push(busy)
    replicas.setPods([busy, next])
    const release = await (await ready(replicas, busy)).claim(never)
    const reason = 'no room on cpu: the pod takes 6.2 GiB, and 3.1 GiB are free (held by busy)'
    await expect(ready(replicas, next)).rejects.toMatchObject({ code: 'NODE_LOAD_FAILED', message: expect.stringContaining(reason) })
    expect(replicas.facts()[1]).toMatchObject({ podId: next.podId, state: 'failed', reason })
    expect(engine.state.loads).toBe(1)
    replicas.setPods([next])
    release?.()
    await until(() => states()['next@cpu'] === 'cold')
    await ready(replicas, next)
    expect([states(), engine.state]).toMatchObject([{ 'next@cpu': 'warm' }, { loads: 2, unloads: 1 }])
  })

  test('behavior: a draining pod holds its memory until its last job is over', async () => {
    const { replicas } = setUp({ devices: [{ ...TEST_DEVICE, memoryBytes: 10e9 }] })
    const [old, next] = [6e9, 5e9].map((memoryBytes, index) => makePod(`pod${index}`, { ...cold, resources: { memoryBytes } }))
    replicas.setPods([old!, next!])
    await (await ready(replicas, old!)).claim(never)
    replicas.setPods([next!])
    await expect(ready(replicas, next!)).rejects.toThrow(/no room on cpu.*held by pod0/)
  })

  test("behavior: what a pod on a GPU needs of the machine's memory is the CPU's no more, until it is unloaded", async () => {
    const gpu = { ...TEST_DEVICE, id: 'gpu', kind: 'gpu' as const, memoryBytes: 24e9 }
    const { replicas, states } = setUp({ devices: [gpu, { ...TEST_DEVICE, memoryBytes: 16e9 }] })
    const both = makePod('both', { ...cold, resources: { gpuCount: 1, vramBytes: 8e9, memoryBytes: 12e9 } })
    // Where it names no VRAM its memory is that of its device.
    const beside = makePod('beside', { ...cold, resources: { gpuCount: 1, memoryBytes: 6e9 } })
    const plain = makePod('plain', { scaling: { min: 1 }, resources: { memoryBytes: 6e9 } })
    replicas.setPods([both, beside, plain])
    const release = await (await ready(replicas, both)).claim(never)
    await ready(replicas, beside)
    replicas.scale(plain.podId, 'load')
    await until(() => states()['plain@gpu'] === 'warm')
    replicas.scale(plain.podId, 'load')
    await until(() => states()['plain@cpu'] === 'failed')
    expect(replicas.facts().find(({ state }) => state === 'failed')?.reason).toBe(
      'no room on cpu: the pod takes 5.6 GiB, and 3.7 GiB are free (held by both)',
    )
    release?.()
    replicas.scale(both.podId, 'evict')
    await until(() => states()['plain@cpu'] === 'cold')
    replicas.scale(plain.podId, 'load')
    await until(() => states()['plain@cpu'] === 'warm')
  })

  test('behavior: the size of a pulled file is known the next time, and then the pod goes where it fits', async () => {
    const devices = [4e9, 16e9].map((memoryBytes, index) => ({ ...TEST_DEVICE, id: `gpu${index}`, kind: 'gpu' as const, memoryBytes }))
    const { replicas, states, clock, engine } = setUp({ bytes: { big: 9e9 }, devices })
    const pod = makePod('big', cold)
    replicas.setPods([pod])
    await expect(ready(replicas, pod)).rejects.toThrow(/no room on gpu0: it has 3.7 GiB, and the pod takes 9.3 GiB/)
    expect(engine.state.loads).toBe(0)
    clock.advance(2000)
    expect((await ready(replicas, pod)).deviceId).toBe('gpu1')
    expect(states()).toEqual({ 'big@gpu0': 'cold', 'big@gpu1': 'warm' })
  })

  test('behavior: a device never has more jobs at once than slots, whoever they are of', async () => {
    const { replicas, engine } = setUp({ devices: [{ ...TEST_DEVICE, slots: 6 }], engine: { slots: 4 } })
    const pods = ['a', 'b', 'c'].map(name => makePod(name, cold))
    replicas.setPods(pods)
    for (const pod of pods.slice(0, 2)) await (await ready(replicas, pod)).claim(never)
    expect(replicas.facts().map(({ slots }) => slots)).toEqual([4, 2, 4])
    await expect(ready(replicas, pods[2]!)).rejects.toThrow('no room on cpu: all its 6 slots are taken (held by a, b)')
    expect(engine.state.loads).toBe(2)
  })

  test('behavior: what is asked for in one turn is placed together, the largest first', async () => {
    const devices = [16e9, 8e9].map((memoryBytes, index) => ({ ...TEST_DEVICE, id: `gpu${index}`, kind: 'gpu' as const, memoryBytes }))
    const { replicas, states } = setUp({ devices })
    const small = makePod('small', { resources: { gpuCount: 1, vramBytes: 8e9 } })
    const large = makePod('large', { resources: { gpuCount: 1, vramBytes: 10e9 } })
    setAndLoad(replicas, [small, large])
    await until(() => states()['small@gpu1'] === 'warm' && states()['large@gpu0'] === 'warm')
  })

  test('behavior: with two devices the second is loaded when the first is full', async () => {
    const devices = [TEST_DEVICE, { ...TEST_DEVICE, id: 'gpu', kind: 'gpu' as const }]
    const { replicas, states } = setUp({ devices, engine: { slots: 1 } })
    const pod = makePod('tiny')
    replicas.setPods([pod])
    const first = await ready(replicas, pod)
    await first.claim(never)
    const second = await ready(replicas, pod)
    expect([first.deviceId, second.deviceId]).toEqual(['cpu', 'gpu'])
    expect(states()).toEqual({ 'tiny@cpu': 'warm', 'tiny@gpu': 'warm' })
  })

  test('behavior: a pod is not placed on a device that its engine can not use', async () => {
    const gpu = { ...TEST_DEVICE, id: 'gpu', kind: 'gpu' as const }
    const objectionTo = (_: unknown, { kind, id }: Device) => (kind === 'cpu' ? null : `no build for ${id}`)
    const { replicas, states } = setUp({
      devices: [gpu, TEST_DEVICE],
      dependencies: { engines: { llama: { ...createTestEngine().engine, objectionTo } } },
    })
    const pod = makePod('plain')
    setAndLoad(replicas, [pod, makePod('big', { resources: { gpuCount: 1 } })])
    await until(() => states()['plain@cpu'] === 'warm')
    expect(states()).toEqual({ 'plain@cpu': 'warm' })
    expect(replicas.objection(makePod('big', { resources: { gpuCount: 1 } }))?.message).toContain('no build for gpu')
  })

  test('behavior: speed is measured once, kept, and is that of the share', async () => {
    const devices = [{ ...TEST_DEVICE, shareBps: 2500 }]
    const { replicas, speeds } = setUp({ devices, engine: { unitsPerSecond: 400 } })
    setAndLoad(replicas, [makePod('tiny')])
    await until(() => replicas.facts()[0]?.state === 'warm')
    expect(replicas.facts()[0]?.unitsPerSecond).toBe(100)
    expect(speeds.get('tiny')).toBe(100)
  })

  test('behavior: an idle replica is measured again; slower counts by steps, and who is busy is left alone', async () => {
    const speeds = [400, 100, 800]
    const engine = createTestEngine().engine
    const load: typeof engine.load = async spec => ({ ...(await engine.load(spec)), measure: async () => speeds.shift() ?? 0 })
    const { replicas, speeds: saved } = setUp({ dependencies: { engines: { llama: { ...engine, load } } } })
    const pod = makePod('tiny')
    replicas.setPods([pod])
    const replica = await ready(replicas, pod)
    await replicas.measureAgain()
    expect([replicas.facts()[0]?.unitsPerSecond, saved.get('tiny')]).toEqual([360, 360])
    const release = await replica.claim(never)
    await replicas.measureAgain()
    expect(replicas.facts()[0]?.unitsPerSecond).toBe(360)
    release?.()
    await replicas.measureAgain()
    expect(replicas.facts()[0]?.unitsPerSecond).toBe(800)
  })

  test('behavior: a model that is gone by itself is unloaded, says why, and may be loaded again', async () => {
    const { promise: died, resolve: die } = Promise.withResolvers<string>()
    const { engine, state } = createTestEngine()
    const load: typeof engine.load = async spec => ({ ...(await engine.load(spec)), ...(state.loads === 1 && { died }) })
    const { replicas, clock, held } = setUp({ dependencies: { engines: { llama: { ...engine, load } } } })
    const pod = makePod('tiny')
    replicas.setPods([pod])
    await ready(replicas, pod)
    die('its process ended (SIGSEGV)')
    await until(() => replicas.facts()[0]?.state === 'failed')
    expect(replicas.facts()[0]?.reason).toBe('its process ended (SIGSEGV)')
    await until(() => state.unloads === 1 && held.size === 0)
    clock.advance(1000)
    await ready(replicas, pod)
    expect([replicas.facts()[0]?.state, state.loads]).toEqual(['warm', 2])
  })

  test('behavior: an idle model that fails its health probe three times in a row is unloaded, says why, and is loaded again', async () => {
    let illness: string | null = null
    let asked = 0
    const { engine, state } = createTestEngine()
    const health = async (): Promise<void> => {
      asked += 1
      if (illness !== null) throw new Error(illness)
    }
    const load: typeof engine.load = async spec => ({ ...(await engine.load(spec)), health })
    const { replicas, clock } = setUp({ dependencies: { engines: { llama: { ...engine, load } } } })
    const pod = makePod('tiny')
    replicas.setPods([pod])
    const replica = await ready(replicas, pod)
    /** Each probe waits for all answers before the next. */
    const probe = async (): Promise<void> => {
      clock.advance(10_000)
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    const states: unknown[] = []
    for (const said of [null, 'status 503', 'status 503', null, 'status 503', 'status 503']) {
      illness = said
      await probe()
      states.push(replicas.facts()[0]?.state)
    }
    expect([states, asked]).toEqual([Array(6).fill('warm'), 6])
    const release = await replica.claim(never)
    await probe()
    expect([asked, replicas.facts()[0]?.state], 'who works is not asked').toEqual([6, 'warm'])
    release?.()
    await probe()
    expect(replicas.facts()[0]).toMatchObject({
      state: 'failed',
      reason: 'its health probe failed 3 times in a row: status 503',
    })
    await until(() => state.unloads === 1)
    illness = null
    clock.advance(1000)
    await ready(replicas, pod)
    await probe()
    expect([replicas.facts()[0]?.state, state.loads]).toEqual(['warm', 2])
  })

  test('error: a health probe that says nothing counts as failed after its time', async () => {
    const { engine } = createTestEngine()
    const health = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const load: typeof engine.load = async spec => ({ ...(await engine.load(spec)), health })
    const { replicas, clock } = setUp({ dependencies: { engines: { llama: { ...engine, load } } } })
    const pod = makePod('tiny')
    replicas.setPods([pod])
    await ready(replicas, pod)
    for (let turn = 0; turn < 30; turn++) {
      clock.advance(5000)
      await new Promise(resolve => setImmediate(resolve))
      if (replicas.facts()[0]?.state === 'failed') break
    }
    expect(replicas.facts()[0]?.reason).toBe('its health probe failed 3 times in a row: no answer within 5 s')
  })

  test('behavior: a model that loads and is soon gone, again and again, pauses longer each time; one that had stayed does not', async () => {
    let die: (reason: string) => void = () => {}
    const { engine, state } = createTestEngine()
    const load: typeof engine.load = async spec => {
      const model = await engine.load(spec)
      return { ...model, died: new Promise<string>(resolve => (die = resolve)) }
    }
    const { replicas, clock } = setUp({ dependencies: { engines: { llama: { ...engine, load } } } })
    const pod = makePod('tiny')
    replicas.setPods([pod])
    /** Half of the pause's ceiling is drawn: how long until it may be loaded again. */
    const pauseMs = async (): Promise<number> => {
      await ready(replicas, pod)
      die('its process ended (SIGSEGV)')
      await until(() => replicas.facts()[0]?.state === 'failed')
      for (let ms = 0; ; ms += 1000) {
        if (replicas.facts()[0]?.state === 'cold') return ms
        clock.advance(1000)
      }
    }
    expect([await pauseMs(), await pauseMs(), await pauseMs(), await pauseMs()]).toEqual([1000, 2000, 4000, 8000])
    await ready(replicas, pod)
    clock.advance(600_000)
    expect([await pauseMs(), await pauseMs()]).toEqual([1000, 2000])
    expect(state.loads).toBe(6)
  })

  const refused: [string, PodRecord, Partial<ReplicaDependencies>, string][] = [
    ['a pod that needs a GPU', makePod('big', { resources: { gpuCount: 1 } }), {}, 'NODE_UNMET_REQUIREMENTS'],
    ['a pod of an engine that is not here', makePod('up', { engine: { name: 'upstream', url: 'http://x/v1' } }), {}, 'NODE_ENGINE_MISSING'],
    ['a pod that the owner does not want', makePod('bad'), { objection: () => 'not allowed here' }, 'NODE_POD_FORBIDDEN'],
  ]
  for (const [label, pod, dependencies, code] of refused) {
    test(`error: ${label} is neither hosted nor loaded`, async () => {
      const { replicas, engine } = setUp({ dependencies })
      replicas.setPods([pod])
      expect(replicas.facts()).toEqual([])
      const error = await ready(replicas, pod).catch(problem => problem)
      expect(error).toBeInstanceOf(HeuristError)
      expect(error).toMatchObject({ code, retryable: true })
      expect(engine.state.loads).toBe(0)
    })
  }
})
