import { setTimeout } from 'node:timers/promises'
import { type PublicClient, parseSignature, serializeTransaction, type TransactionSerializableEIP1559, keccak256 as viemKeccak } from 'viem'
import { type Address, type Bytes32, HeuristError, type Hex, hexToBytes, messageOf } from '#protocol'
import type { Signer } from '../signing.ts'
import { revertError, toChainError, translating } from './errors.ts'
import type { ChainCall, ChainErrorCode, ChainReceipt } from './port.ts'

export type SendOptions = { readonly onSent?: (transactionHash: Bytes32) => void | Promise<void> }
export type Sender = (signer: Signer, call: ChainCall, options?: SendOptions) => Promise<ChainReceipt>

type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
/** A transaction that the chain took and has not mined; the same call replaces it at a higher price. */
type Pending = { readonly key: string; readonly nonce: number; readonly fees: Fees; readonly hashes: Bytes32[] }

const RECEIPT_POLL_FIRST_MS = 5
const RECEIPT_POLL_MAX_MS = 1_000
/** Nodes refuse a replacement that does not raise the price by a tenth; a quarter leaves room. */
const BUMP = { numerator: 5n, denominator: 4n }

/**
 * What a call may need more in its block than in its estimate, beside a fifth: a second later it writes new storage where the
 * estimate changed what was there (22,100 gas a word, EIP-2929; votes keep a checkpoint a second, for the supply and two accounts).
 */
const ROOM_GAS = 100_000n

function bumped(fees: Fees): Fees {
  const up = (value: bigint): bigint => (value * BUMP.numerator) / BUMP.denominator + 1n
  return { maxFeePerGas: up(fees.maxFeePerGas), maxPriorityFeePerGas: up(fees.maxPriorityFeePerGas) }
}

function higher(a: Fees, b: Fees): Fees {
  return a.maxFeePerGas >= b.maxFeePerGas ? a : b
}

/** Signs with a key that only signs digests. */
export function signTransaction(signer: Signer, transaction: TransactionSerializableEIP1559): { raw: Hex; hash: Bytes32 } {
  const digest = hexToBytes(viemKeccak(serializeTransaction(transaction)))
  const raw = serializeTransaction(transaction, parseSignature(signer.signDigest(digest)))
  return { raw, hash: viemKeccak(raw) }
}

type Context = {
  readonly chainId: number
  readonly inclusionTimeoutMs: number
  readonly client: PublicClient
  /** The end of each sender's queue. */
  readonly queues: Map<Address, Promise<unknown>>
  readonly stuck: Map<Address, Pending>
}

/** Sends transactions: nonce per sender, gas estimated, replacement of what got stuck, the receipt awaited. */
export function createSender(options: { chainId: number; inclusionTimeoutMs: number }, client: PublicClient): Sender {
  const context: Context = { ...options, client, queues: new Map(), stuck: new Map() }
  return async (signer, call, sendOptions = {}) => {
    const pending = await inOrder(context, signer.address, () => broadcast(context, signer, call))
    await sendOptions.onSent?.(pending.hashes.at(-1) as Bytes32) // cast: broadcast always appends one
    const { reverted, ...receipt } = await included(context, pending.hashes).catch(error => {
      context.stuck.set(signer.address, pending)
      throw toChainError(error, 'read the transaction receipt')
    })
    context.stuck.delete(signer.address)
    if (reverted) throw await whyReverted(client, signer.address, call, receipt)
    return receipt
  }
}

/** One at a time per sender: the next nonce is asked when the one before is taken. */
function inOrder<Result>({ queues }: Context, sender: Address, work: () => Promise<Result>): Promise<Result> {
  const result = (queues.get(sender) ?? Promise.resolve()).then(work, work)
  queues.set(
    sender,
    result.catch(() => undefined),
  )
  return result
}

/** The market's price with room for the next blocks. */
export async function feesNow(client: PublicClient): Promise<Fees> {
  const [block, tip] = await Promise.all([
    client.getBlock({ blockTag: 'latest' }),
    client.estimateMaxPriorityFeePerGas().catch(() => client.getGasPrice()),
  ])
  return { maxFeePerGas: (block.baseFeePerGas ?? 0n) * 2n + tip, maxPriorityFeePerGas: tip }
}

async function gasFor(client: PublicClient, signer: Signer, call: ChainCall): Promise<bigint> {
  if (call.gasLimit !== undefined) return call.gasLimit
  const request = { ...asRequest(signer.address, call), blockTag: 'pending' } as const
  const estimate = await translating('run the transaction', () => client.estimateGas(request))
  return (estimate * 6n) / 5n + ROOM_GAS
}

