import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeuristError } from '#protocol'
import type { DatabaseErrorCode } from '../port.ts'
import { type Binaries, POSTGRES_MAJOR } from './binaries.ts'
import { launchAs, type ServerUser } from './privileges.ts'

/** Where things lie below the directory that the driver was given. */
export type Layout = { readonly root: string; readonly data: string; readonly log: string; readonly marker: string }

export const SUPERUSER = 'heurist'
const PASSWORD_FILE = 'heurist.password'

export function layoutOf(root: string): Layout {
  return { root, data: join(root, 'data'), log: join(root, 'server.log'), marker: join(root, 'initialised') }
}

export function corrupt(layout: Layout, what: string): HeuristError<DatabaseErrorCode> {
  return new HeuristError<DatabaseErrorCode>(
    'DATABASE_CORRUPT',
    `${what} Nothing was changed. Restore ${layout.data} from a backup; or move it away (mv ${layout.root} ${layout.root}.broken) and fill ` +
      'a new one: heurist backup restore <folder>. Without a backup all credits, jobs and keys in it are lost.',
    { payload: { directory: layout.data, log: layout.log } },
  )
}

/**
 * Whether a database is to be made. A directory that was used before is never taken for a new one.
 * @throws HeuristError DATABASE_CORRUPT with what is wrong and what to do
 */
export function needsInitialising(layout: Layout): boolean {
  if (!existsSync(layout.data)) {
    if (existsSync(layout.marker)) throw corrupt(layout, `The database was here (${layout.marker} says so), but ${layout.data} is gone.`)
    return true
  }
  if (readdirSync(layout.data).length === 0) throw corrupt(layout, `The data directory ${layout.data} is empty.`)
  const versionFile = join(layout.data, 'PG_VERSION')
  if (!existsSync(versionFile))
    throw corrupt(layout, `${layout.data} has no PG_VERSION file: it is no PostgreSQL data directory, or parts are missing.`)
  const major = Number.parseInt(readFileSync(versionFile, 'utf8'), 10)
  if (major !== POSTGRES_MAJOR) {
    throw corrupt(
      layout,
      `${layout.data} was made by PostgreSQL ${major}, this program brings ${POSTGRES_MAJOR}. Dump it with a ${major} server and load the dump here.`,
    )
  }
  for (const part of ['global/pg_control', 'base', 'pg_wal', 'pg_xact', PASSWORD_FILE]) {
    if (!existsSync(join(layout.data, part))) throw corrupt(layout, `${layout.data} is incomplete: ${part} is missing.`)
  }
  return false
}

export function readPassword(layout: Layout): string {
  return readFileSync(join(layout.data, PASSWORD_FILE), 'utf8').trim()
}

/** Makes a new cluster beside its place and moves it there in one step, so that a half-made one is never mistaken for a database. */
export async function initialise(layout: Layout, binaries: Binaries, user: ServerUser | null, password: string): Promise<void> {
  const fresh = `${layout.data}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { mode: 0o700 })
  const passwordFile = join(layout.root, 'initdb.password')
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (user) for (const path of [fresh, passwordFile]) chownSync(path, user.uid, user.gid)
  try {
    await runInitdb(layout, binaries, user, ['-D', fresh, `--pwfile=${passwordFile}`])
  } finally {
    rmSync(passwordFile, { force: true })
  }
  const kept = join(fresh, PASSWORD_FILE)
  writeFileSync(kept, `${password}\n`, { mode: 0o600 })
  if (user) chownSync(kept, user.uid, user.gid)
  renameSync(fresh, layout.data)
}

function runInitdb(layout: Layout, binaries: Binaries, user: ServerUser | null, args: readonly string[]): Promise<void> {
  const settings = [`--username=${SUPERUSER}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions']
  const launch = launchAs(user, binaries.initdb, [...args, ...settings], [layout.root])
  return new Promise((resolve, reject) => {
    const child = spawn(launch.command, [...launch.args], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
      ...(launch.uid !== undefined && { uid: launch.uid, gid: launch.gid }),
    })
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', text => {
      errors = (errors + text).slice(-4_000)
    })
    child.once('error', reject)
    child.once('close', code => (code === 0 ? resolve() : reject(initdbFailed(layout, errors))))
  })
}

function initdbFailed(layout: Layout, errors: string): HeuristError<DatabaseErrorCode> {
  const full = /no space left/i.test(errors)
  return new HeuristError<DatabaseErrorCode>(
    full ? 'DATABASE_FULL' : 'DATABASE_UNAVAILABLE',
    full
      ? `There is no space left on the disk of ${layout.root} to make a database (about 50 MB). Free some space and start again.`
      : `The database could not be made in ${layout.root}: ${errors.trim().split('\n').at(-1) ?? 'initdb failed'}. Check that the directory can be written, then start again.`,
    { retryable: full },
  )
}
