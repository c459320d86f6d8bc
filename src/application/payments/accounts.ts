import { type Address, bytesToHex, keccakBytes } from '#protocol'

/**
 * Names of all ledger accounts, in one place. The ledger refuses to let `credits:` and `allowance:` accounts fall below zero;
 * the others are the far sides of the entries and may.
 */

/** What the vault contract holds for us, seen from here: negative by what was deposited. */
export const VAULT = 'vault'
/** Far side of credits given out and of credits used up. */
export const CREDITS_ISSUED = 'issued'
export const CREDITS_SPENT = 'spent'

const CREDITS = 'credits:'
const ALLOWANCE = 'allowance:'

/** A developer's prepaid money that no process has leased. */
export function creditsAccount(account: Address): string {
  return `${CREDITS}${account}`
}

/**
 * Who leases: `instance` is the process's stable name (one process at a time has it; no colon in it), `epoch` differs at every
 * start. A restarted instance finds in the accounts of its name what its predecessor had not spent.
 */
export type AllowanceOwner = { readonly instance: string; readonly epoch: string }

/** Money of `account` that one instance has leased to spend from in memory. */
export function allowanceAccount({ instance }: AllowanceOwner, account: Address): string {
  return `${allowancePrefix(account)}${instance}`
}

/** Start of the names of all allowances of one account, or of everybody's. */
export function allowancePrefix(account?: Address): string {
  return account === undefined ? ALLOWANCE : `${ALLOWANCE}${account}:`
}

export function parseAllowance(name: string): { instance: string; account: Address } | null {
  const match = /^allowance:(0x[0-9a-f]{40}):([^:]*)$/.exec(name)
  if (!match) return null
  const [, account = '', instance = ''] = match
  return { instance, account: account as Address } // cast: the pattern is an address
}

/** Earned and waiting for settlement, by role. */
export function earnedAccount(role: string, account: Address): string {
  return `earned:${role}:${account}`
}

const creditUnits = new Map<Address, Address>()

/**
 * Nano-credits bought with `asset` are a unit of their own in the ledger: an address-shaped name that belongs to nobody
 * (last 20 bytes of a hash), so that credits obey double entry like any asset.
 */
export function creditUnitOf(asset: Address): Address {
  let unit = creditUnits.get(asset)
  if (!unit) {
    unit = bytesToHex(keccakBytes(Buffer.from(`heurist/nano-credits/${asset}`)).subarray(12))
    creditUnits.set(asset, unit)
  }
  return unit
}
