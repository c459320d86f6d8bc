import { describe, expect, test } from 'vitest'
import { type Device, deviceSchema, ENGINE_NAMES } from '#protocol'
import { NO_DEVICE } from '../sandbox/sandbox.ts'
import { collect } from './conformance.ts'
import { createEngines, measureLlamaThreads } from './index.ts'
import { readLlamaGpu } from './llama/gpu.ts'
import { llamaObjection } from './llama/objection.ts'
import { deps, specOf, TINY_MODEL } from './testing/spec.ts'

describe('createEngines', () => {
  const engines = createEngines(
    { llamaThreads: 1 },
    {
      ...deps,
      sandboxes: { bwrap: { sandbox: null, problem: 'none' }, container: { sandbox: null, problem: 'none' } },
      secrets: () => ({}),
      log: () => {},
      grant: async () => NO_DEVICE,
    },
  )

  test('default: one engine for every name of the manifest', () => {
    for (const name of ENGINE_NAMES) expect(engines[name].name).toBe(name)
  })

  test('behavior: an engine loads through the lazy import', async () => {
    const model = await engines.llama.load(specOf({ engine: 'llama', modelId: 'tiny', modelPath: TINY_MODEL, slots: 1 }))
    const { texts } = await collect(model, { kind: 'completion', body: { prompt: 'Once', max_tokens: 2, temperature: 0 } })
    expect(texts[0]).not.toBe('')
    await model.unload()
  })

  test('error: a failed load leaves the engine usable', async () => {
    await expect(engines.upstream.load(specOf({ engine: 'upstream', modelId: 'x' }))).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED' })
    await expect(engines['use-lite'].load(specOf({ engine: 'use-lite', modelId: 'x', modelPath: '/nowhere' }))).rejects.toMatchObject({
      code: 'ENGINE_LOAD_FAILED',
    })
    const model = await engines['use-lite'].load(specOf({ engine: 'use-lite', modelId: 'x' }))
    await model.unload()
  })

  test('behavior: what computes on the CPU alone is placed on nothing else', () => {
    const gpu = deviceSchema.parse({ id: 'GPU-a', kind: 'gpu', name: 'x', memoryBytes: 2 ** 34, benchmark: null })
    const cpu = specOf({ engine: 'use-lite', modelId: 'x' }).device
    const { manifest } = specOf({ engine: 'use-lite', modelId: 'x' })
    const asks = (gpuCount: number) => ({ ...manifest, spec: { ...manifest.spec, resources: { ...manifest.spec.resources, gpuCount } } })
    expect(engines['use-lite'].objectionTo?.(manifest, gpu)).toMatch(/computes on the CPU/)
    expect(engines.command.objectionTo?.(asks(0), gpu)).toMatch(/asks for no GPU/)
    expect(engines.command.objectionTo?.(asks(1), gpu)).toBeNull()
    expect(engines.llama.objectionTo?.(manifest, gpu)).toMatch(/computes on the CPU only/)
    for (const name of ENGINE_NAMES) expect(engines[name].objectionTo?.(manifest, cpu) ?? null, name).toBeNull()
  })

  const group: Device = deviceSchema.parse({
    id: 'g',
    kind: 'group',
    members: ['GPU-a', 'GPU-b'],
    name: 'x',
    memoryBytes: 1,
    benchmark: null,
  })
  test.each([
    ['it sees all GPUs of the device and no more', { backend: 'cuda', names: ['a', 'b'] }, null],
    ['it sees another GPU too, and CUDA keeps a process to the device', { backend: 'cuda', names: ['a', 'b', 'c'] }, null],
    [
      'nothing else keeps it to the device',
      { backend: 'vulkan', names: ['a', 'b', 'c'] },
      /\(vulkan\) sees 3 GPUs, can not be kept to those of g/,
    ],
    ['it has no build for GPUs', { backend: null, names: [] }, /on the CPU only.*linux-x64-cuda/],
  ])('behavior: the llama runtime takes a device when %s', (_label, gpu, objection) => {
    const said = llamaObjection(group, gpu)
    if (objection === null) expect(said).toBeNull()
    else expect(said).toMatch(objection)
  })

  test('behavior: the llama runtime of this machine says what it computes on', async () => {
    const { backend, names } = await readLlamaGpu()
    expect(backend === null).toBe(names.length === 0)
  })

  test('behavior: threads are measured, and a further one must earn its place', async () => {
    const threads = await measureLlamaThreads(specOf({ engine: 'llama', modelId: 'tiny', modelPath: TINY_MODEL }), [2, 1], deps)
    expect([1, 2]).toContain(threads)
  })
})
