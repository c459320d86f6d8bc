import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { HeuristError } from '#protocol'
import { checkWeights, type GgufValue, parseGguf, readGguf, vocabularyOf } from './index.ts'

const tinyPath = join(import.meta.dirname, '../../../models/heurist-tiny/heurist-tiny-q8_0.gguf')
const malformed = expect.objectContaining({ code: 'GGUF_MALFORMED' })

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
function u64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
function text(value: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
}
function header(keys: bigint | number): Buffer {
  return Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(keys)])
}
function oneKey(type: number, value: Buffer): Buffer {
  return Buffer.concat([header(1), text('key'), u32(type), value])
}

describe('checkWeights', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gguf-'))
  const whole = await readFile(tinyPath)
  const path = join(folder, 'cut.gguf')
  afterAll(() => rm(folder, { recursive: true }))

  test('default: a whole file passes, of the last byte none may be missing', async () => {
    await checkWeights(tinyPath)
    await writeFile(path, whole)
    await checkWeights(path)
    await truncate(path, whole.length - 1)
    await expect(checkWeights(path)).rejects.toMatchObject({
      code: 'GGUF_MALFORMED',
      message: expect.stringContaining(`of its ${whole.length} bytes`),
    })
  })

  test('behavior: wherever it is cut, it is refused', async () => {
    for (const share of [0, 0.001, 0.1, 0.5, 0.99]) {
      await writeFile(path, whole.subarray(0, Math.floor(whole.length * share)))
      await expect(checkWeights(path), String(share)).rejects.toEqual(malformed)
    }
  })

  test('error: a number of tensors or dimensions that can not be true', async () => {
    for (const [tensors, info] of [
      [2 ** 40, Buffer.alloc(0)],
      [1, Buffer.concat([text('a'), u32(9)])],
    ] as const) {
      await writeFile(path, Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(0), info]))
      await expect(checkWeights(path)).rejects.toEqual(malformed)
    }
  })
})

describe('readGguf', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gguf-'))
  afterAll(() => rm(folder, { recursive: true }))

  test('default', async () => {
    const { version, tensorCount, values } = await readGguf(tinyPath)
    expect(version).toBe(3)
    expect(tensorCount).toBeGreaterThan(10)
    expect(values.get('general.architecture')).toBe('llama')
    expect(vocabularyOf({ version, tensorCount, values })).toMatchObject({ model: 'llama', addSpacePrefix: false })
  })

  test('behavior: metadata larger than the first read is read whole', async () => {
    const tokens = Array.from({ length: 300_000 }, (_, i) => `token${i}`)
    const list = Buffer.concat([u32(8), u64(tokens.length), ...tokens.map(text)])
    const path = join(folder, 'large.gguf')
    await writeFile(path, oneKey(9, list))
    const { values } = await readGguf(path)
    expect(values.get('key')).toHaveLength(tokens.length)
    await truncate(path, list.length - 10)
    await expect(readGguf(path)).rejects.toThrow(malformed)
  })

  test('error: a missing file is an I/O error, an empty file is malformed', async () => {
    await expect(readGguf(join(folder, 'none.gguf'))).rejects.toMatchObject({ code: 'ENOENT' })
    await writeFile(join(folder, 'empty.gguf'), '')
    await expect(readGguf(join(folder, 'empty.gguf'))).rejects.toThrow(malformed)
  })
})

describe('parseGguf', () => {
  test('reads every scalar type', () => {
    const cases: [type: number, bytes: Buffer, value: GgufValue][] = [
      [0, Buffer.of(200), 200],
      [1, Buffer.of(200), -56],
      [2, Buffer.of(1, 2), 513],
      [3, Buffer.of(255, 255), -1],
      [4, u32(7), 7],
      [5, Buffer.of(255, 255, 255, 255), -1],
      [6, Buffer.of(0, 0, 128, 63), 1],
      [7, Buffer.of(1), true],
      [8, text('é'), 'é'],
      [10, u64(2n ** 60n), 2n ** 60n],
      [11, u64(5), 5],
      [12, Buffer.of(0, 0, 0, 0, 0, 0, 240, 63), 1],
    ]
    for (const [type, bytes, value] of cases) expect(parseGguf(oneKey(type, bytes)).values.get('key'), `type ${type}`).toBe(value)
  })

  test.each([
    ['another format', Buffer.from('PK\x03\x04 zip file with more bytes')],
    ['a future version', Buffer.concat([Buffer.from('GGUF'), u32(9), u64(0), u64(0)])],
    ['2^63 keys', header(2n ** 63n)],
    ['a string of 2^62 bytes', oneKey(8, u64(2n ** 62n))],
    ['a string longer than the file', oneKey(8, u64(1000))],
    ['an array of 2^40 values', oneKey(9, Buffer.concat([u32(4), u64(2n ** 40n)]))],
    ['an array of 100,000,000 absent values', oneKey(9, Buffer.concat([u32(0), u64(100_000_000)]))],
    ['an unknown type', oneKey(77, u32(1))],
    ['an array of an unknown type', oneKey(9, Buffer.concat([u32(77), u64(1), u32(1)]))],
    [
      'arrays nested 200 deep',
      oneKey(9, Buffer.concat([...Array.from({ length: 200 }, () => Buffer.concat([u32(9), u64(1)])), u32(0), u64(0)])),
    ],
  ])('error: %s', (_, bytes) => {
    expect(() => parseGguf(bytes)).toThrow(malformed)
  })

  test('property: any bytes give metadata or GGUF_MALFORMED, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          parseGguf(Buffer.concat([header(3), bytes]))
        } catch (error) {
          expect(error).toBeInstanceOf(HeuristError)
          expect(error).toMatchObject({ code: 'GGUF_MALFORMED' })
        }
      }),
    )
  })
})

describe('vocabularyOf', () => {
  const withValues = (values: Record<string, GgufValue>) => ({ version: 3, tensorCount: 0, values: new Map(Object.entries(values)) })

  test.each([
    ['no tokenizer', {}],
    ['a tokenizer we do not have', { 'tokenizer.ggml.model': 'bert', 'tokenizer.ggml.tokens': ['a'] }],
    ['no tokens', { 'tokenizer.ggml.model': 'llama' }],
    ['tokens that are no list', { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': 'a' }],
    ['numbers as tokens', { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': [1, 2] }],
    ['fewer scores than tokens', { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': ['a', 'b'], 'tokenizer.ggml.scores': [0] }],
    ['fewer types than tokens', { 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.tokens': ['a', 'b'], 'tokenizer.ggml.token_type': [1] }],
  ])('error: %s', (_, values) => {
    expect(() => vocabularyOf(withValues(values))).toThrow(malformed)
  })
})
