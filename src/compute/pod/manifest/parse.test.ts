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

  const PLACES: [label: string, from: string, to: string, line: number, column: number][] = [
    ['a wrong value', 'runtime: llm', 'runtime: llmm', 6, 12],
    ['an unknown key', '  runtime: llm', '  runtime: llm\n  colour: red', 7, 3],
    ['a value inside of a flow map', 'input: 100', 'input: -1', 9, 19],
    ['a missing member, at the map that lacks it', 'input: 100, ', '', 9, 3],
    ['a whole missing block', '  engine: { name: llama }\n', '', 5, 1],
    ['a list item', '  runtime: llm', '  runtime: command\n  command:\n    run:\n      - node\n      - 5', 10, 9],
    ['a tab', '  runtime: llm', '\truntime: llm', 6, 1],
    ['a key twice', 'kind: Pod', 'kind: Pod\nkind: Pod', 4, 1],
    ['a second document', '  runtime: llm', '  runtime: llm\n---\nkind: Pod', 7, 1],
  ]
  for (const [label, from, to, line, column] of PLACES) {
    test(`error: says where: ${label}`, () => {
      const text = MINIMAL.replace(from, to)
      expect(text).not.toBe(MINIMAL)
      expect(faultsOf(text)[0]?.position).toEqual({ line, column })
      expect(() => parseManifest(text)).toThrow(`line ${line}, column ${column}: `)
    })
  }

  test('error: several manifests in one file are said in words of a manifest', () => {
    expect(faultsOf(`${MINIMAL}---${MINIMAL}`)[0]?.message).toBe(
      'is more than one document; a manifest is one: put each pod into a file of its own',
    )
  })

  test('behavior: a program has a command, and nothing else has one', () => {
    const program = MINIMAL.replace('runtime: llm', 'runtime: command').replace('name: llama', 'name: command')
    expect(faultsOf(program)).toMatchObject([{ path: 'spec.command', message: expect.stringContaining('must say what to run') }])
    const withCommand = (text: string) => text.replace('  price:', '  command: { run: [node, x.mjs] }\n  price:')
    expect(parseManifest(withCommand(program)).spec.command).toMatchObject({ concurrency: 1, network: 'none', maxOutputBytes: 2 ** 20 })
    expect(faultsOf(withCommand(MINIMAL))).toMatchObject([{ path: 'spec.command' }])
    expect(faultsOf(withCommand(program).replace('name: command', 'name: llama'))).toMatchObject([{ path: 'spec.engine.name' }])
  })

  const HOSTILE_COMMANDS: [label: string, command: string, path: string][] = [
    ['no program', '{ run: [] }', 'spec.command.run'],
    ['a secret value', '{ run: [x], secrets: { TOKEN: abc } }', 'spec.command.secrets'],
    ['a secret that is no name', '{ run: [x], secrets: ["A=b"] }', 'spec.command.secrets.0'],
    ['a variable that is no name', '{ run: [x], environment: { "A\\nB": x } }', 'spec.command.environment.A\nB'],
    ['any network', '{ run: [x], network: all }', 'spec.command.network'],
    ['endless output', '{ run: [x], maxOutputBytes: 1e12 }', 'spec.command.maxOutputBytes'],
    ['more processes than a machine has', '{ run: [x], processes: 100000 }', 'spec.command.processes'],
    ['an image for bubblewrap', `{ run: [x], image: "r/x@sha256:${'ab'.repeat(32)}" }`, 'spec.command.image'],
    ['an image by a tag, which may change', '{ run: [x], image: "python:3" }', 'spec.command.image'],
    ['an image that is an option', `{ run: [x], image: "--privileged@sha256:${'ab'.repeat(32)}" }`, 'spec.command.image'],
    ['a protocol of its own', '{ run: [x], protocol: grpc }', 'spec.command.protocol'],
    ['paths for lines of JSON', '{ run: [x], http: { path: /x } }', 'spec.command.http'],
    ['a path with a header in it', '{ run: [x], protocol: http, http: { path: "/x HTTP/1.1\\r\\nhost: y" } }', 'spec.command.http.path'],
    ['another host', '{ run: [x], protocol: http, http: { health: "http://y/" } }', 'spec.command.http.health'],
    ['a mount of its own', '{ run: [x], mounts: ["/:/host"] }', 'spec.command.mounts'],
  ]
  for (const [label, command, path] of HOSTILE_COMMANDS) {
    test(`error: hostile program: ${label}`, () => {
      const program = MINIMAL.replace('runtime: llm', 'runtime: command').replace('name: llama', 'name: command')
      const paths = faultsOf(program.replace('  price:', `  command: ${command}\n  price:`)).map(fault => fault.path)
      expect([...new Set(paths)]).toEqual([path])
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
    ['a key of a key of a key', `t: { a${': b'.repeat(20_000)} }`],
    ['the same in a line of its own', `s:\n  t: { a: ${'x: '.repeat(18_000)}\n  price: 1\n`],
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
