/** The drivers' face: imported by `bin` and by tests only. */
export { startWatchdog, type Watchdog } from '../watchdog.ts'
export { type BackupErrorCode, type BackupManifest, createBackup, restoreBackup } from './backup/index.ts'
export { createDatabase, type DatabaseOptions } from './database.ts'
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, runningServerUrl, startEmbeddedPostgres } from './embedded/index.ts'
export { becomeLeader, type Leadership } from './leader.ts'
