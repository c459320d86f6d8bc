import { SPLIT_ROLES } from '#economics'
import type { CapturedMoney, Chain, ChainClaim } from '#platform'
import type { Address } from '#protocol'
import type { SettlementAssets } from './batch.ts'
import { decodeSettle, hashBatch } from './encode.ts'

/** What one account earned in a role, or paid (`payer`), as three books say it; atomic units of `asset`. */
export type MoneyLine = {
  readonly role: string
  readonly account: Address
  readonly asset: Address
  /** The ledger's entries. */
  readonly captured: bigint
  /** Rows of the batches on the chain. */
  readonly settled: bigint
  /** Receipts that are in no batch of the chain yet. */
  readonly waiting: bigint
  readonly ok: boolean
}
export type EscrowLine = {
  readonly account: Address
  readonly asset: Address
  readonly pot: boolean
  readonly credited: bigint
  readonly claimed: bigint
  readonly owed: bigint
  readonly ok: boolean
}
export type MoneyAudit = {
  readonly ok: boolean
  readonly batches: number
  readonly lines: readonly MoneyLine[]
  readonly escrow: readonly EscrowLine[]
  /** What is wrong besides amounts: broken links, batches whose receipts differ. */
  readonly problems: readonly string[]
}

type AuditedChain = Pick<Chain, 'contracts' | 'lastBatch' | 'batchCalldata' | 'claims' | 'read'>
type Sums = Map<string, bigint>

/** A network that settles without pause is audited as of the last look, and says what differs. */
const MAX_LOOKS = 5
const PAYER = 'payer'
const AMOUNT_MASK = (1n << 88n) - 1n
const key = (role: string, account: string, asset: string): string => `${role} ${account} ${asset}`

function add(sums: Sums, name: string, amount: bigint): void {
  sums.set(name, (sums.get(name) ?? 0n) + amount)
}

/** The rows of one batch by role, account and asset. */
function rowSums(debits: readonly bigint[], credits: readonly bigint[], assets: SettlementAssets): Sums {
  const sums: Sums = new Map()
  const put = (row: bigint, roleOf: (role: number) => string): void => {
    const account = `0x${(row >> 96n).toString(16).padStart(40, '0')}`
    const asset = (row >> 88n) & 15n
    add(sums, key(roleOf(Number((row >> 92n) & 15n)), account, asset === 0n ? assets.heu : assets.usd), row & AMOUNT_MASK)
  }
  for (const row of debits) put(row, () => PAYER)
  for (const row of credits) put(row, role => SPLIT_ROLES[role] ?? `role ${role}`)
  return sums
}

/**
 * Proves over the whole history that capture (the database) and settlement (the chain) agree to the wei, per role, account and
 * asset: the ledger against the batches' rows plus the receipts that wait, each batch against its receipts, the chain of hashes
 * against the contract, and what was credited against what was claimed and is still owed. A batch or a claim in the middle of
 * it makes it look again.
 * @throws HeuristError CHAIN_UNAVAILABLE
 */
export async function auditMoney(readCaptured: () => Promise<readonly CapturedMoney[]>, chain: AuditedChain): Promise<MoneyAudit> {
  for (let look = 1; ; look++) {
    // The tip first: the receipts of every batch up to it are already marked when the database is read.
    const before = await chain.lastBatch()
    const claims = await chain.claims()
    const audit = await auditOnce(await readCaptured(), { chain, claims, batches: before.number })
    const isStill = (await chain.lastBatch()).hash === before.hash && (await chain.claims()).length === claims.length
    if (isStill || look === MAX_LOOKS) return audit
  }
}

type Position = { readonly chain: AuditedChain; readonly claims: readonly ChainClaim[]; readonly batches: number }

async function auditOnce(captured: readonly CapturedMoney[], { chain, claims, batches }: Position): Promise<MoneyAudit> {
  const assets = { heu: chain.contracts.WrappedHeu, usd: chain.contracts.DevUsd }
  const problems: string[] = []
  const ledger: Sums = new Map()
  const receipts = new Map<number | null, Sums>()
  for (const { source, batchNumber, role, account, asset, amount } of captured) {
    if (source === 'ledger') add(ledger, key(role, account, asset), amount)
    else {
      const place = batchNumber !== null && batchNumber <= batches ? batchNumber : null
      const sums = receipts.get(place) ?? new Map()
      receipts.set(place, sums)
      add(sums, key(role, account, asset), amount)
    }
  }
  const settled = await settledSums(batches, receipts, { chain, assets, problems })
  const waiting = receipts.get(null) ?? new Map()
  const lines = linesOf(ledger, settled, waiting)
  const escrow = await escrowOf(settled, chain, claims)
  const ok = problems.length === 0 && lines.every(line => line.ok) && escrow.every(line => line.ok)
  return { ok, batches, lines, escrow, problems }
}

