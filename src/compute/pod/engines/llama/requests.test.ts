import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTokenizer } from '#platform/tokenizer'
import type { JobRequest } from '#protocol'
import { collect } from '../conformance.ts'
import type { LoadedModel } from '../engine.ts'
import { deps, specOf, TINY_MODEL } from '../testing/spec.ts'
import { createLlamaEngine } from './llama.ts'
import { randomLlamaGguf } from './random-model.ts'
import { smallSpmVocabulary } from './testing/make-gguf.ts'

const engine = createLlamaEngine({ threads: 1 }, deps)
const CONTEXT = 128
let model: LoadedModel
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llama-'))
  model = await engine.load(specOf({ engine: 'llama', modelId: 'tiny', modelPath: TINY_MODEL, contextLength: CONTEXT }))
})
afterAll(async () => {
  await model?.unload()
  await rm(folder, { recursive: true })
})

const messages = [{ role: 'user', content: 'Hello' }]
const chat = (body: Record<string, unknown>): JobRequest => ({ kind: 'chat', body: { messages, temperature: 0, ...body } })
const completion = (body: Record<string, unknown>): JobRequest => ({ kind: 'completion', body: { temperature: 0, ...body } })

async function randomModel(options: { chatTemplate?: string; contextLength?: number } = {}): Promise<LoadedModel> {
  const vocabulary = smallSpmVocabulary(options)
  const path = join(folder, `${vocabulary.size}-${Math.floor(performance.now() * 1000)}.gguf`)
  await writeFile(
    path,
    randomLlamaGguf(vocabulary.metadata, { vocabularySize: vocabulary.size, contextLength: options.contextLength ?? 256 }),
  )
  return engine.load(specOf({ engine: 'llama', modelId: 'random', modelPath: path }))
}

