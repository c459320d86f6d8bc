import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelError } from './errors.ts'

/** Where a model comes from, taken apart. */
export type ModelSource =
  | { readonly kind: 'builtin'; readonly id: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL }
  /** `file` is null when the repository's listing has to decide. */
  | { readonly kind: 'hub'; readonly repository: string; readonly file: string | null }

/** One path component of a repository or file: no dot segments, no escapes, nothing that changes the meaning of a URL. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._+-]+$/

/** @throws HeuristError MODEL_BAD_SOURCE */
export function parseSource(source: string): ModelSource {
  if (source.startsWith('builtin:')) return { kind: 'builtin', id: source.slice('builtin:'.length) }
  if (source.startsWith('file:')) return { kind: 'file', path: pathOf(source) }
  if (source.startsWith('hf:')) return parseHub(source)
  if (/^https?:\/\//.test(source) && URL.canParse(source)) return { kind: 'url', url: new URL(source) }
  throw modelError(
    'MODEL_BAD_SOURCE',
    `"${source}" is not a model source. Use builtin:<id>, hf:<owner>/<repo>[/<file>], https://… or file:<absolute path>.`,
  )
}

function pathOf(source: string): string {
  const path = source.startsWith('file://') ? fileURLToPath(source) : source.slice('file:'.length)
  if (isAbsolute(path)) return path
  throw modelError('MODEL_BAD_SOURCE', `${source} is not an absolute path, and a node can not know which folder is meant.`)
}

function parseHub(source: string): ModelSource {
  const [owner, name, ...file] = source.slice('hf:'.length).split('/')
  if (!owner || !name || ![owner, name, ...file].every(part => SEGMENT.test(part))) {
    throw modelError('MODEL_BAD_SOURCE', `"${source}" does not name a repository. Write hf:<owner>/<repo> or hf:<owner>/<repo>/<file>.`)
  }
  return { kind: 'hub', repository: `${owner}/${name}`, file: file.length > 0 ? file.join('/') : null }
}

/**
 * What a user writes after `--model`, as a manifest's source: a path becomes `file:` with the absolute path,
 * everything that already names its kind stays. @throws HeuristError MODEL_BAD_SOURCE
 */
export function sourceOfArgument(argument: string, workingDirectory: string): string {
  if (/^(builtin:|hf:|https?:\/\/|file:)/.test(argument)) {
    parseSource(argument)
    return argument
  }
  return `file:${resolve(workingDirectory, argument)}`
}
