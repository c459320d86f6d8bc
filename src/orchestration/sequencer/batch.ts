import { SimpleMerkleTree } from '@openzeppelin/merkle-tree'
import { SPLIT_ROLES, type SplitRole } from '#economics'
import type { BatchRef, StoredReceipt } from '#platform'
import { type Address, type Bytes32, HeuristError, type Hex, keccak256, ZERO_ADDRESS } from '#protocol'
import { encodeSettle, hashBatch } from './encode.ts'
import type { SequencerErrorCode } from './errors.ts'

/** The chain's asset numbers: position in this list. */
export type SettlementAssets = { readonly heu: Address; readonly usd: Address }

export type FormedBatch = {
  readonly number: number
  readonly previousHash: Bytes32
  readonly batchHash: Bytes32
  readonly receiptsRoot: Bytes32
  readonly jobCount: number
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

function assetNumber(receipt: StoredReceipt, assets: SettlementAssets): bigint {
  const { asset } = receipt.signed.receipt
  if (asset === assets.heu) return 0n
  if (asset === assets.usd) return 1n
  throw badReceipt(receipt, `${asset} is no payment asset of this chain`)
}

/** account (160 bits) | role (4) | asset (4): the upper part of a row. */
function rowKey(account: Address, role: bigint, asset: bigint): bigint {
  return (BigInt(account) << 8n) | (role << 4n) | asset
}

/** The debit and the credits of one receipt, as row keys with amounts. @throws HeuristError SEQUENCER_BAD_RECEIPT */
export function rowsOf(receipt: StoredReceipt, assets: SettlementAssets): { debit: [bigint, bigint]; credits: [bigint, bigint][] } {
  const { price, payer } = receipt.signed.receipt
  const asset = assetNumber(receipt, assets)
  let sum = 0n
  const credits = receipt.split.map((share): [bigint, bigint] => {
    const role = SPLIT_ROLES.indexOf(share.role as SplitRole) // cast: an unknown role gives -1
    if (role < 0) throw badReceipt(receipt, `its split names the role "${share.role}"`)
    if (share.account === ZERO_ADDRESS) throw badReceipt(receipt, `its ${share.role} is the zero address`)
    if (share.amount < 0n) throw badReceipt(receipt, `its ${share.role} gets a negative amount`)
    sum += share.amount
    return [rowKey(share.account, BigInt(role), asset), share.amount]
  })
  if (sum !== price) throw badReceipt(receipt, `its shares add up to ${sum}, its price is ${price}`)
  return { debit: [rowKey(payer, 0n, asset), price], credits }
}

function addTo(totals: Map<bigint, bigint>, [key, amount]: readonly [bigint, bigint]): void {
  // A free job has a receipt and moves nothing.
  if (amount > 0n) totals.set(key, (totals.get(key) ?? 0n) + amount)
}

function toRows(totals: ReadonlyMap<bigint, bigint>): bigint[] {
  const rows = [...totals].map(([key, amount]) => {
    if (amount > MAX_ROW_AMOUNT)
      throw new RangeError(`the net amount ${amount} of one row is above ${MAX_ROW_AMOUNT}; form a smaller batch`)
    return (key << AMOUNT_BITS) | amount
  })
  return rows.sort((a, b) => (a < b ? -1 : 1))
}

/**
 * Nets receipts into one settlement transaction. Pure: the same receipts after the same predecessor give the same bytes,
 * in whatever order they come. @throws HeuristError SEQUENCER_BAD_RECEIPT
 */
export function formBatch(receipts: readonly StoredReceipt[], previous: BatchRef, assets: SettlementAssets): FormedBatch {
  if (receipts.length === 0) throw new RangeError('a batch needs at least one receipt')
  const debits = new Map<bigint, bigint>()
  const credits = new Map<bigint, bigint>()
  for (const receipt of receipts) {
    const rows = rowsOf(receipt, assets)
    addTo(debits, rows.debit)
    for (const credit of rows.credits) addTo(credits, credit)
  }
  const receiptsRoot = receiptTree(receipts.map(receipt => receipt.digest)).root as Bytes32 // cast: the tree's root is 32 bytes of hex
  const content = {
    number: previous.number + 1,
    previousHash: previous.hash,
    receiptsRoot,
    jobCount: receipts.length,
    debits: toRows(debits),
    credits: toRows(credits),
  }
  const sequences = receipts.map(receipt => receipt.sequence).sort((a, b) => a - b)
  return { ...content, batchHash: hashBatch(content), calldata: encodeSettle(content), sequences }
}

/** Sorted pair under the WebAssembly keccak: the library's own one takes 40 ms of the event loop for 1,000 receipts. */
function nodeHash(left: unknown, right: unknown): Bytes32 {
  // The tree keeps its nodes as lower-case hex.
  const [low, high] = [String(left), String(right)].sort() as [string, string] // cast: two in, two out
  return keccak256(Buffer.from(low.slice(2) + high.slice(2), 'hex'))
}

/** The tree over a batch's receipt digests. Leaves are sorted, so their order does not matter. */
export function receiptTree(digests: readonly Bytes32[]): SimpleMerkleTree {
  return SimpleMerkleTree.of([...digests], { nodeHash })
}

/** Inclusion proof of a receipt; null when the digest is not among the batch's. */
export function receiptProof(digests: readonly Bytes32[], digest: Bytes32): Bytes32[] | null {
  if (!digests.includes(digest)) return null
  return receiptTree(digests).getProof(digest) as Bytes32[] // cast: proofs are 32-byte words
}

/** The longest prefix whose rows fit `maxRows`: a batch must fit a block. At least one receipt. */
export function fittingPrefix(receipts: readonly StoredReceipt[], assets: SettlementAssets, maxRows: number): StoredReceipt[] {
  const keys = new Set<string>()
  const fitting: StoredReceipt[] = []
  for (const receipt of receipts) {
    const { debit, credits } = rowsOf(receipt, assets)
    keys.add(`d${debit[0]}`)
    for (const [key] of credits) keys.add(`c${key}`)
    if (keys.size > maxRows && fitting.length > 0) break
    fitting.push(receipt)
  }
  return fitting
}
