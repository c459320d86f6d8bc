import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKey } from '#compute'
import type { Signer } from '#platform'
import { HeuristError } from '#protocol'

/** `HOME_IN_USE`: another `heurist up` runs from the same folder. */
export type HomeErrorCode = 'HOME_IN_USE'

/** Folders of all state (DESIGN §14). Keys are 600 inside a 700 folder; the top is passable so that PostgreSQL, which may not run as root, reaches its data. */
export type Home = {
  readonly root: string
  readonly keys: string
  readonly logs: string
  readonly database: string
  readonly chain: string
  readonly blobs: string
  readonly models: string
  readonly nodes: string
}

export function openHome(root: string): Home {
  const home: Home = {
    root,
    keys: join(root, 'keys'),
    logs: join(root, 'logs'),
    database: join(root, 'database'),
    chain: join(root, 'chain'),
    blobs: join(root, 'blobs'),
    models: join(root, 'models'),
    nodes: join(root, 'nodes'),
  }
  mkdirSync(root, { recursive: true })
  chmodSync(root, 0o711)
  for (const folder of [home.keys, home.logs, home.chain, home.blobs, home.models, home.nodes])
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  return home
}

/** A process of this machine runs under the number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Keeps a second `up` away from the same state. Returns the release. @throws HeuristError HOME_IN_USE */
export function lockHome(home: Home): () => void {
  const path = join(home.root, 'up.pid')
  const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new HeuristError<HomeErrorCode>(
      'HOME_IN_USE',
      `A network already runs from ${home.root} (process ${holder}). Stop it with Ctrl-C there, or use another folder: HEURIST_HOME=… npm start`,
    )
  }
  writeFileSync(path, String(process.pid))
  return () => rmSync(path, { force: true })
}

/** The key of a role in this home, made at first use. @throws HeuristError NODE_KEY_UNREADABLE */
export function loadSigner(home: Home, name: string): Signer {
  return openKey(join(home.keys, `${name}.json`)).signer
}

/** Where a node keeps the secrets that its owner set for pods. */
export function secretsFolder(root: string, node: string): string {
  return join(root, 'nodes', node, 'secrets')
}

/** A secret text that an earlier start left, or null. */
export function readSecret(home: Home, name: string): string | null {
  const path = join(home.keys, name)
  return (existsSync(path) && readFileSync(path, 'utf8').trim()) || null
}

export type SecretMaker = {
  readonly create: () => Promise<string>
  /** A secret that is of no use any more is made anew. */
  readonly isUsable: (secret: string) => Promise<boolean>
}

/** A secret text kept in a file of mode 600; made at first use. */
export async function loadSecret(home: Home, name: string, { create, isUsable }: SecretMaker): Promise<string> {
  const known = readSecret(home, name)
  if (known !== null && (await isUsable(known))) return known
  const secret = await create()
  writeFileSync(join(home.keys, name), secret, { mode: 0o600 })
  return secret
}
