import { describe, expect, test } from 'vitest'
import { HeuristError, isHeuristError, manifestHash } from '#protocol'
import { manifestForModel, quantizationOf } from './for-model.ts'
import { type ManifestFault, parseManifest } from './parse.ts'

const MINIMAL = `
apiVersion: heurist/v1
kind: Pod
metadata: { name: story-writer }
spec:
  runtime: llm
  engine: { name: llama }
  model: { id: story-writer, source: "hf:someone/story-GGUF" }
  price: { input: 100, output: "200" }
`

function faultsOf(text: string): readonly ManifestFault[] {
  try {
    parseManifest(text)
  } catch (error) {
    if (isHeuristError(error, 'MANIFEST_INVALID')) return error.payload as readonly ManifestFault[] // cast: this code carries faults
    throw error
  }
  throw new Error('the manifest was accepted')
}

describe('parseManifest', () => {
  test('default: YAML with defaults filled in and integer prices', () => {
    const manifest = parseManifest(MINIMAL)
    expect(manifest.spec.price).toEqual({ input: 100n, output: 200n })
    expect(manifest.spec.model).toMatchObject({ revision: 'main', contextLength: 2048 })
    expect(manifest.spec.scaling).toEqual({ min: 1, max: 100 })
  })

  test('behavior: the same manifest as JSON has the same hash', () => {
    const json = JSON.stringify(parseManifest(MINIMAL), (_key, value) => (typeof value === 'bigint' ? value.toString() : value))
    expect(manifestHash(parseManifest(json))).toBe(manifestHash(parseManifest(MINIMAL)))
  })

  const faulty: [string, string, string][] = [
    [
      'runtime: llm',
      'runtime: llmm',
      'spec.runtime is "llmm", but it must be llm or embedding or image or agent or finetune or zk or command',
    ],
    ['name: story-writer', 'name: Story Writer', 'metadata.name is "Story Writer", but it must be lower-case letters'],
    ['input: 100', 'input: -1', 'spec.price.input is "-1", but it must be a whole number of nano-credits, 0 or more'],
    ['input: 100', 'input: 1.5', 'spec.price.input is 1.5, but it must be a whole number'],
    ['input: 100, ', '', 'spec.price.input is missing; it must be a whole number'],
    ['hf:someone', 'ftp:someone', 'spec.model.source is "ftp:someone/story-GGUF", but it must start with builtin:'],
    ['kind: Pod', 'kind: Deployment', 'kind is "Deployment", but it must be Pod'],
    ['  runtime: llm', '  runtime: llm\n  resources: { gpucount: 1 }', 'spec.resources.gpucount is not a field of a manifest'],
    ['  runtime: llm', '  runtime: llm\n  scaling: { min: "one" }', 'spec.scaling.min is "one", but it must be a number'],
    ['  runtime: llm', '  runtime: llm\n  scaling: { max: 0 }', 'spec.scaling.max is 0, but it must be more than 0'],
  ]
  for (const [from, to, message] of faulty) {
    test(`error: ${message}`, () => {
      const text = MINIMAL.replace(from, to)
      expect(text).not.toBe(MINIMAL)
      expect(faultsOf(text).map(fault => `${fault.path} ${fault.message}`)).toEqual([expect.stringContaining(message)])
    })
  }

  test('error: lists every fault at once', () => {
    const faults = faultsOf(MINIMAL.replace('kind: Pod', 'kind: X').replace('runtime: llm', 'runtime: x'))
    expect(faults.map(fault => fault.path)).toEqual(['kind', 'spec.runtime'])
  })

  const hostile: [string, string][] = [
    ['empty text', ''],
    ['a number', '5'],
    ['broken YAML', '{'],
    ['a key twice', 'kind: Pod\nkind: Pod'],
    ['an alias bomb', 'a: &a [x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]'],
    ['deep nesting', '['.repeat(5000)],
    ['too much text', `# ${'x'.repeat(70_000)}`],
    ['a prototype', '{"__proto__": {"kind": "Pod"}}'],
  ]
  for (const [label, text] of hostile) {
    test(`error: ${label}`, () => {
      expect(() => parseManifest(text)).toThrow(HeuristError)
    })
  }
})

describe('manifestForModel', () => {
  test('default', () => {
    const manifest = manifestForModel({
      name: 'mine',
      source: 'file:/models/mine-Q4_K_M.gguf',
      bytes: 1000,
      sha256: 'ab'.repeat(32),
      contextLength: 4096,
      price: { input: 1n, output: 2n },
    })
    expect(manifest.spec).toMatchObject({
      runtime: 'llm',
      engine: { name: 'llama' },
      model: { id: 'mine', quantization: 'Q4_K_M', contextLength: 4096, revision: 'main' },
      resources: { memoryBytes: 1250 },
    })
  })

  test('behavior: quantisation from file names', () => {
    expect(quantizationOf('hf:a/b/model.Q8_0.gguf')).toBe('Q8_0')
    expect(quantizationOf('file:/m/model-iq2_xxs.gguf')).toBe('IQ2_XXS')
    expect(quantizationOf('file:/m/model-f16.gguf')).toBe('F16')
    expect(quantizationOf('file:/m/model.gguf')).toBeUndefined()
  })
})
