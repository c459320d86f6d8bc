import type { SplitBps, SplitParties, SplitShare } from '#economics'
import type { ApiKeyRecord, LedgerEvent } from '#platform'
import type { Address, JobId, JobPricing, JobUnits, PodRecord } from '#protocol'

/**
 * Money set aside for one job before any work is done (DESIGN §4.2). It lives in memory against an allowance that the
 * ledger has leased to this process, so no commit stands before the first token.
 */
export type Hold = {
  /** The asset that pays; one per job. */
  readonly asset: Address
  /** Nano-credits held. */
  readonly credits: bigint
  /** Most that the job can cost, in atomic units of `asset`. */
  readonly maxPrice: bigint
  /** What the price follows from: the router makes the same. */
  readonly pricing: JobPricing
  /** Price of counted units in atomic units of `asset`; never above `maxPrice` (law L6). */
  priceOf(units: JobUnits): bigint
  /** Nano-credits charged for counted units; never above `credits`. */
  creditsFor(units: JobUnits): bigint
  /**
   * Ledger events and split of a captured price; commit them with the job's outcome. Changes nothing by itself.
   * @throws HeuristError PAYMENT_OVER_HOLD when `price` is above `maxPrice`
   */
  capture(input: {
    readonly jobId: JobId
    readonly price: bigint
    readonly parties: SplitParties
    /** Shares of the four other roles; the launch shares when absent. */
    readonly bps?: SplitBps
    readonly atMs: number
  }): {
    readonly events: LedgerEvent[]
    readonly split: SplitShare[]
  }
  /** The outcome is durable: the captured part is gone, the rest is free again. At most once; then `release` does nothing. */
  captured(price: bigint): void
  /** Nothing was charged: everything is free again. Safe to call twice. */
  release(): void
}

export type HoldRequest = {
  readonly jobId: JobId
  readonly account: Address
  readonly key: ApiKeyRecord
  readonly pod: PodRecord
  /** Nano-credits to hold: what `quote` answered. */
  readonly credits: bigint
}

/** What an account has in one asset. `nanoCredits` and `amount` include what is held by running jobs. */
export type CreditBalance = {
  readonly asset: Address
  /** Atomic units of `asset` that back the credits. */
  readonly amount: bigint
  readonly nanoCredits: bigint
  /** Nano-credits held by running jobs of this process. */
  readonly held: bigint
}

export type Deposit = {
  readonly account: Address
  readonly asset: Address
  /** Atomic units of `asset`. */
  readonly amount: bigint
  readonly nanoCredits: bigint
  readonly chainId: number
  readonly transactionHash: string
  readonly logIndex: number
  readonly atMs: number
}

export interface Payments {
  /** Most nano-credits that a job can cost: all input units and every output unit that it may produce. */
  quote(pod: PodRecord, units: { readonly inputUnits: number; readonly maxOutputUnits: number }): bigint
  /** @throws HeuristError PAYMENT_INSUFFICIENT_CREDITS, PAYMENT_KEY_BUDGET_EXCEEDED (payload: the facts) */
  hold(request: HoldRequest): Promise<Hold>
  balance(account: Address): Promise<CreditBalance[]>
  /** Applies a deposit seen on the chain, once, however often it is told. */
  applyDeposit(deposit: Deposit): Promise<'applied' | 'duplicate'>
  /** Returns unused allowances. Call it when no hold is open any more. */
  stop(): Promise<void>
}

export type PaymentErrorCode =
  /** The account has too few free credits. Payload: {@link InsufficientCredits}. */
  | 'PAYMENT_INSUFFICIENT_CREDITS'
  /** The key has used up its own budget. Payload: {@link KeyBudgetExceeded}. */
  | 'PAYMENT_KEY_BUDGET_EXCEEDED'
  /** A bug: a price above what was held. */
  | 'PAYMENT_OVER_HOLD'
  /** Payments are stopping; no new holds. */
  | 'PAYMENT_STOPPED'

/** Nano-credits. */
export type InsufficientCredits = { readonly account: Address; readonly needed: bigint; readonly available: bigint }
/** Nano-credits. */
export type KeyBudgetExceeded = {
  readonly keyId: string
  readonly budget: bigint
  readonly spent: bigint
  readonly held: bigint
  readonly needed: bigint
}
