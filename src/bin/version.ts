import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** The package's folder and version. */
export const PACKAGE_ROOT = join(import.meta.dirname, '..', '..')
export const VERSION = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'))).version
