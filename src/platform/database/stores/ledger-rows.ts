import { HeuristError } from '#protocol'
import type { DatabaseErrorCode, LedgerEvent } from '../port.ts'
import type { AccountIds } from './account-ids.ts'

export type EventRow = { i: number; job_id?: string; business_id: string; kind: string; at_ms: number; memo?: unknown }
export type PostingRow = { i: number; account_id: number; amount: string }

/**
 * Rows of a group of events; `i` ties postings to their event. Postings of one event to one account are added up.
 * @throws HeuristError LEDGER_UNBALANCED when an event has no postings or does not sum to zero per asset
 */
export function encodeEvents(events: readonly LedgerEvent[], accountIds: AccountIds): { eventRows: EventRow[]; postingRows: PostingRow[] } {
  const eventRows: EventRow[] = []
  const postingRows: PostingRow[] = []
  appendEvents(events, accountIds, { eventRows, postingRows })
  return { eventRows, postingRows }
}

export function appendEvents(
  events: readonly LedgerEvent[],
  accountIds: AccountIds,
  target: { eventRows: EventRow[]; postingRows: PostingRow[]; jobId?: string },
): void {
  const { eventRows, postingRows, jobId } = target
  const seen = new Set<string>()
  for (const event of events) {
    // Within one statement a second row of the same id could not see the first.
    if (seen.has(event.businessId)) continue
    seen.add(event.businessId)
    assertBalanced(event)
    const i = eventRows.length
    eventRows.push({
      i,
      ...(jobId !== undefined && { job_id: jobId }),
      business_id: event.businessId,
      kind: event.kind,
      at_ms: event.atMs,
      ...(event.memo && { memo: event.memo }),
    })
    const sums = new Map<number, bigint>()
    for (const posting of event.postings) {
      const id = accountIds.get(posting.account, posting.asset)
      sums.set(id, (sums.get(id) ?? 0n) + posting.amount)
    }
    for (const [accountId, amount] of sums) postingRows.push({ i, account_id: accountId, amount: amount.toString() })
  }
}

/** The database refuses such events too; saying it here keeps one bad event from failing its group. */
function assertBalanced(event: LedgerEvent): void {
  const sums = new Map<string, bigint>()
  for (const { asset, amount } of event.postings) sums.set(asset, (sums.get(asset) ?? 0n) + amount)
  const off = [...sums].find(([, sum]) => sum !== 0n)
  if (!off && event.postings.length > 0) return
  throw new HeuristError<DatabaseErrorCode>(
    'LEDGER_UNBALANCED',
    off
      ? `Ledger event ${event.businessId} does not sum to zero: ${off[1]} of ${off[0]} is left over. Nothing of it was written.`
      : `Ledger event ${event.businessId} has no postings.`,
    { payload: { businessId: event.businessId } },
  )
}
