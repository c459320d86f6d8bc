import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { HeuristError, messageOf } from '#protocol'

export const MANIFEST = 'manifest.json'
const FORMAT = 'heurist-backup-1'

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  createdAtMs: z.number().int(),
  /** Schema of the program that made it; restored by this one or a newer one. */
  schemaVersion: z.number().int().positive(),
  /** Sum of all balances by asset: zero, by law L1. */
  ledger: z.array(z.object({ asset: z.string(), sum: z.string() })),
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.number().int().min(0),
      /** One JSON array of texts per line, gzip. */
      file: z.string().regex(/^[\w.-]+$/),
      bytes: z.number().int(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  /** Files that the database does not hold, relative to the folder of all state: keys, the record of the contracts. */
  beside: z.array(z.string()),
})
export type BackupManifest = z.output<typeof manifestSchema>
export type BackupTable = BackupManifest['tables'][number]

export type BackupErrorCode =
  /** The folder holds something already; a backup never replaces one. */
  | 'BACKUP_EXISTS'
  /** No backup of ours, or of another format. */
  | 'BACKUP_UNREADABLE'
  /** A file differs from its hash, or its rows break a law of the ledger. */
  | 'BACKUP_CORRUPT'
  /** Something is in the database already; a restore never mixes two. */
  | 'RESTORE_NOT_EMPTY'

export function manifestOf(content: Omit<BackupManifest, 'format'>): BackupManifest {
  return { format: FORMAT, ...content }
}

/** The manifest and every file behind it, checked. @throws HeuristError BACKUP_UNREADABLE, BACKUP_CORRUPT */
export async function readBackup(directory: string): Promise<BackupManifest> {
  const path = join(directory, MANIFEST)
  if (!existsSync(path)) {
    throw new HeuristError<BackupErrorCode>(
      'BACKUP_UNREADABLE',
      `${directory} holds no backup: it has no ${MANIFEST}. One that was interrupted has none either; take an older one.`,
    )
  }
  let manifest: BackupManifest
  try {
    manifest = manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new HeuristError<BackupErrorCode>(
      'BACKUP_UNREADABLE',
      `${path} is damaged or of a format that this program does not know: ${messageOf(cause)}`,
      { cause },
    )
  }
  for (const table of manifest.tables) {
    const found = await sha256Of(join(directory, table.file))
    if (found !== table.sha256) throw corruptBackup(`${join(directory, table.file)} does not have the sha256 that the manifest says`)
  }
  return manifest
}

export function corruptBackup(what: string): HeuristError<BackupErrorCode> {
  return new HeuristError<BackupErrorCode>(
    'BACKUP_CORRUPT',
    `${what}. Nothing was restored; take another copy of this backup, or an older one.`,
  )
}

async function sha256Of(path: string): Promise<string | null> {
  if (!existsSync(path)) return null
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
