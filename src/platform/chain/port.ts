import type { Address, Bytes32, Hex, NodeId, NodeStanding, PodId } from '#protocol'
import type { Signer } from '../signing.ts'
import type { ChainCall, ChainReceipt, ContractCalls } from './calls.ts'

export type { ChainCall, ChainReceipt, ContractCall } from './calls.ts'

export const CONTRACT_NAMES = [
  'WrappedHeu',
  'DevUsd',
  'NodeRegistry',
  'PodRegistry',
  'FrontendRegistry',
  'CreditVault',
  'JobSettlement',
  'StakedHeu',
  'VestingWallets',
  'Reservoir',
  'NodeGauge',
  'PodGauge',
  'VoterRewards',
  'EmissionController',
  'FeeVault',
  'Buyback',
  'VotingPower',
  'HeuristTimelock',
  'HeuristGovernor',
  'CollateralFloor',
  'HeuBurn',
  'RefundPot',
  'ValidatorRegistry',
  'Slasher',
  'SimulatedRestaking',
  'RestakeAdapter',
  'Compounder',
] as const
export type ContractName = (typeof CONTRACT_NAMES)[number]
/**
 * `WrappedHeu` and `DevUsd` (on a public chain: the stablecoin) are also the names of the two payment assets. `SimulatedRestaking` is on
 * a public chain the real restaking protocol.
 */
export type ContractAddresses = Readonly<Record<ContractName, Address>>

export type ChainErrorCode =
  /** No answer from the chain. Retryable; whether a transaction was taken is unknown. */
  | 'CHAIN_UNAVAILABLE'
  /** The chain refused the call; payload: {@link RevertPayload}. The same call will be refused again until the state changes. */
  | 'CHAIN_REVERTED'
  /** The offered gas price is below what the chain takes now. Retryable. */
  | 'CHAIN_UNDERPRICED'
  /** The sender has not enough HEU for value and gas. */
  | 'CHAIN_INSUFFICIENT_FUNDS'
  /** The transaction was taken but is not in a block yet; payload: transactionHash. Retryable. */
  | 'CHAIN_TIMEOUT'
  /** The RPC server serves another chain than configured, or has no contracts at the configured addresses. */
  | 'CHAIN_MISMATCH'
  /** The dev chain's state file is damaged; the message says what to do. Never reset silently. */
  | 'CHAIN_STATE_CORRUPT'
  /** The dev chain's program is missing or did not start. */
  | 'CHAIN_START_FAILED'
  /** A call given as text does not fit the contract; the message names what exists. */
  | 'CHAIN_BAD_CALL'
  /** Only a dev chain's time can be moved. */
  | 'CHAIN_NOT_DEV'
  /** An event handler's cursor names a block that this chain does not have. */
  | 'CHAIN_REORGANISED'

/** `error` is the contract's custom error (`CreditVault_OverCap`), or null when the chain gave none; `args` are its values. */
export type RevertPayload = { readonly error: string | null; readonly args: readonly (string | bigint | number | boolean)[] }

export type BlockRef = { readonly number: number; readonly hash: Bytes32 }
/** `number` 0 and the genesis hash before the first batch. */
export type BatchRef = { readonly number: number; readonly hash: Bytes32 }
export type BatchEvent = {
  readonly number: number
  readonly batchHash: Bytes32
  readonly receiptsRoot: Bytes32
  /** Hash of everything of the batch but its receipts and its predecessor. */
  readonly contentHash: Bytes32
  readonly jobCount: number
  readonly transactionHash: Bytes32
  readonly blockNumber: number
  readonly gasUsed: number
}

/** `account` of voters' money is the pod's pot. */
export type ChainClaim = { readonly account: Address; readonly asset: Address; readonly amount: bigint }