type Reading = { readonly chain: AuditedChain; readonly assets: SettlementAssets; readonly problems: string[] }

/** All rows that the chain has, each batch checked against its receipts and its place in the chain of hashes. */
async function settledSums(batches: number, receipts: ReadonlyMap<number | null, Sums>, reading: Reading): Promise<Sums> {
  const { chain, assets, problems } = reading
  const all: Sums = new Map()
  for (let number = 1; number <= batches; number++) {
    const calldata = await chain.batchCalldata(number)
    if (calldata === null) {
      problems.push(`the chain does not show the transaction of batch ${number}`)
      continue
    }
    const batch = decodeSettle(calldata)
    if (hashBatch(batch) !== (await chain.read('JobSettlement', 'batchHashOf', [BigInt(number)])))
      problems.push(`batch ${number} is not the one that the contract counted`)
    const rows = rowSums(batch.debits, batch.credits, assets)
    for (const difference of differences(rows, receipts.get(number) ?? new Map())) problems.push(`batch ${number}: ${difference}`)
    for (const [name, amount] of rows) add(all, name, amount)
  }
  return all
}

function differences(rows: Sums, receipts: Sums): string[] {
  const names = [...new Set([...rows.keys(), ...receipts.keys()])]
  return names
    .filter(name => (rows.get(name) ?? 0n) !== (receipts.get(name) ?? 0n))
    .map(name => `${name} has ${rows.get(name) ?? 0n} on the chain and ${receipts.get(name) ?? 0n} in its receipts`)
}

function linesOf(ledger: Sums, settled: Sums, waiting: Sums): MoneyLine[] {
  const names = [...new Set([...ledger.keys(), ...settled.keys(), ...waiting.keys()])].sort()
  return names.map(name => {
    const [role = '', account = '', asset = ''] = name.split(' ')
    const amounts = { captured: ledger.get(name) ?? 0n, settled: settled.get(name) ?? 0n, waiting: waiting.get(name) ?? 0n }
    const ok = amounts.captured === amounts.settled + amounts.waiting
    return { role, account: account as Address, asset: asset as Address, ...amounts, ok } // cast: made from addresses above
  })
}

/** What settlement owes and has paid is what batches credited; voters' pots are kept apart from accounts. */
async function escrowOf(settled: Sums, chain: AuditedChain, claims: readonly ChainClaim[]): Promise<EscrowLine[]> {
  const credited: Sums = new Map()
  for (const [name, amount] of settled) {
    const [role = '', account = '', asset = ''] = name.split(' ')
    if (role !== PAYER) add(credited, key(role === 'voters' ? 'pot' : 'account', account, asset), amount)
  }
  const claimed: Sums = new Map()
  for (const { account, asset, amount } of claims) {
    // Nobody has a pot's key, so an account and a pot never share an address.
    const name = credited.has(key('pot', account, asset)) ? 'pot' : 'account'
    add(claimed, key(name, account, asset), amount)
  }
  const names = [...new Set([...credited.keys(), ...claimed.keys()])].sort()
  return Promise.all(names.map(name => escrowLine(name, { credited, claimed, chain })))
}

async function escrowLine(
  name: string,
  { credited, claimed, chain }: { readonly credited: Sums; readonly claimed: Sums; readonly chain: AuditedChain },
): Promise<EscrowLine> {
  const [kind = '', account = '', asset = ''] = name.split(' ')
  const args = [account as Address, asset as Address] as const // cast: made from addresses above
  const escrow = await chain.read('JobSettlement', kind === 'pot' ? 'escrowOfPot' : 'escrowOf', args)
  const owed = escrow.newest + escrow.maturing + escrow.claimable
  const amounts = { credited: credited.get(name) ?? 0n, claimed: claimed.get(name) ?? 0n, owed }
  return { account: args[0], asset: args[1], pot: kind === 'pot', ...amounts, ok: amounts.credited === amounts.claimed + owed }
}
