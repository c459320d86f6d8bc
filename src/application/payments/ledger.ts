import type { SplitShare } from '#economics'
import type { LedgerEvent, Posting } from '#platform'
import type { Address, CreditPool, JobId } from '#protocol'
import {
  type AllowanceOwner,
  allowanceAccount,
  CREDITS_ISSUED,
  CREDITS_SPENT,
  creditsAccount,
  creditUnitOf,
  earnedAccount,
  VAULT,
} from './accounts.ts'
import type { Deposit } from './types.ts'

/** Builders of the ledger's events: each sums to zero for the asset and for the credits that it backs (law L1). */

/** Credits and asset move from one account to another. */
function move(from: string, to: string, asset: Address, pool: CreditPool): Posting[] {
  const unit = creditUnitOf(asset)
  return [
    { account: from, asset, amount: -pool.amount },
    { account: to, asset, amount: pool.amount },
    { account: from, asset: unit, amount: -pool.credits },
    { account: to, asset: unit, amount: pool.credits },
  ].filter(posting => posting.amount !== 0n)
}

/** One deposit on the chain, once: the log's place is its identity. */
export function depositEvent(deposit: Deposit): LedgerEvent {
  const unit = creditUnitOf(deposit.asset)
  const credits = creditsAccount(deposit.account)
  return {
    businessId: `deposit:${deposit.chainId}:${deposit.transactionHash.toLowerCase()}:${deposit.logIndex}`,
    kind: 'deposit',
    atMs: deposit.atMs,
    postings: [
      { account: VAULT, asset: deposit.asset, amount: -deposit.amount },
      { account: credits, asset: deposit.asset, amount: deposit.amount },
      { account: CREDITS_ISSUED, asset: unit, amount: -deposit.nanoCredits },
      { account: credits, asset: unit, amount: deposit.nanoCredits },
    ],
    memo: { transactionHash: deposit.transactionHash, nanoCredits: deposit.nanoCredits.toString(), amount: deposit.amount.toString() },
  }
}

type AllowanceMove = {
  readonly owner: AllowanceOwner
  readonly account: Address
  readonly asset: Address
  readonly pool: CreditPool
  /** Distinguishes the moves of one epoch. */
  readonly id: string
  readonly atMs: number
}

/** A process takes money of an account to spend from in memory. */
export function leaseEvent({ owner, account, asset, pool, id, atMs }: AllowanceMove): LedgerEvent {
  const allowance = allowanceAccount(owner, account)
  return {
    businessId: `lease:${allowance}:${owner.epoch}:${id}`,
    kind: 'allowance_lease',
    atMs,
    postings: move(creditsAccount(account), allowance, asset, pool),
  }
}

/** What was not spent goes back. */
export function returnEvent({ owner, account, asset, pool, id, atMs }: AllowanceMove): LedgerEvent {
  const allowance = allowanceAccount(owner, account)
  return {
    businessId: `return:${allowance}:${owner.epoch}:${id}`,
    kind: 'allowance_return',
    atMs,
    postings: move(allowance, creditsAccount(account), asset, pool),
  }
}

export type Capture = {
  readonly jobId: JobId
  readonly owner: AllowanceOwner
  readonly account: Address
  readonly asset: Address
  /** Price and the credits that it stands for. */
  readonly pool: CreditPool
  readonly split: readonly SplitShare[]
  readonly atMs: number
}

/** A finished job is paid: the allowance gives, the parties have earned. One per job, whatever happens (law L3). */
export function captureEvent({ jobId, owner, account, asset, pool, split, atMs }: Capture): LedgerEvent {
  const allowance = allowanceAccount(owner, account)
  const unit = creditUnitOf(asset)
  return {
    businessId: `capture:${jobId}`,
    kind: 'capture',
    atMs,
    postings: [
      { account: allowance, asset, amount: -pool.amount },
      ...split.map(share => ({ account: earnedAccount(share.role, share.account), asset, amount: share.amount })),
      { account: allowance, asset: unit, amount: -pool.credits },
      { account: CREDITS_SPENT, asset: unit, amount: pool.credits },
    ],
    memo: { jobId },
  }
}
