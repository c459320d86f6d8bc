import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { type CommandSpec, podManifestSchema, ZERO_BYTES32 } from '#protocol'
import { detectSandbox } from '../../../sandbox/detect.ts'
import { NO_DEVICE } from '../../../sandbox/sandbox.ts'
import type { LoadedModel, LoadSpec } from '../../engine.ts'
import { deps as shared, specOf } from '../../testing/spec.ts'
import { type CommandEngineDeps, createCommandEngine } from '../command.ts'

/** Test support: programs as pods. Each is given as the body of `async ({ id, input, say }) => …`, run for each job. */
export const support = await detectSandbox()

export type Settings = Partial<CommandSpec> & {
  readonly loadMs?: number
  readonly slots?: number
  readonly sha256?: string
  readonly timeouts?: { readonly firstTokenMs: number; readonly betweenTokensMs: number }
}

const HEAD = `import { createInterface } from 'node:readline'
const say = message => process.stdout.write(JSON.stringify(message) + '\\n')
const cancelled = new Set()
`
const LOOP = (body: string) => `say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, input, cancel } = JSON.parse(line)
  if (cancel) { cancelled.add(id); say({ id, done: true }); continue }
  void (async () => { ${body} })()
}
`

export const logged: string[] = []
export const deps: CommandEngineDeps = {
  ...shared,
  sandboxes: { bwrap: support, container: { sandbox: null, problem: 'not in these tests' } },
  secrets: (_podId, names) => Object.fromEntries(names.map(name => [name, `value of ${name}`])),
  log: (_podId, line) => logged.push(line),
  grant: async () => NO_DEVICE,
}

const folder = mkdtempSync(join(tmpdir(), 'heurist-command-'))
let programs = 0
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a pod of this program is loaded with. */
export function programSpec(text: string, settings: Settings = {}): LoadSpec {
  const { loadMs = 30_000, slots = 3, sha256, timeouts, ...command } = settings
  const modelPath = join(folder, `${++programs}`, 'program.mjs')
  mkdirSync(dirname(modelPath))
  writeFileSync(modelPath, text)
  const manifest = podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name: 'test' },
    spec: {
      runtime: 'command',
      engine: { name: 'command' },
      model: { id: 'test', source: `file:${modelPath}`, sha256: sha256 ?? createHash('sha256').update(text).digest('hex') },
      command: { run: ['node', 'program.mjs'], concurrency: 2, ...command },
      timeouts: { loadMs, ...timeouts },
      price: { input: '1', output: '1' },
    },
  })
  return { ...specOf({ engine: 'upstream', modelId: 'test', modelPath, slots }), podId: ZERO_BYTES32, manifest }
}

/** Loads a whole program. */
export function loadText(text: string, settings?: Settings): Promise<LoadedModel> {
  return createCommandEngine(deps).load(programSpec(text, settings))
}

/** Loads a program that runs `body` for each job; `{ cancel }` is answered for it. */
export function loadBody(body: string, settings?: Settings): Promise<LoadedModel> {
  return loadText(`${HEAD}${LOOP(body)}`, settings)
}

const NO_MODEL = 'a program takes any input and no parameters of a model'
/** What the conformance suite asks of models and not of programs, with the reason. */
export const OF_MODELS_ONLY = {
  streams: NO_MODEL,
  seed: NO_MODEL,
  'max tokens': NO_MODEL,
  stop: NO_MODEL,
  choices: NO_MODEL,
  completion: NO_MODEL,
  embedding: NO_MODEL,
  'back-pressure': NO_MODEL,
  isolation: NO_MODEL,
  'bad request': NO_MODEL,
  context: NO_MODEL,
}
