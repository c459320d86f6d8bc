import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { keccak256 } from '#protocol'
import { modelError } from './errors.ts'

export type CacheOptions = { readonly directory: string; readonly budgetBytes: number }
export type CacheDependencies = { readonly now: () => number }

/** Models by the hash of their bytes. What is held by a loaded pod is never deleted; the rest goes when room is needed, least recently used first. */
export type ModelCache = {
  /** Path of a model that is here, or null. Counts as a use. */
  find(sha256: string): string | null
  /** Keeps a model until the returned function is called. */
  hold(sha256: string): () => void
  /** Moves a complete, checked file in. */
  adopt(temporaryPath: string, sha256: string): string
  /** Path for an unfinished download; the same key gives the same path after a restart. */
  partPath(key: string): string
  /** What a source was found to be, so that a second start needs no network. */
  reference(key: string): string | null
  refer(key: string, sha256: string): void
  /** Deletes unused models until `bytes` more fit into the budget. @throws HeuristError MODEL_CACHE_FULL */
  makeRoom(bytes: number): void
  usedBytes(): number
}

const referenceSchema = z.object({ key: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
type Blob = { readonly sha256: string; readonly path: string; readonly bytes: number; readonly usedAtMs: number }

export function createModelCache(options: CacheOptions, dependencies: CacheDependencies): ModelCache {
  const { directory, budgetBytes } = options
  const folders = { blobs: join(directory, 'blobs'), parts: join(directory, 'parts'), references: join(directory, 'references') }
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const holds = new Map<string, number>()
  const nameOf = (key: string) => keccak256(key).slice(2, 42)

  function touch(path: string): void {
    const seconds = dependencies.now() / 1000
    utimesSync(path, seconds, seconds)
  }

  return {
    find(sha256) {
      const path = join(folders.blobs, sha256)
      if (!existsSync(path)) return null
      touch(path)
      return path
    },
    hold(sha256) {
      holds.set(sha256, (holds.get(sha256) ?? 0) + 1)
      let isHeld = true
      return () => {
        if (isHeld) holds.set(sha256, (holds.get(sha256) ?? 1) - 1)
        isHeld = false
      }
    },
    adopt(temporaryPath, sha256) {
      const path = join(folders.blobs, sha256)
      renameSync(temporaryPath, path)
      touch(path)
      return path
    },
    partPath: key => join(folders.parts, nameOf(key)),
    reference(key) {
      const path = join(folders.references, nameOf(key))
      if (!existsSync(path)) return null
      const parsed = referenceSchema.safeParse(parseJson(readFileSync(path, 'utf8')))
      return parsed.success && parsed.data.key === key ? parsed.data.sha256 : null
    },
    refer(key, sha256) {
      const path = join(folders.references, nameOf(key))
      writeFileSync(`${path}.new`, JSON.stringify({ key, sha256 }), { mode: 0o600, flush: true })
      renameSync(`${path}.new`, path)
    },
    makeRoom(bytes) {
      evict(readBlobs(folders.blobs), { bytes, budgetBytes, isHeld: sha256 => (holds.get(sha256) ?? 0) > 0 })
    },
    usedBytes: () => readBlobs(folders.blobs).reduce((sum, blob) => sum + blob.bytes, 0),
  }
}

function readBlobs(directory: string): Blob[] {
  return readdirSync(directory).map(sha256 => {
    const path = join(directory, sha256)
    const { size, mtimeMs } = statSync(path)
    return { sha256, path, bytes: size, usedAtMs: mtimeMs }
  })
}

function evict(blobs: readonly Blob[], need: { bytes: number; budgetBytes: number; isHeld: (sha256: string) => boolean }): void {
  let used = blobs.reduce((sum, blob) => sum + blob.bytes, 0)
  const free = blobs.filter(blob => !need.isHeld(blob.sha256)).sort((a, b) => a.usedAtMs - b.usedAtMs)
  const held = used - free.reduce((sum, blob) => sum + blob.bytes, 0)
  if (held + need.bytes > need.budgetBytes) {
    // Judged before anything is deleted: a model that can not fit must not cost the others their place.
    const detail = `${need.bytes} bytes are needed, the budget is ${need.budgetBytes} and loaded models hold ${held}`
    throw modelError(
      'MODEL_CACHE_FULL',
      `The model does not fit into the cache: ${detail}. Raise the cache budget of the node or serve fewer pods.`,
    )
  }
  for (const blob of free) {
    if (used + need.bytes <= need.budgetBytes) return
    rmSync(blob.path, { force: true })
    used -= blob.bytes
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A torn reference is no harm: the source is asked again.
    return null
  }
}
