import type pg from 'pg'
import type { LedgerEvent } from '../port.ts'

/** Numbers of ledger accounts. An account is made when it is first named; unused ones stay at zero and hurt nobody. */
export type AccountIds = {
  /** Learns every account that the events name. */
  resolve(events: Iterable<LedgerEvent>): Promise<void>
  /** @throws Error when `resolve` has not been told of it */
  get(account: string, asset: string): number
}

const CACHE_LIMIT = 200_000

const RESOLVE = `
with wanted as (select * from unnest($1::text[], $2::text[]) as w(account, asset)),
made as (insert into ledger_accounts (account, asset) select account, asset from wanted order by account, asset
  on conflict on constraint ledger_accounts_name do nothing returning id, account, asset)
select id, account, asset from made
union all select a.id, a.account, a.asset from ledger_accounts a join wanted w on a.account = w.account and a.asset = w.asset`

export function createAccountIds(pool: pg.Pool): AccountIds {
  const ids = new Map<string, number>()
  const keyOf = (account: string, asset: string): string => `${asset} ${account}`

  return {
    async resolve(events) {
      // Emptied only here, before a group is looked up: what `get` needs right after is never dropped.
      if (ids.size > CACHE_LIMIT) ids.clear()
      for (;;) {
        const missing = new Map<string, { account: string; asset: string }>()
        for (const event of events) {
          for (const { account, asset } of event.postings) {
            const key = keyOf(account, asset)
            if (!ids.has(key)) missing.set(key, { account, asset })
          }
        }
        if (missing.size === 0) return
        const wanted = [...missing.values()]
        const { rows } = await pool.query(RESOLVE, [wanted.map(w => w.account), wanted.map(w => w.asset)])
        for (const row of rows) ids.set(keyOf(row.account, row.asset), row.id)
        // An account that another process made at this very moment is seen in the next round.
      }
    },
    get(account, asset) {
      const id = ids.get(keyOf(account, asset))
      if (id === undefined) throw new Error(`ledger account ${account} was not resolved`)
      return id
    },
  }
}
