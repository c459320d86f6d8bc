import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { createSigner, newPrivateKey, type Signer } from '#platform'
import { HeuristError, type Hex } from '#protocol'

/** `NODE_KEY_UNREADABLE`: the keystore exists but holds no key. It is never replaced: collateral may hang on it. */
export type KeyErrorCode = 'NODE_KEY_UNREADABLE'

const keystoreSchema = z.object({
  privateKey: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}$/)
    .transform(value => value as Hex), // cast: the pattern is checked above
})
export type NodeKey = { readonly signer: Signer; readonly privateKey: Hex; readonly isNew: boolean; readonly path: string }

/**
 * The key in `path` (`{ "privateKey": "0x…" }`, mode 600), made at the first start. The file is created exclusively, so two
 * processes that start at once do not end with two keys. @throws HeuristError NODE_KEY_UNREADABLE
 */
export function openKey(path: string): NodeKey {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const isNew = !existsSync(path) && createKeystore(path)
  const privateKey = readKeystore(path)
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  return { signer: createSigner(privateKey), privateKey, isNew, path }
}

function createKeystore(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600)
    writeFileSync(file, `${JSON.stringify({ privateKey: newPrivateKey() })}\n`, { flush: true })
    closeSync(file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false // cast: file system errors carry a code
    throw error
  }
}

function readKeystore(path: string): Hex {
  try {
    return keystoreSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).privateKey
  } catch {
    // The cause is left out on purpose: a parser's message may quote the file.
    throw new HeuristError<KeyErrorCode>(
      'NODE_KEY_UNREADABLE',
      `${path} does not hold a key. Restore it from a backup; or, if no collateral is bound to it, delete it and start again to get a new identity.`,
      { payload: { path } },
    )
  }
}
