import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes32, bytes32Schema, HeuristError, variableNameSchema } from '#protocol'

/**
 * - `SECRET_MISSING`: the pod asks for a secret that the node's owner has not set
 * - `SECRETS_EXPOSED`: others may read the file of a secret
 * - `SECRET_INVALID`: a name or value that no environment variable can have
 */
export type SecretErrorCode = 'SECRET_MISSING' | 'SECRETS_EXPOSED' | 'SECRET_INVALID'

/** Linux takes 128 KiB for one variable, its name included. */
const MAX_SECRET_BYTES = 64 * 1024
/** Bits of a file's mode that let others read it. */
const OTHERS = 0o077

/** What may be shown of a secret: never its value. */
export type SecretInfo = { readonly podId: Bytes32; readonly name: string; readonly changedAtMs: number }

export type Secrets = {
  /** Those that a manifest names, and no others. @throws HeuristError SECRET_MISSING, SECRETS_EXPOSED */
  read(podId: Bytes32, names: readonly string[]): Record<string, string>
  /** Whoever reads at the same time sees the old value or the new one. @throws HeuristError SECRET_INVALID */
  set(podId: Bytes32, name: string, value: Buffer): void
  list(): SecretInfo[]
  /** False when there is no such secret. */
  delete(podId: Bytes32, name: string): boolean
}

/**
 * Secrets that a node's owner set for pods, each a file `<pod id>/<NAME>` of mode 600 in the node's folder. By the pod's id and not by
 * its name: anyone may deploy a pod of the same name.
 */
export function openSecrets(folder: string): Secrets {
  const pathOf = (podId: Bytes32, name: string): string => join(folder, podId, name)
  return {
    read: (podId, names) => Object.fromEntries(names.map(name => [name, readValue(pathOf(podId, name), podId, name)])),
    set(podId, name, value) {
      checkName(name)
      checkValue(value)
      mkdirSync(join(folder, podId), { recursive: true, mode: 0o700 })
      replaceFile(pathOf(podId, name), value)
    },
    list: () =>
      entriesOf(folder)
        .filter((entry): entry is Bytes32 => bytes32Schema.safeParse(entry).success)
        .flatMap(podId => secretsOf(folder, podId)),
    delete(podId, name) {
      checkName(name)
      const isThere = entriesOf(join(folder, podId)).includes(name)
      rmSync(pathOf(podId, name), { force: true })
      if (entriesOf(join(folder, podId)).length === 0) removeEmpty(join(folder, podId))
      return isThere
    },
  }
}

function checkName(name: string): void {
  if (variableNameSchema.safeParse(name).success) return
  throw invalid(`"${name}" is no name of an environment variable: letters, digits and "_", no digit first, 64 at most`)
}

function checkValue(value: Buffer): void {
  if (value.length === 0) throw invalid('it is empty')
  if (value.length > MAX_SECRET_BYTES) throw invalid(`it has ${value.length} bytes, and an environment variable holds ${MAX_SECRET_BYTES}`)
  if (value.includes(0) || !Buffer.from(value.toString('utf8')).equals(value))
    throw invalid('it is no text; encode it, for example with base64')
}

function invalid(detail: string): HeuristError<SecretErrorCode> {
  return new HeuristError('SECRET_INVALID', `The secret can not be set: ${detail}.`)
}

function readValue(path: string, podId: Bytes32, name: string): string {
  try {
    if ((statSync(path).mode & OTHERS) !== 0)
      throw new HeuristError<SecretErrorCode>('SECRETS_EXPOSED', `Others may read the secret in ${path}. Run: chmod 600 ${path}`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // cast: fs throws system errors
    throw new HeuristError<SecretErrorCode>(
      'SECRET_MISSING',
      `The pod needs the secret ${name}. The node's owner sets it: heurist secret set ${podId} ${name}`,
    )
  }
}

/** On disk before it takes the name, so that no crash leaves half of a value under it. */
function replaceFile(path: string, bytes: Buffer): void {
  const partial = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(partial, bytes, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(partial, path)
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // cast: fs throws system errors
    throw error
  }
}

function secretsOf(folder: string, podId: Bytes32): SecretInfo[] {
  return entriesOf(join(folder, podId))
    .filter(name => variableNameSchema.safeParse(name).success)
    .flatMap(name => {
      const stats = statSync(join(folder, podId, name), { throwIfNoEntry: false })
      return stats ? [{ podId, name, changedAtMs: Math.round(stats.mtimeMs) }] : []
    })
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Another command has put a secret into it, or it was never there.
  }
}
