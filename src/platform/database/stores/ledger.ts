import type pg from 'pg'
import type { Address } from '#protocol'
import { translated } from '../errors.ts'
import type { LedgerEvent, LedgerRow, LedgerStore, Posting } from '../port.ts'
import type { AccountIds } from './account-ids.ts'
import { addEvents, insertLedgerSql, ledgerColumns, ledgerParameters } from './ledger-rows.ts'

// One statement, hence one transaction. The trigger on the postings checks the balance of each event and moves the balances.
const APPEND = `with ${insertLedgerSql(1, 'select * from event_all')} select business_id from event`

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
  memo: string | null
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
  const columns = ledgerColumns()
  addEvents(columns, events, accountIds)
  const { rows } = await pool.query<{ business_id: string }>({ name: 'ledger-append', text: APPEND, values: ledgerParameters(columns) })
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
    ...(row.memo !== null && { memo: JSON.parse(row.memo) }),
  }
}
