import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { HeuristError } from '#protocol'
import type { DatabaseErrorCode } from '../port.ts'

/** PostgreSQL refuses to run as root; then it runs as this user, who owns nothing but the data directory. */
export type ServerUser = { readonly uid: number; readonly gid: number }

/** The user that the server must run as, or null when we are an ordinary user (or on Windows) and no change is needed. */
export function serverUser(dataDirectory: string): ServerUser | null {
  if (process.getuid?.() !== 0) return null
  if (existsSync(dataDirectory)) {
    // Whoever made the directory keeps it, even when a `postgres` user was added to the machine since.
    const { uid, gid } = statSync(dataDirectory)
    if (uid !== 0) return { uid, gid }
  }
  const user = lookUp('postgres') ?? lookUp('nobody')
  if (user) return user
  throw new HeuristError<DatabaseErrorCode>(
    'DATABASE_UNAVAILABLE',
    'PostgreSQL does not run as root, and this machine has neither a "postgres" nor a "nobody" user. Run as an ordinary user, or set DATABASE_URL.',
  )
}

function lookUp(name: string): ServerUser | null {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return null
  }
}

function isOpenToOthers(path: string): boolean {
  for (let current = resolve(path); ; current = dirname(current)) {
    if ((statSync(current).mode & 0o001) === 0) return false
    if (current === dirname(current)) return true
  }
}

export type Launch = { readonly command: string; readonly args: readonly string[]; readonly uid?: number; readonly gid?: number }

/**
 * How to start `program` as `user`. A clone below a private directory (`/root`, `mktemp -d`) can not be entered by
 * another user; rather than open directories that are not ours, the server then gets the one capability of passing through them.
 * @throws HeuristError DATABASE_UNAVAILABLE when that is needed and `setpriv` is missing
 */
export function launchAs(user: ServerUser | null, program: string, args: readonly string[], mustReach: readonly string[]): Launch {
  if (!user) return { command: program, args }
  if ([dirname(program), ...mustReach].every(isOpenToOthers)) return { command: program, args, ...user }
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv', '/usr/sbin/setpriv'].find(existsSync)
  if (!setpriv) {
    throw new HeuristError<DatabaseErrorCode>(
      'DATABASE_UNAVAILABLE',
      `PostgreSQL runs as user ${user.uid}, who can not enter ${dirname(program)} or ${mustReach.join(', ')}. Run as an ordinary user, move the project out of the private directory, or set DATABASE_URL.`,
    )
  }
  const capability = passThroughCapability(setpriv)
  const drop = [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
  ]
  return { command: setpriv, args: [...drop, program, ...args] }
}

/** `dac_read_search` is the narrow one; containers often keep only `dac_override`. */
function passThroughCapability(setpriv: string): string {
  try {
    execFileSync(setpriv, ['--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search', 'true'], { stdio: 'ignore' })
    return 'dac_read_search'
  } catch {
    return 'dac_override'
  }
}
