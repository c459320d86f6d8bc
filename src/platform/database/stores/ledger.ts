import type pg from 'pg'
import type { Address } from '#protocol'
import { translated } from '../errors.ts'
import type { LedgerEvent, LedgerRow, LedgerStore, Posting } from '../port.ts'
import type { AccountIds } from './account-ids.ts'
import { encodeEvents } from './ledger-rows.ts'

// One statement, hence one transaction. The trigger on the postings checks the balance of each event and moves the balances.
const APPEND = `
with event_in as materialized (
  select * from json_to_recordset($1::json) as x(i integer, business_id text, kind text, at_ms bigint, memo json)
), event as (
  insert into ledger_events (business_id, kind, at_ms, memo)
  select business_id, kind, at_ms, memo from event_in order by i
  on conflict (business_id) do nothing returning sequence, business_id
), posting as (
  insert into ledger_postings (event_sequence, account_id, amount)
  select event.sequence, p.account_id, p.amount
  from json_to_recordset($2::json) as p(i integer, account_id integer, amount numeric)
  join event_in on event_in.i = p.i join event on event.business_id = event_in.business_id
)
select business_id from event`

const HISTORY = `
select e.sequence, e.business_id, e.kind, e.at_ms, e.memo,
  (select json_agg(json_build_object('account', a.account, 'asset', a.asset, 'amount', p.amount::text))
   from ledger_postings p join ledger_accounts a on a.id = p.account_id where p.event_sequence = e.sequence) as postings
from ledger_events e
where e.sequence < $1 and ($2::text is null or e.sequence in (
  select p.event_sequence from ledger_postings p join ledger_accounts a on a.id = p.account_id
  where a.account = $2 and p.event_sequence < $1 order by p.event_sequence desc limit $3))
order by e.sequence desc limit $3`

type HistoryRow = {
  sequence: number
  business_id: string
  kind: string
  at_ms: number
  memo: Record<string, string | number> | null
  postings: { account: string; asset: Address; amount: string }[] | null
}

export function createLedgerStore({ pool, accountIds }: { pool: pg.Pool; accountIds: AccountIds }): LedgerStore {
  return {
    append: events => translated(() => append(pool, accountIds, events)),
    balance: (account, asset) =>
      translated(async () => {
        const { rows } = await pool.query('select balance from ledger_accounts where account = $1 and asset = $2', [account, asset])
        return rows[0]?.balance ?? 0n
      }),
    balances: prefix =>
      translated(async () => {
        const { rows } = await pool.query(
          'select account, asset, balance as amount from ledger_accounts where starts_with(account, $1) and balance <> 0 order by account, asset',
          [prefix],
        )
        return rows
      }),
    history: ({ account, beforeSequence, limit }) =>
      translated(async () => {
        const before = beforeSequence ?? Number.MAX_SAFE_INTEGER
        const { rows } = await pool.query<HistoryRow>(HISTORY, [before, account ?? null, limit])
        return rows.map(toLedgerRow)
      }),
    totals: () =>
      translated(async () => {
        // From the postings themselves, not from the derived balances: this is what an auditor would add up.
        const { rows } = await pool.query(
          'select a.asset, sum(p.amount) as sum from ledger_postings p join ledger_accounts a on a.id = p.account_id group by a.asset order by a.asset',
        )
        return rows
      }),
  }
}

async function append(pool: pg.Pool, accountIds: AccountIds, events: readonly LedgerEvent[]): Promise<('applied' | 'duplicate')[]> {
  if (events.length === 0) return []
  await accountIds.resolve(events)
  const { eventRows, postingRows } = encodeEvents(events, accountIds)
  const { rows } = await pool.query<{ business_id: string }>({
    name: 'ledger-append',
    text: APPEND,
    values: [JSON.stringify(eventRows), JSON.stringify(postingRows)],
  })
  const applied = new Set(rows.map(row => row.business_id))
  // A business id twice in one call: the first of them was applied.
  return events.map(event => (applied.delete(event.businessId) ? 'applied' : 'duplicate'))
}

function toLedgerRow(row: HistoryRow): LedgerRow {
  return {
    sequence: row.sequence,
    businessId: row.business_id,
    kind: row.kind,
    atMs: row.at_ms,
    postings: (row.postings ?? []).map((posting): Posting => ({ ...posting, amount: BigInt(posting.amount) })),
    ...(row.memo && { memo: row.memo }),
  }
}
