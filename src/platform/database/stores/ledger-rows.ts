import { HeuristError } from '#protocol'
import type { DatabaseErrorCode, LedgerEvent } from '../port.ts'
import type { AccountIds } from './account-ids.ts'
import { int4Array, int8Array, textArray } from './binary-arrays.ts'

/** Columns of a group of events and their postings. The event's number in the group (from 1) ties postings to it. */
export type LedgerColumns = {
  readonly jobIds: string[]
  readonly businessIds: string[]
  readonly kinds: string[]
  readonly times: number[]
  readonly memos: (string | null)[]
  readonly eventNumbers: number[]
  readonly accountIds: number[]
  readonly amounts: string[]
}

export function ledgerColumns(): LedgerColumns {
  return { jobIds: [], businessIds: [], kinds: [], times: [], memos: [], eventNumbers: [], accountIds: [], amounts: [] }
}

/**
 * Adds events to the columns; postings of one event to one account are added up. `jobId` is empty outside of jobs.
 * @throws HeuristError LEDGER_UNBALANCED when an event has no postings or does not sum to zero per asset
 */
export function addEvents(columns: LedgerColumns, events: readonly LedgerEvent[], accountIds: AccountIds, jobId = ''): void {
  for (const event of events) {
    assertBalanced(event)
    const number = columns.businessIds.push(event.businessId)
    columns.jobIds.push(jobId)
    columns.kinds.push(event.kind)
    columns.times.push(event.atMs)
    columns.memos.push(event.memo ? JSON.stringify(event.memo) : null)
    const sums = new Map<number, bigint>()
    for (const { account, asset, amount } of event.postings) {
      const id = accountIds.get(account, asset)
      const sum = sums.get(id)
      sums.set(id, sum === undefined ? amount : sum + amount)
    }
    for (const [id, amount] of sums) {
      columns.eventNumbers.push(number)
      columns.accountIds.push(id)
      columns.amounts.push(amount.toString())
    }
  }
}

/** Parameters for {@link INSERT_LEDGER}, in its order. */
export function ledgerParameters(columns: LedgerColumns): Buffer[] {
  return [
    textArray(columns.jobIds),
    textArray(columns.businessIds),
    textArray(columns.kinds),
    int8Array(columns.times),
    textArray(columns.memos),
    int4Array(columns.eventNumbers),
    int4Array(columns.accountIds),
    textArray(columns.amounts),
  ]
}

/**
 * Common table expressions that write the events of {@link ledgerParameters}, from parameter `first` on. Of a business id that
 * is there already, nothing is written. `source` narrows `event_all` (columns i, job_id, business_id, kind, at_ms, memo).
 */
export function insertLedgerSql(first: number, source: string): string {
  const [jobIds, businessIds, kinds, times, memos, numbers, accountIds, amounts] = Array.from({ length: 8 }, (_, i) => `$${first + i}`)
  return `
event_all as materialized (
  select distinct on (business_id) * from unnest(${jobIds}::text[], ${businessIds}::text[], ${kinds}::text[], ${times}::int8[], ${memos}::text[])
    with ordinality as e(job_id, business_id, kind, at_ms, memo, i) order by business_id, i
), event_in as materialized (${source}), event as (
  insert into ledger_events (business_id, kind, at_ms, memo)
  select business_id, kind, at_ms, memo from event_in order by i
  on conflict (business_id) do nothing returning sequence, business_id
), posting as (
  insert into ledger_postings (event_sequence, account_id, amount)
  select event.sequence, p.account_id, p.amount::numeric
  from unnest(${numbers}::int4[], ${accountIds}::int4[], ${amounts}::text[]) as p(i, account_id, amount)
  join event_in on event_in.i = p.i join event on event.business_id = event_in.business_id
)`
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

/**
 * The same without looking for business ids that are there already: one of those fails the statement (23505), and nothing is
 * written. Sequences are drawn first, so that postings find theirs by position and nothing is joined.
 */
export function insertNewLedgerSql(first: number): string {
  const [jobIds, businessIds, kinds, times, memos, numbers, accountIds, amounts] = Array.from({ length: 8 }, (_, i) => `$${first + i}`)
  return `
drawn as materialized (
  select array_agg(nextval('ledger_events_sequence_seq')) as sequences from generate_series(1, cardinality(${jobIds}::text[]))
), event as (
  insert into ledger_events (sequence, business_id, kind, at_ms, memo) overriding system value
  select drawn.sequences[e.i], e.business_id, e.kind, e.at_ms, e.memo
  from drawn, unnest(${businessIds}::text[], ${kinds}::text[], ${times}::int8[], ${memos}::text[]) with ordinality as e(business_id, kind, at_ms, memo, i)
), posting as (
  insert into ledger_postings (event_sequence, account_id, amount)
  select drawn.sequences[p.i], p.account_id, p.amount::numeric
  from drawn, unnest(${numbers}::int4[], ${accountIds}::int4[], ${amounts}::text[]) as p(i, account_id, amount)
)`
}
