import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { createModelStore, manifestForModel, parseManifest, sourceOfArgument } from '#compute'
import { createLogger, systemClock } from '#platform'
import { checkWeights } from '#platform/tokenizer'
import { formatUnits, jsonText, type PodManifest, parseUnits } from '#protocol'
import { openHome } from '../home.ts'
import { proxiesOf } from '../proxies.ts'
import { PACKAGE_ROOT } from '../version.ts'
import { type Context, usageError } from './commands.ts'
import { createPullBar } from './pull-bar.ts'

/** What `pod deploy` takes; `pod apply` takes a file only. */
export type DeployOptions = {
  readonly file?: string
  readonly model?: string
  readonly name?: string
  readonly inputPrice?: string
  readonly outputPrice?: string
  readonly context?: number
}
/** A manifest with the checksum of what it names, and where that lies on this machine. */
export type ReadManifest = { readonly manifest: PodManifest; readonly modelFile: string | null }

const NANO_DECIMALS = 9

/** JSON with bigints as text, as the API takes it. */
export function manifestText(manifest: PodManifest): string {
  return jsonText(manifest)
}

/** @throws HeuristError MANIFEST_INVALID with lines and columns, CLI_USAGE, MODEL_* */
export async function manifestOf(context: Context, options: DeployOptions): Promise<ReadManifest> {
  if ((options.file === undefined) === (options.model === undefined)) throw usageError('Give either --model <source> or -f <manifest>.')
  if (options.file !== undefined) {
    const manifest = besideFile(parseManifest(readText(options.file)), options.file)
    return ['llama', 'command'].includes(manifest.spec.engine.name) ? withModel(context, manifest) : { manifest, modelFile: null }
  }
  const source = sourceOfArgument(options.model ?? '', process.cwd())
  const name = options.name ?? nameOf(source)
  const price = { input: credits(options.inputPrice ?? ''), output: credits(options.outputPrice ?? '') }
  return withModel(context, manifestForModel({ name, source, price, ...(options.context && { contextLength: options.context }) }))
}

/** `file:./program.mjs` lies beside the manifest, or in the working folder of a manifest from standard input; a node can not know which folder is meant. */
function besideFile(manifest: PodManifest, path: string): PodManifest {
  const { model } = manifest.spec
  if (!/^file:\.{1,2}\//.test(model.source)) return manifest
  const source = `file:${resolve(dirname(path), model.source.slice('file:'.length))}`
  return { ...manifest, spec: { ...manifest.spec, model: { ...model, source } } }
}

/** The weights, or the program, are part of a pod's identity: the manifest names their checksum and size, whoever serves them later. */
async function withModel(context: Context, manifest: PodManifest): Promise<ReadManifest> {
  const modelFile = await fetchModel(context, manifest)
  if (modelFile !== null && manifest.spec.engine.name === 'llama') await checkWeights(modelFile)
  if (modelFile === null || manifest.spec.model.sha256) return { manifest, modelFile }
  const { size: bytes } = statSync(modelFile)
  if (bytes === 0) throw usageError(`${modelFile} is empty: there is nothing to serve.`)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(modelFile)) hash.update(chunk)
  const model = { ...manifest.spec.model, sha256: hash.digest('hex'), bytes }
  return { manifest: { ...manifest, spec: { ...manifest.spec, model } }, modelFile }
}

/** A dash is what a program pipes into this one. */
function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? process.stdin.fd : path, 'utf8')
  } catch {
    throw usageError(`${path} can not be read. Give the path of a pod manifest, or - for standard input.`)
  }
}

/** `hf:owner/repo` -> `owner/repo`, `./my-model.Q4_K_M.gguf` -> `my-model.q4_k_m`. */
function nameOf(source: string): string {
  const plain = source.startsWith('hf:')
    ? source.slice('hf:'.length).split('/').slice(0, 2).join('/')
    : basename(source).replace(/\.gguf$/i, '')
  return plain.toLowerCase().replace(/[^a-z0-9._/-]+/g, '-')
}

function credits(text: string): bigint {
  try {
    return parseUnits(text, NANO_DECIMALS)
  } catch {
    throw usageError(`"${text}" is not a price in credits, such as 5 or 0.25 (smallest step ${formatUnits(1n, NANO_DECIMALS)}).`)
  }
}

/** Brings the model into this machine's cache with a progress bar; nodes on this machine then find it there. */
async function fetchModel({ output, config }: Context, manifest: PodManifest): Promise<string | null> {
  const home = openHome(config.home)
  const bar = createPullBar(output.json)
  const store = createModelStore(
    {
      modelsDir: join(PACKAGE_ROOT, 'models'),
      cacheDir: home.models,
      cacheBytes: config.modelCacheBytes,
      hubUrl: config.hubUrl,
      proxies: proxiesOf(config),
    },
    { clock: systemClock, random: Math.random, logger: createLogger({ level: 'error', role: 'cli' }) },
  )
  try {
    return (await store.resolve(manifest, { signal: AbortSignal.timeout(24 * 3_600_000), onProgress: bar.update })).path
  } finally {
    bar.stop()
    await store.close()
  }
}
