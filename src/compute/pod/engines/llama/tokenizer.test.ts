import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BYTE_TO_CHAR, loadTokenizer } from '#platform/tokenizer'
import { TINY_MODEL } from '../testing/spec.ts'
import { randomLlamaGguf } from './random-model.ts'
import { smallBpeVocabulary, smallSpmVocabulary } from './testing/make-gguf.ts'

/** The router counts with our tokenizers and the node computes with llama.cpp's: they must never differ. */
let llama: Llama
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenizer-'))
  llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error })
})
afterAll(async () => {
  await llama?.dispose()
  await rm(folder, { recursive: true })
})

const SAMPLES = [
  '',
  ' ',
  '   ',
  // White space by Unicode and not by JavaScript, and the other way round (found by the property below).
  "\u0085's \ufeff's a\u0085 b\ufeff c",
  'Hello, world!',
  ' two  spaces   three ',
  "I'm you'LL they've 1234567 3.14",
  'a\nb\n\n\nc\r\n\td',
  'naïve café ﷺ Ǆ ½ ²',
  '日本語 and 한국어',
  '🤷🏽‍♀️👍',
  '\u0000\u0001',
  '\u00a0\u2003\u200b',
  '<s>x</s> <|im_start|>user<|im_end|><|endoftext|><tool> <too',
  '▁under▁score',
  'x'.repeat(500),
  `abc ${'the '.repeat(60)}`,
]

async function write(name: string, vocabulary: ReturnType<typeof smallSpmVocabulary>): Promise<string> {
  const path = join(folder, `${name}.gguf`)
  await writeFile(path, randomLlamaGguf(vocabulary.metadata, { vocabularySize: vocabulary.size, contextLength: 64 }))
  return path
}

/**
 * Blocks whose characters both sides have known for long. A letter that only one side's Unicode tables know (llama.cpp's are older
 * than Node's) may be split differently by a byte-level BPE; nothing can be done about it and it costs a token at most.
 */
const BLOCKS: readonly (readonly [number, number])[] = [
  [0, 0x5ff],
  [0x620, 0x6ff],
  [0x904, 0x939],
  [0x2000, 0x2027],
  [0x3041, 0x3096],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
  [0x1d400, 0x1d454],
  [0x1f300, 0x1f5ff],
]
const char = fc.oneof(...BLOCKS.map(([min, max]) => fc.integer({ min, max }).map(code => String.fromCodePoint(code))))

async function compare(path: string): Promise<void> {
  const model = await llama.loadModel({ modelPath: path })
  const tokenizer = await loadTokenizer({ ggufPath: path })
  const bos = model.tokens.shouldPrependBosToken ? model.tokens.bos : null
  const same = (text: string): void => {
    expect(tokenizer.encode(text), text).toEqual([...model.tokenize(text)])
    const special: number[] = [...model.tokenize(text, true)]
    expect(tokenizer.encodePrompt(text), text).toEqual(bos !== null && special[0] !== bos ? [bos, ...special] : special)
  }
  for (const text of SAMPLES) same(text)
  const pieces = fc.oneof(
    fc.array(char, { maxLength: 12 }).map(chars => chars.join('')),
    fc.constantFrom(
      ' ',
      '  ',
      '\n',
      'the',
      ' and',
      '123',
      "'s",
      'é',
      '日',
      '<s>',
      '<|im_end|>',
      '<tool>',
      ' abc',
      '\ud800',
      '\u0085',
      '\ufeff',
    ),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), parts => same(parts.join(''))),
    { numRuns: 300 },
  )
  await model.dispose()
}

describe('our tokenizers give the ids of llama.cpp', () => {
  test('the shipped model', () => compare(TINY_MODEL))
  test('SentencePiece without a space in front', async () => compare(await write('spm', smallSpmVocabulary())))
  test('SentencePiece with a space in front and after special tokens', async () =>
    compare(await write('spm-space', smallSpmVocabulary({ addSpacePrefix: true }))))
  test.each(['gpt-2', 'llama-bpe', 'qwen2', 'smollm', 'command-r'])('byte-level BPE of %s', async pre =>
    compare(await write(pre, smallBpeVocabulary({ pre, byteChars: BYTE_TO_CHAR }))),
  )

  test('error: an unknown pre-tokenizer is refused by name', async () => {
    const path = await write('unknown', smallBpeVocabulary({ pre: 'martian', byteChars: BYTE_TO_CHAR }))
    await expect(loadTokenizer({ ggufPath: path })).rejects.toMatchObject({
      code: 'TOKENIZER_UNSUPPORTED',
      message: expect.stringContaining('martian'),
    })
  })
})
