import { existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { HeuristError, messageOf, type PodManifest } from '#protocol'
import type { ResolvedModel } from './replicas.ts'

/**
 * - `MODEL_UNKNOWN_BUILTIN`: no model of that id ships with this version
 * - `MODEL_FILE_MISSING`: a `file:` source or a shipped file is not there
 * - `MODEL_CATALOGUE_BROKEN`: models/models.json can not be read
 */
export type ModelErrorCode = 'MODEL_UNKNOWN_BUILTIN' | 'MODEL_FILE_MISSING' | 'MODEL_CATALOGUE_BROKEN'

export type ModelStore = {
  /** The model's file, pulled when needed and kept until `release`. @throws HeuristError MODEL_* */
  resolve(manifest: PodManifest, signal: AbortSignal): Promise<ResolvedModel>
  /** Where the model is or would come from, for doctor. */
  describe(manifest: PodManifest): string
}

export type ModelStoreOptions = {
  /** The package's `models` folder, with its catalogue models.json. */
  readonly modelsDir: string
}

const catalogueSchema = z.record(z.string(), z.looseObject({ file: z.string().nullish() }))

/** Finds models: shipped ones in the package, files of the owner in place, all others pulled into the cache. */
export function createModelStore(options: ModelStoreOptions): ModelStore {
  return {
    async resolve(manifest) {
      const path = localPath(manifest, options)
      if (path === null) return { path: null, bytes: manifest.spec.model.bytes ?? 0, release: () => {} }
      return { path, bytes: statSync(path).size, release: () => {} }
    },
    describe(manifest) {
      return manifest.spec.model.source
    },
  }
}

function localPath(manifest: PodManifest, { modelsDir }: ModelStoreOptions): string | null {
  const { model, engine } = manifest.spec
  if (engine.name === 'upstream') return null
  if (model.source.startsWith('builtin:')) return builtinPath(model.source.slice('builtin:'.length), modelsDir)
  if (model.source.startsWith('file:')) return existing(filePath(model.source), "Correct the pod's source, or put the file there.")
  throw new HeuristError<ModelErrorCode>('MODEL_FILE_MISSING', `${model.source} can not be pulled yet.`)
}

function filePath(source: string): string {
  const path = source.startsWith('file://') ? new URL(source).pathname : source.slice('file:'.length)
  if (isAbsolute(path)) return path
  throw new HeuristError<ModelErrorCode>(
    'MODEL_FILE_MISSING',
    `${source} is not an absolute path; a node can not know which folder is meant.`,
  )
}

function builtinPath(id: string, modelsDir: string): string | null {
  const catalogue = readCatalogue(join(modelsDir, 'models.json'))
  const entry = catalogue[id]
  if (!entry) {
    const known = Object.keys(catalogue).join(', ')
    throw new HeuristError<ModelErrorCode>('MODEL_UNKNOWN_BUILTIN', `No model "${id}" ships with this version. It has: ${known}.`)
  }
  return entry.file ? existing(join(modelsDir, entry.file), 'The installation is incomplete; install again.') : null
}

function existing(path: string, fix: string): string {
  if (existsSync(path)) return path
  throw new HeuristError<ModelErrorCode>('MODEL_FILE_MISSING', `The model file ${path} does not exist. ${fix}`)
}

function readCatalogue(path: string): z.output<typeof catalogueSchema> {
  try {
    return catalogueSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const message = `The catalogue of shipped models ${path} can not be read: ${messageOf(cause)}. Install again.`
    throw new HeuristError<ModelErrorCode>('MODEL_CATALOGUE_BROKEN', message, { cause })
  }
}
