import { SPLIT_ROLES, type SplitRole } from '#economics'
import type { BatchRef, StoredReceipt } from '#platform'
import { type Address, type Bytes32, HeuristError, type Hex, merkleTree, ZERO_ADDRESS } from '#protocol'
import { encodeSettle, hashBatch } from './encode.ts'
import type { SequencerErrorCode } from './errors.ts'
import { countsWhole, type OrganicRule } from './organic.ts'

/** The chain's asset numbers: position in this list. */
export type SettlementAssets = { readonly heu: Address; readonly usd: Address }

export type FormedBatch = {
  readonly number: number
  readonly previousHash: Bytes32
  readonly batchHash: Bytes32
  readonly receiptsRoot: Bytes32
  readonly jobCount: number
  readonly openHeu: bigint
  readonly openUsd: bigint
  readonly debits: readonly bigint[]
  readonly credits: readonly bigint[]
  readonly calldata: Hex
  /** The receipts in it, by their sequence. */
  readonly sequences: readonly number[]
}

const AMOUNT_BITS = 88n
/** A row's amount is below 2^88 atomic units: 309 million HEU. */
export const MAX_ROW_AMOUNT = (1n << AMOUNT_BITS) - 1n

function badReceipt(receipt: StoredReceipt, why: string): HeuristError<SequencerErrorCode> {
  return new HeuristError(
    'SEQUENCER_BAD_RECEIPT',
    `The receipt of ${receipt.jobId} can not be settled: ${why}. It stays out of every batch.`,
    {
      payload: { jobId: receipt.jobId, sequence: receipt.sequence },
    },
  )
}

function assetNumber(receipt: StoredReceipt, assets: SettlementAssets): number {
  const { asset } = receipt.signed.receipt
  if (asset === assets.heu) return 0
  if (asset === assets.usd) return 1
  throw badReceipt(receipt, `${asset} is no payment asset of this chain`)
}

/** account (160 bits) | role (4) | asset (4) as hex: the upper part of a row. Text, because text sorts and nets faster than bigints. */
function rowKey(account: Address, role: number, asset: number): string {
  return `${account}${role.toString(16)}${asset.toString(16)}`
}

type RowPart = readonly [key: string, amount: bigint]

/** The debit and the credits of one receipt, as row keys with amounts. @throws HeuristError SEQUENCER_BAD_RECEIPT */
export function rowsOf(receipt: StoredReceipt, assets: SettlementAssets): { debit: RowPart; credits: RowPart[] } {
  const { price, payer } = receipt.signed.receipt
  const asset = assetNumber(receipt, assets)
  let sum = 0n
  const credits = receipt.split.map((share): RowPart => {
    const role = SPLIT_ROLES.indexOf(share.role as SplitRole) // cast: an unknown role gives -1
    if (role < 0) throw badReceipt(receipt, `its split names the role "${share.role}"`)
    if (share.account === ZERO_ADDRESS) throw badReceipt(receipt, `its ${share.role} is the zero address`)
    if (share.amount < 0n) throw badReceipt(receipt, `its ${share.role} gets a negative amount`)
    sum += share.amount
    return [rowKey(share.account, role, asset), share.amount]
  })
  if (sum !== price) throw badReceipt(receipt, `its shares add up to ${sum}, its price is ${price}`)
  if (price > MAX_ROW_AMOUNT) throw badReceipt(receipt, `its price is above ${MAX_ROW_AMOUNT}`)
  return { debit: [rowKey(payer, 0, asset), price], credits }
}

function addTo(totals: Map<string, bigint>, [key, amount]: RowPart): void {
  // A free job has a receipt and moves nothing.
  if (amount > 0n) totals.set(key, (totals.get(key) ?? 0n) + amount)
}

function toRows(totals: ReadonlyMap<string, bigint>): bigint[] {
  return [...totals.keys()].sort().map(key => {
    const amount = totals.get(key) ?? 0n
    if (amount > MAX_ROW_AMOUNT)
      throw new RangeError(`the net amount ${amount} of one row is above ${MAX_ROW_AMOUNT}; form a smaller batch`)
    return (BigInt(key) << AMOUNT_BITS) | amount
  })
}

/**
 * Nets receipts into one settlement transaction. Pure: the same receipts after the same predecessor give the same bytes,
 * in whatever order they come. @throws HeuristError SEQUENCER_BAD_RECEIPT
 */
export function formBatch(
  receipts: readonly StoredReceipt[],
  previous: BatchRef,
  assets: SettlementAssets,
  rule: OrganicRule,
): FormedBatch {
  if (receipts.length === 0) throw new RangeError('a batch needs at least one receipt')
  const debits = new Map<string, bigint>()
  const credits = new Map<string, bigint>()
  const open = { openHeu: 0n, openUsd: 0n }
  for (const receipt of receipts) {
    const rows = rowsOf(receipt, assets)
    const { asset, price } = receipt.signed.receipt
    if (countsWhole(receipt, rule)) open[asset === assets.heu ? 'openHeu' : 'openUsd'] += price
    addTo(debits, rows.debit)
    for (const credit of rows.credits) addTo(credits, credit)
  }
  const content = {
    number: previous.number + 1,
    previousHash: previous.hash,
    receiptsRoot: merkleTree(receipts.map(receipt => receipt.digest)).root,
    jobCount: receipts.length,
    ...open,
    debits: toRows(debits),
    credits: toRows(credits),
  }
  const sequences = receipts.map(receipt => receipt.sequence).sort((a, b) => a - b)
  return { ...content, batchHash: hashBatch(content), calldata: encodeSettle(content), sequences }
}

/** The longest prefix whose rows fit `maxRows` (a batch must fit a block) and whose sum fits a row. At least one receipt. */
export function fittingPrefix(receipts: readonly StoredReceipt[], assets: SettlementAssets, maxRows: number): StoredReceipt[] {
  const keys = new Set<string>()
  const fitting: StoredReceipt[] = []
  let total = 0n
  for (const receipt of receipts) {
    const { debit, credits } = rowsOf(receipt, assets)
    keys.add(`debit ${debit[0]}`)
    for (const [key] of credits) keys.add(key)
    total += debit[1]
    if ((keys.size > maxRows || total > MAX_ROW_AMOUNT) && fitting.length > 0) break
    fitting.push(receipt)
  }
  return fitting
}
