export { createBackup } from './create.ts'
export type { BackupErrorCode, BackupManifest } from './format.ts'
export { restoreBackup } from './restore.ts'
