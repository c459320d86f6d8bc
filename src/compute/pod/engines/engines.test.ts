import { describe, expect, test } from 'vitest'
import { ENGINE_NAMES } from '#protocol'
import { collect } from './conformance.ts'
import { createEngines, measureLlamaThreads } from './index.ts'
import { deps, specOf, TINY_MODEL } from './testing/spec.ts'

describe('createEngines', () => {
  const engines = createEngines(
    { llamaThreads: 1 },
    { ...deps, sandbox: { sandbox: null, problem: 'none' }, secrets: () => ({}), log: () => {} },
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

  test('behavior: threads are measured, and a further one must earn its place', async () => {
    const threads = await measureLlamaThreads(specOf({ engine: 'llama', modelId: 'tiny', modelPath: TINY_MODEL }), [2, 1], deps)
    expect([1, 2]).toContain(threads)
  })
})
