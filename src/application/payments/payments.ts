import type { Clock, LedgerStore, Logger, Metrics } from '#platform'
import { type Address, HeuristError } from '#protocol'
import { type AllowanceOwner, allowancePrefix, creditsAccount, creditUnitOf } from './accounts.ts'
import { createAllowances } from './allowances.ts'
import { watchBalance } from './balance-watch.ts'
import { createHold, creditText, takeMoney } from './holds.ts'
import { createKeyBudgets } from './key-budgets.ts'
import { depositEvent } from './ledger.ts'
import { quoteMaximum } from './pricing.ts'
import { returnEarlierAllowances } from './recovery.ts'
import type { CreditBalance, HoldRequest, InsufficientCredits, PaymentErrorCode, Payments } from './types.ts'

export type PaymentOptions = {
  /** Stable name of this process (`gateway-0`; no two at once) and a word that differs at every start. */
  readonly owner: AllowanceOwner
  /** Payment assets in the order in which they are spent. */
  readonly assets: readonly Address[]
  /** Nano-credits leased from the ledger at a time (default 100 credits). */
  readonly chunkNanoCredits?: bigint
  /** An allowance that nobody used for so long goes back, in ms (default 30,000). */
  readonly idleMs?: number
}

/**
 * Payment by prepaid credits. First returns what an earlier process of the same instance had leased and not spent.
 * @throws HeuristError DATABASE_UNAVAILABLE
 * @example
 * const payments = await createPayments({ owner: { instance: 'gateway-0', epoch }, assets: [usd, heu] }, { ledger, clock, logger })
 */
export async function createPayments(
  options: PaymentOptions,
  dependencies: { ledger: LedgerStore; clock: Clock; logger: Logger; metrics?: Metrics },
): Promise<Payments> {
  const { ledger, logger, metrics } = dependencies
  const { owner, assets } = options
  const returned = await returnEarlierAllowances(owner, dependencies)
  if (returned > 0) logger.info({ allowances: returned }, 'returned the unspent allowances of an earlier run')
  const allowances = createAllowances(options, dependencies)
  const budgets = createKeyBudgets()
  const refusals = metrics?.counter('heurist_payment_holds_refused_total', 'Holds refused, by reason.', ['reason'])
  const balanceWatch = metrics && watchBalance({ ...dependencies, metrics })
  let stopped = false

  async function hold(request: HoldRequest): ReturnType<Payments['hold']> {
    if (stopped)
      throw new HeuristError<PaymentErrorCode>('PAYMENT_STOPPED', 'This gateway is stopping and takes no new jobs. Try again.', {
        retryable: true,
      })
    // Reserved before the first await: concurrent jobs of one key see each other.
    try {
      budgets.reserve(request.key, request.credits)
    } catch (error) {
      refusals?.inc({ reason: 'key_budget' })
      throw error
    }
    try {
      const money = await takeMoney(request, assets, allowances)
      if (money) return createHold(request, money, { owner, allowances, budgets })
    } catch (error) {
      budgets.settle(request.key, request.credits, 0n)
      throw error
    }
    budgets.settle(request.key, request.credits, 0n)
    refusals?.inc({ reason: 'credits' })
    throw insufficient(request, await balance(request.account))
  }

  async function balance(account: Address): Promise<CreditBalance[]> {
    const [free, leased] = await Promise.all([ledger.balances(creditsAccount(account)), ledger.balances(allowancePrefix(account))])
    const rows = [...free, ...leased]
    const sumOf = (asset: Address): bigint => rows.reduce((sum, row) => (row.asset === asset ? sum + row.amount : sum), 0n)
    return assets.map(asset => ({
      asset,
      amount: sumOf(asset),
      nanoCredits: sumOf(creditUnitOf(asset)),
      held: allowances.inMemory(account, asset).held.credits,
    }))
  }

  return {
    quote: quoteMaximum,
    hold,
    balance,
    async applyDeposit(deposit) {
      const [result = 'duplicate'] = await ledger.append([depositEvent(deposit)])
      if (result === 'applied') allowances.wake(deposit.account, deposit.asset)
      return result
    },
    async stop() {
      stopped = true
      balanceWatch?.stop()
      await allowances.stop()
    },
  }
}

function insufficient(request: HoldRequest, balances: readonly CreditBalance[]): HeuristError {
  // One asset pays for one job, so what counts is the largest of them.
  const [available = 0n] = balances.map(({ nanoCredits, held }) => nanoCredits - held).sort((a, b) => (a > b ? -1 : 1))
  return new HeuristError<PaymentErrorCode, InsufficientCredits>(
    'PAYMENT_INSUFFICIENT_CREDITS',
    `This request can cost up to ${creditText(request.credits)} credits, and ${creditText(available)} are free. ` +
      'Add credits ("heurist credit buy", or a deposit to the vault), wait for running jobs, or ask for fewer tokens (max_tokens).',
    { payload: { account: request.account, needed: request.credits, available } },
  )
}
