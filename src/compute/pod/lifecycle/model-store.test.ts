import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '#platform'
import { podManifestSchema } from '#protocol'
import { createModelStore, type FullModelStore } from './model-store.ts'
import { sourceOfArgument } from './source.ts'

const content = Buffer.from('GGUF weights')
const sha256 = createHash('sha256').update(content).digest('hex')
const call = { signal: new AbortController().signal }
let directory: string
let store: FullModelStore

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heurist-store-'))
  writeFileSync(join(directory, 'tiny.gguf'), content)
  const catalogue = {
    tiny: { file: 'tiny.gguf', sha256 },
    encoder: { file: null },
    gone: { file: 'gone.gguf' },
    damaged: { file: 'tiny.gguf', sha256: 'ab'.repeat(32) },
  }
  writeFileSync(join(directory, 'models.json'), JSON.stringify(catalogue))
  store = createModelStore(
    { modelsDir: directory, cacheDir: join(directory, 'cache'), cacheBytes: 1000 },
    { clock: systemClock, random: () => 0, logger: silentLogger },
  )
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

function manifest(source: string, changes: { engine?: Record<string, unknown>; model?: Record<string, unknown> } = {}) {
  return podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      runtime: 'llm',
      engine: changes.engine ?? { name: 'llama' },
      model: { id: 'p', source, ...changes.model },
      price: { input: '0', output: '0' },
    },
  })
}

describe('model store', () => {
  test('default: a shipped model, one from an npm package, an upstream, and a file of the owner', async () => {
    const path = join(directory, 'tiny.gguf')
    expect(await store.resolve(manifest('builtin:tiny'), call)).toMatchObject({ path, bytes: content.length })
    expect(await store.resolve(manifest('builtin:encoder'), call)).toMatchObject({ path: null })
    const upstream = { name: 'upstream', url: 'http://127.0.0.1:8000/v1' }
    expect(await store.resolve(manifest('hf:a/b', { engine: upstream }), call)).toMatchObject({ path: null })
    expect(await store.resolve(manifest(`file:${path}`, { model: { sha256 } }), call)).toMatchObject({ path })
    expect(await store.resolve(manifest(pathToFileURL(path).href), call)).toMatchObject({ path })
  })

  const broken: [string, () => string, string, RegExp][] = [
    ['a model that does not ship', () => 'builtin:huge', 'MODEL_UNKNOWN_BUILTIN', /It has: tiny, encoder/],
    ['a name of Object', () => 'builtin:constructor', 'MODEL_UNKNOWN_BUILTIN', /constructor/],
    ['a shipped file that is gone', () => 'builtin:gone', 'MODEL_FILE_MISSING', /install again/],
    ['a shipped file that was damaged', () => 'builtin:damaged', 'MODEL_CHECKSUM', new RegExp(sha256)],
    ['a file that is not there', () => 'file:/no/such.gguf', 'MODEL_FILE_MISSING', /no\/such/],
    ['a relative file', () => 'file:model.gguf', 'MODEL_BAD_SOURCE', /absolute/],
    ['half a repository', () => 'hf:someone', 'MODEL_BAD_SOURCE', /owner/],
    ['a repository that climbs out', () => 'hf:a/b/../../../etc/passwd', 'MODEL_BAD_SOURCE', /repository/],
    ['a repository with a query', () => 'hf:a/b?x=1', 'MODEL_BAD_SOURCE', /repository/],
  ]
  for (const [label, source, code, message] of broken) {
    test(`error: ${label}`, async () => {
      await expect(store.resolve(manifest(source()), call)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    })
  }

  test('error: a file of the owner that is not the one the pod names is kept and said', async () => {
    const path = join(directory, 'tiny.gguf')
    const wanted = manifest(`file:${path}`, { model: { sha256: 'ab'.repeat(32) } })
    await expect(store.resolve(wanted, call)).rejects.toMatchObject({ code: 'MODEL_CHECKSUM' })
    expect(await store.resolve(manifest(`file:${path}`), call)).toMatchObject({ path })
  })

  test('behavior: doctor sees whether a model is here', () => {
    expect(store.describe(manifest('hf:a/b'))).toBe('not here yet, pulled from hf:a/b when needed')
    expect(store.describe(manifest('builtin:tiny'))).toBe(join(directory, 'tiny.gguf'))
    expect(store.describe(manifest('hf:a/b', { engine: { name: 'upstream', url: 'http://127.0.0.1:8000/v1' } }))).toBe(
      'behind http://127.0.0.1:8000/v1',
    )
  })

  test('error: a broken catalogue', async () => {
    writeFileSync(join(directory, 'models.json'), '{')
    await expect(store.resolve(manifest('builtin:tiny'), call)).rejects.toMatchObject({ code: 'MODEL_CATALOGUE_BROKEN' })
    expect(store.describe(manifest('builtin:tiny'))).toMatch(/Install again/)
  })
})

describe('sourceOfArgument', () => {
  test('default: a path becomes absolute, a source stays', () => {
    expect(sourceOfArgument('./m.gguf', '/home/me')).toBe('file:/home/me/m.gguf')
    expect(sourceOfArgument('/m.gguf', '/home/me')).toBe('file:/m.gguf')
    expect(sourceOfArgument('hf:a/b', '/')).toBe('hf:a/b')
    expect(() => sourceOfArgument('hf:a', '/')).toThrow(/hf:<owner>/)
  })
})