describe('chat', () => {
  test('behavior: every shape of content gives the same prompt', async () => {
    const plain = await collect(model, chat({}))
    const shapes = [
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hel' },
            { type: 'text', text: 'lo' },
          ],
        },
      ],
      [{ role: 'user', content: 'Hello', name: 'someone' }],
    ]
    for (const shape of shapes) {
      const output = await collect(model, chat({ messages: shape }))
      expect({ texts: output.texts, inputUnits: output.inputUnits }).toEqual({ texts: plain.texts, inputUnits: plain.inputUnits })
    }
  })

  test('behavior: developer is system, and past tool calls are accepted', async () => {
    const units = async (first: string) =>
      (await collect(model, chat({ messages: [{ role: first, content: 'Be brief.' }, ...messages], max_tokens: 1 }))).inputUnits
    expect(await units('developer')).toBe(await units('system'))
    const history = [
      ...messages,
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: '5' },
    ]
    expect((await collect(model, chat({ messages: history, max_tokens: 2 }))).outputUnits).toBe(2)
  })

  test('behavior: the router counts the same prompt units with the tokenizer alone', async () => {
    const tokenizer = await loadTokenizer({ ggufPath: TINY_MODEL })
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }]
    const long = [
      { role: 'system', content: 'You are kind.' },
      ...messages,
      { role: 'assistant', content: 'Hi! 😀' },
      { role: 'user', content: 'Naïve <s> 日本?' },
    ]
    expect((await collect(model, chat({ messages: long, max_tokens: 1 }))).inputUnits).toBe(tokenizer.countChat(long))
    for (const tool_choice of ['auto', 'none', 'required', { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools } }]) {
      const { inputUnits } = await collect(model, chat({ tools, tool_choice, max_tokens: 1 }))
      expect(inputUnits, JSON.stringify(tool_choice)).toBe(tokenizer.countChat(messages, tools))
    }
    expect((await collect(model, completion({ prompt: 'Once upon', max_tokens: 1 }))).inputUnits).toBe(
      tokenizer.encodePrompt('Once upon').length,
    )
  })

  test('behavior: delta by delta, text and token ids agree', async () => {
    const tokenizer = await loadTokenizer({ ggufPath: TINY_MODEL })
    const { deltas, texts, outputUnits } = await collect(model, chat({ max_tokens: 20 }))
    const ids = deltas.flatMap(delta => delta.tokenIds ?? [])
    expect(ids).toHaveLength(outputUnits)
    expect(tokenizer.decode(ids)).toBe(texts[0])
  })

  test('behavior: a seed may have all 64 bits', async () => {
    for (const seed of [-(2 ** 63), -1, 2 ** 60, 2 ** 63]) {
      const hot = { temperature: 1.5, seed, max_tokens: 12 }
      expect((await collect(model, chat(hot))).texts, String(seed)).toEqual((await collect(model, chat(hot))).texts)
    }
  })

  test('behavior: null counts as absent and unknown members are ignored', async () => {
    const nothing = {
      max_tokens: null,
      stop: null,
      seed: null,
      n: null,
      logprobs: null,
      tools: null,
      tool_choice: null,
      response_format: null,
      logit_bias: null,
      user: 'u',
      metadata: {},
    }
    expect((await collect(model, chat(nothing))).texts).toEqual((await collect(model, chat({}))).texts)
  })

  test('behavior: log probabilities follow the greedy path and do not change the text', async () => {
    const plain = await collect(model, chat({ max_tokens: 8 }))
    const scored = await collect(model, chat({ max_tokens: 8, logprobs: true, top_logprobs: 3 }))
    expect(scored.texts).toEqual(plain.texts)
    const entries = scored.deltas.flatMap(delta => delta.logprobs ?? [])
    expect(entries).toHaveLength(scored.outputUnits)
    for (const entry of entries) {
      expect(entry.top_logprobs).toHaveLength(3)
      expect(entry.top_logprobs[0]).toMatchObject({ token: entry.token, logprob: entry.logprob })
      const shares = entry.top_logprobs.map(({ logprob }) => Math.exp(logprob))
      expect(shares.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1.000001)
    }
    const seeded = { temperature: 1.3, seed: 11, max_tokens: 16 }
    expect((await collect(model, chat({ ...seeded, logprobs: true }))).texts).toEqual((await collect(model, chat(seeded))).texts)
  })

  test('behavior: log probabilities are those of the raw model at any temperature', async () => {
    const first = async (temperature: number) =>
      (await collect(model, chat({ max_tokens: 1, temperature, seed: 1, logprobs: true, top_logprobs: 5 }))).deltas[0]?.logprobs?.[0]
        ?.top_logprobs
    expect(await first(1.7)).toEqual(await first(0))
  })

  test('behavior: a bias bans and forces tokens', async () => {
    const free = await collect(model, chat({ max_tokens: 1 }))
    const [id = 0] = free.deltas[0]?.tokenIds ?? []
    const banned = await collect(model, chat({ max_tokens: 1, logit_bias: { [id]: -100 } }))
    expect(banned.deltas[0]?.tokenIds).not.toEqual([id])
    const forced = await collect(model, chat({ max_tokens: 3, logit_bias: { 300: 100 } }))
    expect(forced.deltas.flatMap(delta => delta.tokenIds)).toEqual([300, 300, 300])
    const tired = await collect(model, chat({ max_tokens: 12, logit_bias: { 300: 20 }, frequency_penalty: 2 }))
    expect(new Set(tired.deltas.flatMap(delta => delta.tokenIds)).size).toBeGreaterThan(1)
  })

  test('behavior: output ends with length where the context ends', async () => {
    const random = await randomModel({ contextLength: 64 })
    const ban = { 1: -100, 2: -100, 4: -100 }
    const { finish, inputUnits, outputUnits } = await collect(random, chat({ temperature: 1, seed: 1, logit_bias: ban }))
    expect(finish).toEqual([{ index: 0, reason: 'length' }])
    expect(inputUnits + outputUnits).toBe(64)
    await random.unload()
  })

  test('behavior: characters come whole although their bytes come in several tokens', async () => {
    // The bytes of "é" as tokens, forced one after the other by a grammar of one string.
    const random = await randomModel()
    const format = { type: 'json_schema', json_schema: { name: 'x', schema: { const: 'ñ日😀' } } }
    const { deltas, texts } = await collect(random, chat({ response_format: format }))
    expect(texts).toEqual(['"ñ日😀"'])
    expect(deltas.some(delta => delta.text === '' && delta.tokens === 1)).toBe(true)
    for (const delta of deltas) expect(delta.text).not.toContain('\ufffd')
    await random.unload()
  })

  test('error: the context is exceeded, with both numbers', async () => {
    const error = await collect(model, chat({ messages: [{ role: 'user', content: 'word '.repeat(300) }], max_tokens: 5 })).catch(
      thrown => thrown,
    )
    expect(error).toMatchObject({ code: 'ENGINE_CONTEXT_EXCEEDED', payload: { contextTokens: CONTEXT, requestedTokens: 5 } })
    expect(error.payload.promptTokens).toBeGreaterThan(CONTEXT)
  })

  test('error: a template that refuses the messages is the request at fault', async () => {
    const strict = await randomModel({ chatTemplate: "{{ raise_exception('roles must alternate') }}" })
    await expect(collect(strict, chat({}))).rejects.toMatchObject({
      code: 'ENGINE_BAD_REQUEST',
      message: expect.stringContaining('roles must alternate'),
    })
    await strict.unload()
  })

  test.each<[param: string, body: Record<string, unknown>]>([
    ['messages', { messages: [] }],
    ['messages', { messages: 'Hello' }],
    ['messages[0]', { messages: ['Hello'] }],
    ['messages[0]', { messages: [{ content: 'x' }] }],
    [
      'messages[0].content[1]',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'image_url', image_url: {} },
            ],
          },
        ],
      },
    ],
    ['temperature', { temperature: -0.1 }],
    ['temperature', { temperature: Number.POSITIVE_INFINITY }],
    ['top_p', { top_p: 1.1 }],
    ['n', { n: 0 }],
    ['n', { n: 1000 }],
    ['n', { n: 1.5 }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_completion_tokens', { max_completion_tokens: -1 }],
    ['seed', { seed: 2 ** 64 }],
    ['functions', { functions: [{ name: 'f' }] }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['stop', { stop: [1] }],
    ['stop', { stop: Array.from({ length: 17 }, () => 'x') }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['top_logprobs', { logprobs: true, top_logprobs: 21 }],
    ['logprobs', { logprobs: 'yes' }],
    ['logit_bias', { logit_bias: { 99999999: 1 } }],
    ['logit_bias', { logit_bias: { 5: 'x' } }],
    ['response_format', { response_format: { type: 'xml' } }],
    ['response_format', { response_format: 'json' }],
    ['tools', { tools: {} }],
  ])('error: %s %j', async (param, body) => {
    await expect(collect(model, chat(body))).rejects.toMatchObject({ code: 'ENGINE_BAD_REQUEST', retryable: false, payload: { param } })
  })
})

