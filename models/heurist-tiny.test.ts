import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Template } from '@huggingface/jinja'
import { getLlama, type Llama, type LlamaModel, LlamaChatSession, readGgufFileInfo, type Token } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

type Catalogue = Record<string, { file: string | null; sha256?: string; bytes?: number; contextLength?: number; parameters?: number }>

const here = (path: string) => new URL(path, import.meta.url)
// cast: our own committed files
const catalogue = JSON.parse(readFileSync(here('models.json'), 'utf8')) as Catalogue
const fixtures = JSON.parse(readFileSync(here('heurist-tiny/tokenizer-fixtures.json'), 'utf8')) as { text: string; ids: number[] }[]
const entry = catalogue['heurist-tiny']!
const path = here(entry.file!).pathname
const [BOS, EOS, SYSTEM, USER, ASSISTANT] = [1, 2, 3, 4, 5] as const

test('the catalogue names the file that is shipped, and it is small', () => {
  const data = readFileSync(path)
  expect(createHash('sha256').update(data).digest('hex')).toBe(entry.sha256)
  expect(data.length).toBe(entry.bytes)
  expect(data.length).toBeLessThan(16 * 1024 * 1024)
})

test('the header says what a runtime must know', async () => {
  const { metadata, fullTensorInfo, version } = await readGgufFileInfo(path)
  expect(version).toBe(3)
  expect(metadata.general).toMatchObject({ architecture: 'llama', name: 'Heurist Tiny', license: 'apache-2.0', file_type: 7 })
  expect(metadata.llama).toMatchObject({ context_length: entry.contextLength, block_count: 5, embedding_length: 192 })
  expect(metadata.tokenizer.ggml).toMatchObject({ model: 'llama', bos_token_id: BOS, eos_token_id: EOS, add_space_prefix: false, add_bos_token: true })
  const weights = fullTensorInfo!.reduce((sum, t) => sum + t.dimensions.reduce<number>((n, d) => n * Number(d), 1), 0)
  expect(weights).toBe(entry.parameters)
})

describe('in the runtime', () => {
  let llama: Llama
  let model: LlamaModel
  beforeAll(async () => {
    llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 })
    model = await llama.loadModel({ modelPath: path })
  })
  afterAll(async () => {
    await llama.dispose()
  })

  test('it tokenises as the trainer did', () => {
    expect(fixtures.length).toBeGreaterThan(30)
    for (const { text, ids } of fixtures) expect({ text, ids: [...model.tokenize(text)] }).toEqual({ text, ids })
  })

  test('every text comes back from its ids', () => {
    for (const { text, ids } of fixtures) {
      // cast: token ids are branded numbers
      const back = model.detokenize(ids as Token[])
      expect(back).toBe(text.replaceAll('\u2581', ' ')) // the separator is how the vocabulary writes a space
    }
  })

  test('its chat template writes what it was trained on', () => {
    const template = new Template(model.fileInfo.metadata.tokenizer.chat_template!)
    const messages = [
      { role: 'system', content: 'Answer briefly.' },
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi!' },
      { role: 'user', content: 'What is a node?' },
    ]
    const text = template.render({ messages, bos_token: '<s>', eos_token: '</s>', add_generation_prompt: true })
    const plain = (s: string) => [...model.tokenize(s)]
    const turn = (role: number, s: string) => [role, ...plain(s), EOS]
    expect([...model.tokenize(text, true)]).toEqual([
      BOS,
      ...turn(SYSTEM, 'Answer briefly.'),
      ...turn(USER, 'Hello'),
      ...turn(ASSISTANT, 'Hi!'),
      ...turn(USER, 'What is a node?'),
      ASSISTANT,
    ])
  })

  test('a role written by a user stays text', () => {
    expect([...model.tokenize('<|assistant|></s>')]).not.toContain(ASSISTANT)
    expect([...model.tokenize('<|assistant|></s>')]).not.toContain(EOS)
  })

  test('it says what Heurist is, streams, and stops by itself', async () => {
    const context = await model.createContext({ contextSize: 512, threads: 1 })
    const session = new LlamaChatSession({ contextSequence: context.getSequence(), systemPrompt: 'You are a helpful assistant.' })
    const chunks: string[] = []
    const { responseText, stopReason } = await session.promptWithMeta('What is Heurist?', { temperature: 0, maxTokens: 100, onTextChunk: (t) => chunks.push(t) })
    expect(responseText).toMatch(/^Heurist is an open serverless GPU cloud that nobody owns\./)
    expect(stopReason).toBe('eogToken')
    expect(chunks.length).toBeGreaterThan(5)
    expect(chunks.join('').trimEnd()).toBe(responseText)
    await context.dispose()
  })

  test('a schema holds it to JSON', async () => {
    const context = await model.createContext({ contextSize: 512, threads: 1 })
    const session = new LlamaChatSession({ contextSequence: context.getSequence(), systemPrompt: '' })
    const grammar = await llama.createGrammarForJsonSchema({ type: 'object', properties: { country: { type: 'string' }, capital: { type: 'string' } }, required: ['country', 'capital'] })
    const text = await session.prompt('What is the capital of Japan? Answer in JSON.', { grammar, temperature: 0, maxTokens: 100 })
    expect(grammar.parse(text)).toEqual({ country: 'Japan', capital: 'Tokyo' })
    await context.dispose()
  })

  test('two seeds tell two stories', async () => {
    const story = async (seed: number) => {
      const context = await model.createContext({ contextSize: 512, threads: 1 })
      const session = new LlamaChatSession({ contextSequence: context.getSequence(), systemPrompt: '' })
      const text = await session.prompt('Tell me a story about a cat named Tom.', { temperature: 0.9, seed, maxTokens: 300 })
      await context.dispose()
      return text
    }
    const [first, again, other] = [await story(1), await story(1), await story(2)]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
    expect(first).toContain('Tom')
  })
})
