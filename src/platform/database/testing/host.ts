import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '#protocol'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../logger.ts'
import { startWatchdog } from '../../watchdog.ts'
import { createDatabase } from '../database.ts'
import { startEmbeddedPostgres } from '../embedded/index.ts'
import { asSuperuser, isAlive, TEMPLATE_DATABASE, withDatabase } from './index.ts'

/** Runs the database server of one test run: `node host.ts <directory> <pid of the runner>`. Ends with the runner. */
const [directory = '', runner = ''] = process.argv.slice(2)

async function prepare(server: string): Promise<void> {
  const template = withDatabase(server, TEMPLATE_DATABASE)
  await asSuperuser(server, async admin => {
    await admin.query(`drop database if exists ${TEMPLATE_DATABASE} with (force)`)
    await admin.query(`create database ${TEMPLATE_DATABASE}`)
  })
  const database = await createDatabase({ connectionString: template }, { logger: silentLogger, clock: systemClock })
  await database.stop()
  // Copying a database needs it to be unused, by maintenance workers too.
  await asSuperuser(server, admin => admin.query(`alter database ${TEMPLATE_DATABASE} allow_connections false`))
}

async function host(): Promise<void> {
  const watchdog = startWatchdog()
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200', max_wal_size: '256MB' }
  const server = await startEmbeddedPostgres({ directory: join(directory, 'server'), settings }, { logger: silentLogger, watchdog })
  const url = server.connectionString
  await prepare(url)
  writeFileSync(join(directory, 'address.new'), url, { mode: 0o600 })
  renameSync(join(directory, 'address.new'), join(directory, 'address'))
  while (isAlive(Number(runner))) await sleep(300)
  await server.stop()
  await watchdog.stop()
}

try {
  await host()
} catch (error) {
  writeFileSync(join(directory, 'failure'), messageOf(error))
  // Long enough for every waiting worker to read it.
  await sleep(5_000)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
