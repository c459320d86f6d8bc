import type { Signer } from '#platform'
import { type Home, loadSigner } from '../home.ts'

/** The keys of the roles that one operator runs. On the dev chain the treasury owns the supply and fills faucets. */
export const ROLES = ['treasury', 'operator', 'router', 'sequencer', 'developer'] as const
export type RoleSigners = { readonly [R in (typeof ROLES)[number]]: Signer }

export function roleSigners(home: Home): RoleSigners {
  return Object.fromEntries(ROLES.map(role => [role, loadSigner(home, role)])) as RoleSigners // cast: one entry per role
}
