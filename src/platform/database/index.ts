/** The drivers' face: imported by `bin` and by tests only. */
export { startWatchdog, type Watchdog } from '../watchdog.ts'
export { createDatabase, type DatabaseOptions } from './database.ts'
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded/index.ts'
