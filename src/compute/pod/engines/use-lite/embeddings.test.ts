import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect } from '../conformance.ts'
import type { LoadedModel } from '../engine.ts'
import { deps, specOf } from '../testing/spec.ts'
import { liveTensors } from './encoder.ts'
import { createUseLiteEngine } from './use-lite.ts'

const engine = createUseLiteEngine(deps)
const fixtures = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../../models/use-lite/embedding-fixtures.json'), 'utf8')) as {
  texts: string[]
  vectors: number[][]
} // cast: our own fixture file
let model: LoadedModel
beforeAll(async () => {
  model = await engine.load(specOf({ engine: 'use-lite', modelId: 'use-lite', contextLength: 256 }))
})
afterAll(() => model?.unload())

const run = (body: Record<string, unknown>) => collect(model, { kind: 'embedding', body })

describe('use-lite embeddings', () => {
  test('default: the vectors of the published library, of length 1', async () => {
    const { deltas, inputUnits } = await run({ input: fixtures.texts })
    expect(deltas.map(delta => delta.choice)).toEqual(fixtures.texts.map((_, i) => i))
    for (const [i, { embedding }] of deltas.entries()) {
      const worst = Math.max(...fixtures.vectors[i]!.map((value, k) => Math.abs(value - embedding![k]!)))
      expect(worst, fixtures.texts[i]).toBeLessThan(2e-6)
      expect(Math.hypot(...embedding!)).toBeCloseTo(1, 5)
    }
    let alone = 0
    for (const input of fixtures.texts) alone += (await run({ input })).inputUnits
    expect(inputUnits).toBe(alone)
  })

  test('behavior: a token list is its text', async () => {
    // "Hello, world!" in the model's own tokenizer.
    const [text, tokens, nested] = await Promise.all([
      run({ input: 'Hello, world!' }),
      run({ input: [341, 4125, 8, 311, 78] }),
      run({ input: [[341, 4125, 8, 311, 78]] }),
    ])
    expect(tokens.deltas).toEqual(text.deltas)
    expect(nested.deltas).toEqual(text.deltas)
    expect(tokens.inputUnits).toBe(5)
  })

  test('behavior: the thread stays responsive during a large request', async () => {
    let ticks = 0
    let running = true
    const tick = (): void => {
      ticks++
      if (running) setImmediate(tick)
    }
    setImmediate(tick)
    const { deltas } = await run({ input: Array.from({ length: 64 }, (_, i) => `Sentence ${i} of many.`) })
    running = false
    expect(deltas).toHaveLength(64)
    expect(ticks).toBeGreaterThanOrEqual(8)
  })

  test('behavior: unloading frees the memory', async () => {
    const before = liveTensors()
    const own = await engine.load(specOf({ engine: 'use-lite', modelId: 'use-lite' }))
    await collect(own, { kind: 'embedding', body: { input: ['a', 'b'] } })
    expect(liveTensors()).toBeGreaterThan(before)
    await own.unload()
    expect(liveTensors()).toBe(before)
  })

  test("behavior: the model's own number of dimensions may be named", async () => {
    expect((await run({ input: 'x', dimensions: 512 })).deltas[0]?.embedding).toHaveLength(512)
    expect(await model.measure()).toBeGreaterThan(1)
  })

  test.each<[name: string, param: string, body: Record<string, unknown>]>([
    ['an empty text', 'input', { input: '' }],
    ['a number', 'input', { input: 5 }],
    ['an empty text in a list', 'input[1]', { input: ['a', ''] }],
    ['a token beyond the vocabulary', 'input', { input: [99_999] }],
    ['too many texts', 'input', { input: Array.from({ length: 3000 }, () => 'x') }],
    ['other dimensions', 'dimensions', { input: 'a', dimensions: 64 }],
    ['dimensions as text', 'dimensions', { input: 'a', dimensions: 'many' }],
  ])('error: %s', async (_, param, body) => {
    await expect(run(body)).rejects.toMatchObject({ code: 'ENGINE_BAD_REQUEST', payload: { param } })
  })

  test('error: too long, with both numbers', async () => {
    await expect(run({ input: ['short', 'word '.repeat(1000)] })).rejects.toMatchObject({
      code: 'ENGINE_CONTEXT_EXCEEDED',
      payload: { contextTokens: 128, promptTokens: expect.any(Number) },
    })
  })

  test('behavior: the last allowed token still counts', async () => {
    const words = (count: number) => Array.from({ length: count }, () => 9)
    const [full, less] = [await run({ input: words(128) }), await run({ input: words(127) })]
    expect(full.deltas[0]?.embedding).not.toEqual(less.deltas[0]?.embedding)
    await expect(run({ input: words(129) })).rejects.toMatchObject({ code: 'ENGINE_CONTEXT_EXCEEDED', payload: { promptTokens: 129 } })
  })

  test('error: chat is refused, a folder without weights does not load', async () => {
    await expect(collect(model, { kind: 'chat', body: { messages: [] } })).rejects.toMatchObject({ code: 'ENGINE_BAD_REQUEST' })
    await expect(engine.load(specOf({ engine: 'use-lite', modelId: 'x', modelPath: import.meta.dirname }))).rejects.toMatchObject({
      code: 'ENGINE_LOAD_FAILED',
    })
  })
})
