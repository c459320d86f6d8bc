import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { type Bytes32, HeuristError } from '#protocol'

/** `SECRET_MISSING`: the pod asks for a secret that the node's owner has not set. `SECRETS_EXPOSED`: others may read the file. */
export type SecretErrorCode = 'SECRET_MISSING' | 'SECRETS_EXPOSED'

/** Bits of a file's mode that let others read it. */
const OTHERS = 0o077

function readVariables(path: string): NodeJS.Dict<string> {
  try {
    if ((statSync(path).mode & OTHERS) !== 0)
      throw new HeuristError<SecretErrorCode>('SECRETS_EXPOSED', `Others may read the secrets in ${path}. Run: chmod 600 ${path}`)
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {} // cast: fs throws system errors
    throw error
  }
}

/**
 * Secrets that the node's owner set for a pod, as `NAME=value` lines of `<folder>/<pod id>.env`. A pod gets those that its manifest
 * names and no others. By id and not by name: anyone may deploy a pod of the same name.
 * @throws HeuristError SECRET_MISSING, SECRETS_EXPOSED
 */
export function secretsIn(folder: string): (podId: Bytes32, names: readonly string[]) => Record<string, string> {
  return (podId, names) => {
    if (names.length === 0) return {}
    const path = join(folder, `${podId}.env`)
    const variables = readVariables(path)
    return Object.fromEntries(
      names.map(name => {
        const value = Object.hasOwn(variables, name) ? variables[name] : undefined
        if (value === undefined)
          throw new HeuristError<SecretErrorCode>(
            'SECRET_MISSING',
            `The pod needs the secret ${name}. Set it in ${path} as a line ${name}=…`,
          )
        return [name, value]
      }),
    )
  }
}
