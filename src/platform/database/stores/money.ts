import type pg from 'pg'
import { translated } from '../errors.ts'
import type { CapturedMoney, MoneyStore } from '../port.ts'

// One statement, hence one snapshot: what the ledger's entries say, and what the receipts say, at the same moment.
const CAPTURED = `
select 'ledger' as source, null::bigint as "batchNumber", split_part(a.account, ':', 2) as role, split_part(a.account, ':', 3) as account,
  a.asset, sum(p.amount) as amount
from ledger_postings p join ledger_accounts a on a.id = p.account_id where starts_with(a.account, 'earned:') group by 3, 4, 5
union all
select 'ledger', null, 'payer', split_part(a.account, ':', 2), a.asset, -sum(p.amount)
from ledger_postings p join ledger_accounts a on a.id = p.account_id join ledger_events e on e.sequence = p.event_sequence
where e.kind = 'capture' and starts_with(a.account, 'allowance:')
  and a.asset in (select distinct asset from jobs) group by 4, 5
union all
select 'receipts', r.batch_number, s ->> 'role', s ->> 'account', r.signed::json -> 'receipt' ->> 'asset', sum((s ->> 'amount')::numeric)
from receipts r cross join lateral json_array_elements(r.split::json) s group by 2, 3, 4, 5
union all
select 'receipts', r.batch_number, 'payer', r.signed::json -> 'receipt' ->> 'payer', r.signed::json -> 'receipt' ->> 'asset',
  sum((r.signed::json -> 'receipt' ->> 'price')::numeric)
from receipts r group by 2, 4, 5`

export function createMoneyStore({ pool }: { pool: pg.Pool }): MoneyStore {
  return {
    captured: () => translated(async () => (await pool.query<CapturedMoney>(CAPTURED)).rows),
  }
}
