import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Command } from 'commander'
import { createLogger, systemClock } from '#platform'
import {
  type BackupManifest,
  createBackup,
  restoreBackup,
  runningServerUrl,
  startEmbeddedPostgres,
  startWatchdog,
} from '#platform/database'
import type { Config } from '../config.ts'
import { type Home, lockHome, openHome } from '../home.ts'
import type { Attach } from './commands.ts'
import { EXIT, table, time } from './output.ts'

/** `heurist backup create|restore`: the database, with the list of files that must be kept beside it. */
export function backupCommands(backup: Command, attach: Attach): void {
  attach(
    backup.command('create <folder>').description('Copy the database as of now into a new folder; the network may run'),
    async ({ output, config }, [folder = '']) => {
      const home = openHome(config.home)
      const manifest = await withDatabase(config, home, connectionString =>
        createBackup({ connectionString, directory: folder, beside: filesBeside(home) }, { clock: systemClock }),
      )
      const isSound = manifest.ledger.every(({ sum }) => sum === '0')
      output.answer(manifest, () => createdText(folder, home, manifest))
      if (!isSound) output.note('The ledger does not sum to zero: this backup can not be restored. Keep it, and find out why.')
      return isSound ? EXIT.ok : EXIT.mismatch
    },
  )
  attach(
    backup.command('restore <folder>').description('Load a backup into an empty database; the network must not run'),
    async ({ output, config }, [folder = '']) => {
      const home = openHome(config.home)
      const unlock = lockHome(home)
      try {
        const manifest = await withDatabase(config, home, connectionString =>
          restoreBackup({ connectionString, directory: folder }, { logger: createLogger({ level: 'error', role: 'cli' }) }),
        )
        output.answer(manifest, () => restoredText(home, manifest))
        return EXIT.ok
      } finally {
        unlock()
      }
    },
  )
}

/** Of the database in the settings, of the server that runs in the home folder, or of one that is started for this. */
async function withDatabase<T>(config: Config, home: Home, work: (connectionString: string) => Promise<T>): Promise<T> {
  const running = config.databaseUrl || runningServerUrl(home.database)
  if (running) return work(running)
  const watchdog = startWatchdog()
  const logger = createLogger({ level: 'error', role: 'cli' })
  try {
    const server = await startEmbeddedPostgres({ directory: home.database }, { logger, watchdog })
    return await work(server.connectionString).finally(() => server.stop())
  } finally {
    await watchdog.stop()
  }
}

/** What the database can not give back: keys, where the contracts are, files that pods were deployed from. Hub models are fetched again. */
function filesBeside(home: Home): string[] {
  const folders = [home.keys, home.chain, home.blobs, home.nodes].filter(folder => existsSync(folder))
  return folders
    .flatMap(folder => readdirSync(folder, { withFileTypes: true, recursive: true }))
    .filter(entry => entry.isFile())
    .map(entry => relative(home.root, join(entry.parentPath, entry.name)))
    .sort()
}

function tablesText(manifest: BackupManifest): string {
  return table(
    ['table', 'rows', 'bytes', 'sha256'],
    manifest.tables.map(({ name, rows, bytes, sha256 }) => [name, rows, bytes, sha256.slice(0, 16)]),
  )
}

function createdText(folder: string, home: Home, manifest: BackupManifest): string {
  return [
    tablesText(manifest),
    '',
    `Backup of ${time(manifest.createdAtMs)} in ${folder}.`,
    `Save these files of ${home.root} too, encrypted: they hold keys, and no backup of the database gives them back.`,
    ...manifest.beside.map(path => `  ${path}`),
  ].join('\n')
}

function restoredText(home: Home, manifest: BackupManifest): string {
  const missing = manifest.beside.filter(path => !existsSync(join(home.root, path)))
  return [
    tablesText(manifest),
    '',
    `Restored as of ${time(manifest.createdAtMs)}; every event of the ledger sums to zero.`,
    ...(missing.length > 0
      ? [`Put these files of the old folder into ${home.root} before the start:`, ...missing.map(path => `  ${path}`)]
      : []),
    'Then start the network and run: heurist audit money',
  ].join('\n')
}