/** The stuck transaction that this call replaces; null when there is none, or when its place was taken by another one. */
async function stuckBy({ stuck, client }: Context, sender: Address, key: string): Promise<(Pending & { mined: boolean }) | null> {
  const old = stuck.get(sender)
  if (old === undefined || old.key !== key) return null
  const mined = await client.getTransactionCount({ address: sender, blockTag: 'latest' })
  if (mined <= old.nonce) return { ...old, mined: false }
  stuck.delete(sender)
  return (await receiptOf(client, old.hashes)) ? { ...old, mined: true } : null
}

async function broadcast(context: Context, signer: Signer, call: ChainCall): Promise<Pending> {
  const { client, chainId } = context
  const address = signer.address
  const valueWei = call.valueWei ?? 0n
  const key = `${call.to}:${call.data}:${valueWei}`
  const old = await translating('read the last transaction', () => stuckBy(context, address, key))
  if (old?.mined) return old
  const gas = await gasFor(client, signer, call)
  return translating('send the transaction', async () => {
    const [market, next] = await Promise.all([feesNow(client), client.getTransactionCount({ address, blockTag: 'pending' })])
    const nonce = old?.nonce ?? next
    const fees = old ? higher(market, bumped(old.fees)) : market
    const content = { ...(call.to && { to: call.to }), data: call.data, value: valueWei }
    const { raw, hash } = signTransaction(signer, { type: 'eip1559', chainId, nonce, gas, ...content, ...fees })
    await handOver(client, raw)
    return { key, nonce, fees, hashes: [...(old?.hashes ?? []), hash] }
  })
}

export async function handOver(client: PublicClient, raw: Hex): Promise<void> {
  try {
    await client.sendRawTransaction({ serializedTransaction: raw })
  } catch (error) {
    // A lost answer to an earlier try: the chain has this very transaction.
    if (!/already known|already imported|known transaction/i.test(messageOf(error))) throw error
  }
}

async function receiptOf(client: PublicClient, hashes: readonly Bytes32[]): Promise<(ChainReceipt & { reverted: boolean }) | null> {
  for (const hash of hashes) {
    const receipt = await client.getTransactionReceipt({ hash }).catch(notFound)
    if (!receipt) continue
    return {
      transactionHash: hash,
      blockNumber: Number(receipt.blockNumber),
      blockHash: receipt.blockHash,
      gasUsed: Number(receipt.gasUsed),
      reverted: receipt.status === 'reverted',
    }
  }
  return null
}

/** Waits for one of the hashes to be in a block. @throws HeuristError CHAIN_TIMEOUT */
export async function included(
  { client, inclusionTimeoutMs }: Pick<Context, 'client' | 'inclusionTimeoutMs'>,
  hashes: readonly Bytes32[],
): Promise<ChainReceipt & { reverted: boolean }> {
  let waitedMs = 0
  for (let pollMs = RECEIPT_POLL_FIRST_MS; ; pollMs = Math.min(pollMs * 2, RECEIPT_POLL_MAX_MS)) {
    const receipt = await receiptOf(client, hashes)
    if (receipt) return receipt
    if (waitedMs >= inclusionTimeoutMs) throw timedOut(hashes, waitedMs)
    // A real timer that keeps the process alive: a command that waits for its transaction must not just end.
    await setTimeout(pollMs)
    waitedMs += pollMs
  }
}

function asRequest(account: Address, call: ChainCall) {
  return { account, ...(call.to && { to: call.to }), data: call.data, value: call.valueWei ?? 0n }
}

function notFound(error: unknown): null {
  if (error instanceof Error && error.name === 'TransactionReceiptNotFoundError') return null
  throw error
}

function timedOut(hashes: readonly Bytes32[], waitedMs: number): HeuristError<ChainErrorCode> {
  const hash = hashes.at(-1)
  return new HeuristError(
    'CHAIN_TIMEOUT',
    `Transaction ${hash} is not in a block after ${Math.round(waitedMs / 1_000)} s. Sending the same call again replaces it at a higher price.`,
    { retryable: true, payload: { transactionHash: hash } },
  )
}

/** The call passed its estimate and failed in its block: run it again on that block's state to learn why. */
export async function whyReverted(client: PublicClient, from: Address, call: ChainCall, receipt: ChainReceipt): Promise<Error> {
  try {
    const blockNumber = BigInt(receipt.blockNumber)
    await client.call({ ...asRequest(from, call), blockNumber })
  } catch (error) {
    const translated = toChainError(error, 'run the transaction')
    if (translated.code === 'CHAIN_REVERTED') return translated
  }
  const { gas } = await translating('read the transaction', () => client.getTransaction({ hash: receipt.transactionHash }))
  const doing = `transaction ${receipt.transactionHash}`
  if (BigInt(receipt.gasUsed) < gas) return revertError(undefined, doing)
  return revertError(undefined, doing, `It used all of its ${gas} gas, because the chain changed after the estimate. Send it again.`)
}