/** A node as the registry holds it; `nodeId` is its hot key. `registryId` counts from 1. */
export type ChainNode = NodeStanding & { readonly registryId: bigint; readonly payout: Address; readonly registeredAtSeconds: number }
/** Prices are nano-credits per 1,000,000 units. */
export type ChainPodVersion = {
  readonly version: number
  readonly manifestHash: Bytes32
  readonly inputNanoCreditsPerMillion: bigint
  readonly outputNanoCreditsPerMillion: bigint
  /** The deployer's share of a payment, in basis points. */
  readonly deployerBps: number
  readonly publishedAtSeconds: number
}
/** `remaining`: what settlement may still debit under the cap (atomic units); `expiresAtSeconds` 0 = no cap was ever set. */
export type ChainSpendingCap = {
  readonly cumulative: bigint
  readonly remaining: bigint
  readonly expiresAtSeconds: number
  readonly nonce: bigint
}
/** Basis points; the node gets the rest. */
export type ChainShares = { readonly deployer: number; readonly frontend: number; readonly voters: number; readonly protocol: number }

type EventPlace = {
  /** Transaction hash and position of the event among its kind in that transaction: survives a re-org that keeps the transaction. */
  readonly id: string
  readonly blockNumber: number
  readonly transactionHash: Bytes32
}
export type DepositEvent = EventPlace & {
  readonly kind: 'deposit'
  readonly account: Address
  readonly asset: Address
  /** Atomic units of `asset`. */
  readonly amount: bigint
  readonly nanoCredits: bigint
  readonly lotId: bigint
}
/** Something about this node changed; read its standing again. `nodeId` is null when the event names only the registry id. */
export type NodeEvent = EventPlace & { readonly kind: 'node'; readonly registryId: bigint; readonly nodeId: NodeId | null }
export type PodEvent = EventPlace & {
  readonly kind: 'pod'
  readonly podId: PodId
  readonly version: number
  readonly manifestHash: Bytes32
}
export type ChainEvent = DepositEvent | NodeEvent | PodEvent

/**
 * Where a reader of events stands: `from` is the next block to read, `checkpoints` (newest last) are blocks already read,
 * by which a re-org is noticed.
 */
export type ChainCursor = { readonly from: number; readonly checkpoints: readonly BlockRef[] }
export interface CursorStore {
  load(): Promise<ChainCursor | null>
  save(cursor: ChainCursor): Promise<void>
}
export type WatchOptions = {
  readonly kinds: readonly ChainEvent['kind'][]
  readonly cursor: CursorStore
  /** First block to read when the cursor is empty. */
  readonly fromBlock: number
  /** `final`: only blocks that can not vanish; `latest`: everything, and again after a re-org. */
  readonly until: 'final' | 'latest'
  readonly pollMs?: number
}

/** Any event of any contract of the deployment. `args` by name: integers as decimal strings, hex in lower case. */
export type IndexedEvent = BlockPlace & {
  readonly contract: ContractName
  readonly name: string
  readonly args: Readonly<Record<string, IndexedValue>>
}
export type IndexedValue = string | boolean | readonly IndexedValue[] | { readonly [name: string]: IndexedValue }
type BlockPlace = {
  readonly blockNumber: number
  readonly logIndex: number
  readonly blockHash: Bytes32
  readonly transactionHash: Bytes32
  readonly timestampSeconds: number
}
/** A stretch of the chain's history. `rewoundTo`: first forget all above this block; the chain no longer has it. */
export type IndexedRange = { readonly events: readonly IndexedEvent[]; readonly cursor: ChainCursor; readonly rewoundTo: number | null }
export type IndexOptions = {
  readonly load: () => Promise<ChainCursor | null>
  readonly fromBlock: number
  readonly pollMs: number
}
/** `stop` resolves when no handler runs any more. */
export type ChainWatch = { stop(): Promise<void> }

/**
 * The settlement chain behind one face; drivers: dev chain (anvil), JSON-RPC server. Every method may throw
 * HeuristError CHAIN_UNAVAILABLE. Amounts are atomic units (wei of HEU, micro-dollars of the stablecoin).
 */
