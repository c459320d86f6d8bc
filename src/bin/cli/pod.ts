import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { createModelStore, manifestForModel, parseManifest, sourceOfArgument } from '#compute'
import { createLogger, systemClock } from '#platform'
import { formatUnits, type PodManifest, parseUnits } from '#protocol'
import { openHome } from '../home.ts'
import { PACKAGE_ROOT } from '../version.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { EXIT, short, table } from './output.ts'
import { createPullBar } from './pull-bar.ts'

type PodRow = {
  podId: string
  name: string
  runtime: string
  engine: string
  version: number
  deployer: string
  manifestHash: string
  description: string
  model: { id: string; quantization: string; contextLength: number }
  priceCreditsPerMillion: { input: string; output: string }
  warm: number
  replicas: number
  freeSlots: number
  scale: { desired: number; ceiling: number | null; reasons: readonly string[] } | null
}
type DeployOptions = {
  readonly file?: string
  readonly model?: string
  readonly name?: string
  readonly inputPrice?: string
  readonly outputPrice?: string
  readonly context?: number
}

const NANO_DECIMALS = 9

/** `heurist pod …`: what runs on the nodes, and how to add one. */
export function podCommands(pod: Command, attach: Attach): void {
  attach(pod.command('list').description('List pods with prices and replicas'), async ({ output, client }) => {
    const { data } = await client().get<{ data: readonly PodRow[] }>('/api/pods')
    output.answer(data, () => table(['pod', 'runtime', 'model', 'credits per 1M in/out', 'warm', 'free slots', 'version'], data.map(rowOf)))
    return EXIT.ok
  })
  attach(pod.command('get <name>').description('Show one pod'), async ({ output, client }, [name = '']) => {
    const { data } = await client().get<{ data: readonly PodRow[] }>('/api/pods')
    const found = data.find(row => row.name === name || row.podId === name)
    if (!found) throw usageError(`No pod is named "${name}". Pods: ${data.map(row => row.name).join(', ') || 'none'}.`)
    output.answer(
      found,
      () =>
        `${found.name}  ${found.description}\n\n${table(['pod', 'runtime', 'model', 'credits per 1M in/out', 'warm', 'free slots', 'version'], [rowOf(found)])}\n\n${scaleText(found)}\nid ${found.podId}\nmanifest ${found.manifestHash}\ndeployer ${found.deployer}`,
    )
    return EXIT.ok
  })
  const deploy = pod
    .command('deploy')
    .description('Deploy a pod: your own model, or a manifest')
    .option('--model <source>', './file.gguf, hf:<owner>/<repo>[/<file>] or https://…')
    .option('-f, --file <manifest>', 'pod manifest (YAML or JSON)')
    .option('--name <name>', 'name that users put into "model"; default: from the model')
    .option('--input-price <credits>', 'credits per 1M input tokens', '5')
    .option('--output-price <credits>', 'credits per 1M output tokens', '10')
    .option('--context <tokens>', 'context length', Number)
  attach(deploy, async (context, _args, options: DeployOptions) => {
    const { manifest, modelFile } = await manifestOf(context, options)
    const made = await context
      .client('admin')
      .post<{ podId: string; version: number }>('/api/pods', { manifest: manifestText(manifest), modelFile })
    context.output.answer(
      { name: manifest.metadata.name, ...made },
      () =>
        `deployed ${manifest.metadata.name} version ${made.version} (${short(made.podId)}). Nodes load it now: heurist pod get ${manifest.metadata.name}`,
    )
    return EXIT.ok
  })
  attach(pod.command('delete <name>').description('Take a pod off the network'), async ({ output, client }, [name = '']) => {
    const answer = await client('admin').remove<{ name: string }>(`/api/pods/${encodeURIComponent(name)}`)
    output.answer(answer, () => `deleted ${answer.name}`)
    return EXIT.ok
  })
}

function scaleText({ scale }: PodRow): string {
  if (!scale) return 'replicas wanted: not looked at yet'
  const ceiling = scale.ceiling === null ? '' : `, votes allow ${scale.ceiling}`
  return `replicas wanted: ${scale.desired}${ceiling} (${scale.reasons.join('; ')})`
}

function rowOf(pod: PodRow): (string | number)[] {
  return [
    pod.name,
    `${pod.runtime} (${pod.engine})`,
    `${pod.model.id} ${pod.model.quantization}`,
    `${pod.priceCreditsPerMillion.input} / ${pod.priceCreditsPerMillion.output}`,
    `${pod.warm} of ${pod.replicas}`,
    pod.freeSlots,
    pod.version,
  ]
}

function manifestText(manifest: PodManifest): string {
  return JSON.stringify(manifest, (_key, value) => (typeof value === 'bigint' ? value.toString() : value))
}

async function manifestOf(context: Context, options: DeployOptions): Promise<{ manifest: PodManifest; modelFile: string | null }> {
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

/** `file:./program.mjs` lies beside the manifest; a node can not know which folder is meant. */
function besideFile(manifest: PodManifest, path: string): PodManifest {
  const { model } = manifest.spec
  if (!/^file:\.{1,2}\//.test(model.source)) return manifest
  const source = `file:${resolve(dirname(path), model.source.slice('file:'.length))}`
  return { ...manifest, spec: { ...manifest.spec, model: { ...model, source } } }
}

/** The weights, or the program, are part of a pod's identity: the manifest names their checksum and size, whoever serves them later. */
async function withModel(context: Context, manifest: PodManifest): Promise<{ manifest: PodManifest; modelFile: string | null }> {
  const modelFile = await fetchModel(context, manifest)
  if (modelFile === null || manifest.spec.model.sha256) return { manifest, modelFile }
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(modelFile)) hash.update(chunk)
  const model = { ...manifest.spec.model, sha256: hash.digest('hex'), bytes: statSync(modelFile).size }
  return { manifest: { ...manifest, spec: { ...manifest.spec, model } }, modelFile }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw usageError(`${path} can not be read. Give the path of a pod manifest.`)
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
    { modelsDir: join(PACKAGE_ROOT, 'models'), cacheDir: home.models, cacheBytes: config.modelCacheBytes, hubUrl: config.hubUrl },
    { clock: systemClock, random: Math.random, logger: createLogger({ level: 'error', role: 'cli' }) },
  )
  try {
    return (await store.resolve(manifest, { signal: AbortSignal.timeout(24 * 3_600_000), onProgress: bar.update })).path
  } finally {
    bar.stop()
    await store.close()
  }
}
