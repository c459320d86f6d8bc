import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { HeuristError } from '#protocol'
import type { BlobErrorCode, BlobStore } from './port.ts'

export type * from './port.ts'

/** Blobs as files named by their sha256. A write is synced and then renamed: a crash leaves the whole blob or none. */
export function createBlobStore(options: { readonly directory: string }): BlobStore {
  const path = (sha256: string): string => join(options.directory, sha256)
  return {
    path,
    has: async sha256 => existsSync(path(sha256)),
    async put(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (existsSync(path(sha256))) return sha256
      await mkdir(options.directory, { recursive: true, mode: 0o700 })
      const partial = join(options.directory, `.${randomUUID()}.partial`)
      const file = await open(partial, 'wx', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(partial, path(sha256))
      return sha256
    },
    async get(sha256) {
      if (!existsSync(path(sha256)))
        throw new HeuristError<BlobErrorCode>('BLOB_MISSING', `Blob ${sha256} is not in ${options.directory}. Deploy its pod again.`)
      const bytes = await readFile(path(sha256))
      const found = createHash('sha256').update(bytes).digest('hex')
      if (found === sha256) return bytes
      throw new HeuristError<BlobErrorCode>(
        'BLOB_CORRUPT',
        `${path(sha256)} is damaged: its content has sha256 ${found}. Delete the file and deploy its pod again.`,
      )
    },
  }
}