export interface Chain extends ContractCalls {
  readonly chainId: number
  readonly contracts: ContractAddresses

  head(): Promise<BlockRef & { readonly timestampSeconds: number }>
  /** The newest block that can not vanish: on the dev chain it is on disk, elsewhere it has the configured confirmations. */
  finalBlock(): Promise<number>
  /** @throws HeuristError CHAIN_MISMATCH when the server serves another chain or lacks the contracts */
  check(): Promise<void>

  lastBatch(): Promise<BatchRef>
  /** The event of a settled batch; null when there is none. */
  batchEvent(number: number): Promise<BatchEvent | null>
  /** As the batch's event says; zero when there is no such batch. {@link Chain.verifyReceipt} proves it. */
  receiptsRoot(batchNumber: number): Promise<Bytes32>
  /** Asks the settlement contract whether the digest is under the batch's root. */
  verifyReceipt(batchNumber: number, digest: Bytes32, proof: readonly Bytes32[]): Promise<boolean>
  /** The `settle` call that posted a batch; null when there is no such batch. */
  batchCalldata(batchNumber: number): Promise<Hex | null>
  /** Everything ever paid out of escrow, as the chain's events say. */
  claims(): Promise<ChainClaim[]>
  shares(): Promise<ChainShares>

  nodeStanding(nodeId: NodeId): Promise<ChainNode | null>
  allNodes(): Promise<ChainNode[]>
  /** All published versions, oldest first; empty when the pod is not there. */
  podVersions(podId: PodId): Promise<ChainPodVersion[]>
  /** Whether the pod's deployer has it on the network; false when the pod is not there. */
  podActive(podId: PodId): Promise<boolean>

  vaultBalance(account: Address, asset: Address): Promise<bigint>
  spendingCap(account: Address, asset: Address): Promise<ChainSpendingCap>
  claimable(account: Address, asset: Address): Promise<bigint>
  /** Credited to the account and still inside the challenge window. */
  pending(account: Address, asset: Address): Promise<bigint>
  /** Nano-credits that a deposit would buy now. */
  quoteCredits(asset: Address, amount: bigint): Promise<bigint>
  nativeBalance(account: Address): Promise<bigint>
  tokenBalance(account: Address, asset: Address): Promise<bigint>

  /**
   * Reads events in block order and hands them over at least once: the cursor moves after `onEvents` resolves, and a
   * rejected handler gets the same events again. Handlers are idempotent by `ChainEvent.id`.
   */
  watch(options: WatchOptions, onEvents: (events: readonly ChainEvent[]) => Promise<void>): ChainWatch

  /**
   * Hands over the whole history of the contracts, range by range up to the newest block, at least once each. The handler keeps
   * events and cursor together; what a re-org took away is told by `rewoundTo`.
   */
  index(options: IndexOptions, onRange: (range: IndexedRange) => Promise<void>): ChainWatch

  /**
   * Signs, sends and waits until the transaction is in a block. Calls of one signer go out in order.
   * `onSent` gets the hash as soon as the chain has taken the transaction.
   * @throws HeuristError CHAIN_REVERTED, CHAIN_UNDERPRICED, CHAIN_INSUFFICIENT_FUNDS, CHAIN_TIMEOUT
   */
  send(signer: Signer, call: ChainCall, options?: { onSent?: (transactionHash: Bytes32) => void | Promise<void> }): Promise<ChainReceipt>
  /**
   * Runs an encoded `settle` call without sending it; resolves when the chain would take it now.
   * @throws HeuristError CHAIN_REVERTED
   */
  simulateSettle(sender: Address, calldata: Hex): Promise<void>
  /** Whether the chain holds transactions of the account that are in no block yet. */
  hasPending(account: Address): Promise<boolean>
  /** Posts an encoded `settle` call to JobSettlement. Same errors as {@link Chain.send}. */
  settle(signer: Signer, calldata: Hex, options?: { onSent?: (transactionHash: Bytes32) => void | Promise<void> }): Promise<ChainReceipt>
}
