import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { addressSchema, HeuristError } from '#protocol'
import type { Config } from '../config.ts'
import { type Home, loadSigner } from '../home.ts'
import { ROLES, type RoleSigners } from './roles.ts'

/** `HOME_INCOMPLETE`: a part of the state that an earlier start left here is gone or another one. */
export type HomeRecordErrorCode = 'HOME_INCOMPLETE'

/** What a home holds once a network has started from it. */
const homeRecordSchema = z.object({ keys: z.record(z.enum(ROLES), addressSchema), database: z.boolean(), chain: z.boolean() })

function recordPath(home: Home): string {
  return join(home.root, 'network.json')
}

/** Keys, database and chain belong together: each of them made anew by itself would silently leave the money of the others behind. */
export function recordHome(config: Config, home: Home, signers: RoleSigners): void {
  const keys = Object.fromEntries(ROLES.map(role => [role, signers[role].address]))
  const record = { keys, database: config.databaseUrl === '', chain: config.chainRpcUrl === '' }
  writeFileSync(recordPath(home), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
}

/** Refuses to make anew what was here. Before anything starts; nothing is changed. @throws HeuristError HOME_INCOMPLETE */
export function demandWhole(config: Config, home: Home): void {
  if (!existsSync(recordPath(home))) return
  const { keys, database, chain } = readRecord(home)
  for (const role of ROLES) demandKey(home, role, keys[role])
  if (database && config.databaseUrl === '' && !existsSync(join(home.database, 'data'))) {
    throw incomplete(home, home.database, 'is gone', 'Restore it: heurist backup restore <folder>.')
  }
  const isChainGone = !existsSync(join(home.chain, 'state.json')) && !existsSync(join(home.chain, 'deployment.json'))
  if (chain && config.chainRpcUrl === '' && isChainGone) throw incomplete(home, home.chain, 'is gone')
}

function readRecord(home: Home): z.output<typeof homeRecordSchema> {
  try {
    return homeRecordSchema.parse(JSON.parse(readFileSync(recordPath(home), 'utf8')))
  } catch {
    const fix = 'If keys, database and chain are those that belong together, delete the file: the next start writes it again.'
    throw incomplete(home, recordPath(home), 'is damaged', fix)
  }
}

function demandKey(home: Home, role: (typeof ROLES)[number], expected: string): void {
  const path = join(home.keys, `${role}.json`)
  if (!existsSync(path)) throw incomplete(home, path, `is gone: it is the key of ${expected}`)
  const { address } = loadSigner(home, role)
  if (address !== expected) throw incomplete(home, path, `holds the key of ${address}; that of this network is ${expected}`)
}

function incomplete(home: Home, path: string, how: string, fix = 'Restore it from a backup.'): HeuristError<HomeRecordErrorCode> {
  return new HeuristError<HomeRecordErrorCode>(
    'HOME_INCOMPLETE',
    `${path} ${how}. Nothing was changed. ${fix} Or, to start over without the credits, receipts and balances of this folder, ` +
      `move all of it away: mv ${home.root} ${home.root}.old`,
  )
}