describe('completion', () => {
  test('behavior: token prompts, lists, n and echo', async () => {
    const tokenizer = await loadTokenizer({ ggufPath: TINY_MODEL })
    const ids = tokenizer.encodePrompt('Once upon a')
    const [text, tokens] = await Promise.all([
      collect(model, completion({ prompt: 'Once upon a' })),
      collect(model, completion({ prompt: ids })),
    ])
    expect(tokens.texts).toEqual(text.texts)
    expect(text.outputUnits).toBeLessThanOrEqual(16)
    const many = await collect(model, completion({ prompt: ['Once upon a', ids, 'The'], n: 2, echo: true, max_tokens: 3 }))
    expect(many.finish.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5])
    expect(many.texts[0]).toBe(many.texts[1])
    expect(many.texts[0]).toMatch(/^Once upon a./)
    expect(many.texts[4]).toMatch(/^The/)
    expect(many.inputUnits).toBe(2 * ids.length + tokenizer.encodePrompt('The').length)
  })

  test('behavior: echo alone', async () => {
    const { texts, outputUnits, finish } = await collect(model, completion({ prompt: 'Once upon', max_tokens: 0, echo: true }))
    expect({ texts, outputUnits, finish }).toEqual({ texts: ['Once upon'], outputUnits: 0, finish: [{ index: 0, reason: 'length' }] })
  })

  test.each<[param: string, body: Record<string, unknown>]>([
    ['prompt', {}],
    ['prompt', { prompt: [] }],
    ['prompt', { prompt: { a: 1 } }],
    ['prompt', { prompt: [99_999_999] }],
    ['prompt[1]', { prompt: ['a', {}] }],
    ['suffix', { prompt: 'a', suffix: 'b' }],
    ['best_of', { prompt: 'a', best_of: 3 }],
    ['echo', { prompt: 'a', echo: true, logprobs: 1 }],
    ['echo', { prompt: 'a', echo: 'yes' }],
  ])('error: %s %j', async (param, body) => {
    await expect(collect(model, completion(body))).rejects.toMatchObject({ code: 'ENGINE_BAD_REQUEST', payload: { param } })
  })

  test('error: too many prompts', async () => {
    const prompt = Array.from({ length: 100 }, () => 'x')
    await expect(collect(model, completion({ prompt }))).rejects.toMatchObject({ code: 'ENGINE_BAD_REQUEST', payload: { param: 'prompt' } })
  })

  test('error: embeddings are refused', async () => {
    await expect(collect(model, { kind: 'embedding', body: { input: 'x' } })).rejects.toMatchObject({ code: 'ENGINE_BAD_REQUEST' })
  })
})

describe('load', () => {
  const load = (modelPath: string | null, signal?: AbortSignal) =>
    engine.load(specOf({ engine: 'llama', modelId: 'x', modelPath, ...(signal && { signal }) }))

  test('behavior: progress goes up to 1', async () => {
    const seen: number[] = []
    const own = await engine.load(specOf({ engine: 'llama', modelId: 'x', modelPath: TINY_MODEL }), fraction => void seen.push(fraction))
    await own.unload()
    expect(seen.at(-1)).toBe(1)
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
  })

  test('error: no file, a missing file, a file that is no model, a model without tensors', async () => {
    const text = join(folder, 'text.gguf')
    const hollow = join(folder, 'hollow.gguf')
    await writeFile(text, 'not a model, but long enough to look at')
    await writeFile(
      hollow,
      randomLlamaGguf(smallSpmVocabulary().metadata, { vocabularySize: smallSpmVocabulary().size, contextLength: 64 }).subarray(0, 20_000),
    )
    for (const path of [null, join(folder, 'none.gguf'), text, hollow]) {
      await expect(load(path), String(path)).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED', retryable: true })
    }
  })

  test('error: cancelled', async () => {
    await expect(load(TINY_MODEL, AbortSignal.abort())).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
  })

  test('behavior: it measures its speed', async () => {
    expect(await model.measure()).toBeGreaterThan(10)
  })
})
