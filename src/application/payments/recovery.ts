import type { Clock, LedgerEvent, LedgerStore, Posting } from '#platform'
import { isHeuristError } from '#protocol'
import { type AllowanceOwner, allowancePrefix, creditsAccount, parseAllowance } from './accounts.ts'

const TRIES = 10
type Dependencies = { readonly ledger: LedgerStore; readonly clock: Clock }

/**
 * Returns what an earlier process of this instance had leased and not spent; other instances are left alone. Answers how many
 * allowances there were. A capture of the dead process may still be on its way to the disk, so an overdrawn return is read and tried again.
 */
export async function returnEarlierAllowances(owner: AllowanceOwner, dependencies: Dependencies): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const events = await returnsOf(owner, attempt, dependencies)
    if (events.length === 0) return 0
    try {
      await dependencies.ledger.append(events)
      return events.length
    } catch (error) {
      if (!isHeuristError(error, 'LEDGER_OVERDRAWN') || attempt === TRIES) throw error
    }
  }
}

/** The instances that have credits leased. */
export async function leasedInstances(ledger: Pick<LedgerStore, 'balances'>): Promise<string[]> {
  const balances = await ledger.balances(allowancePrefix())
  return [...new Set(balances.flatMap(({ account }) => parseAllowance(account)?.instance ?? []))]
}

async function returnsOf(owner: AllowanceOwner, attempt: number, { ledger, clock }: Dependencies): Promise<LedgerEvent[]> {
  const postings = new Map<string, Posting[]>()
  for (const { account, asset, amount } of await ledger.balances(allowancePrefix())) {
    const parsed = parseAllowance(account)
    if (parsed?.instance !== owner.instance) continue
    const list = postings.get(account) ?? []
    list.push({ account, asset, amount: -amount }, { account: creditsAccount(parsed.account), asset, amount })
    postings.set(account, list)
  }
  return [...postings].map(([account, list]) => ({
    businessId: `return:${account}:${owner.epoch}:start-${attempt}`,
    kind: 'allowance_return',
    atMs: clock.now(),
    postings: list,
  }))
}
