import { type Credits, type LedgerRow, useLive } from '../api.ts'
import { Hash, Rows, Stat } from '../components/parts.tsx'
import { ago, amount, credits } from '../format.ts'

export function CreditsPage() {
  const query = useLive<Credits>('/api/credits')
  const history = useLive<{ data: LedgerRow[] }>('/api/credits/history?limit=50', 2000)
  const rows = history.data?.data ?? []
  return (
    <>
      <h1>Credits</h1>
      {query.error && (
        <p className="problem" role="alert">
          {query.error.message}
        </p>
      )}
      {query.data && (
        <div className="stats">
          <Stat
            name="Available"
            value={credits(query.data.credits)}
            detail={
              <>
                account <Hash value={query.data.account} />
              </>
            }
          />
          {query.data.balances.map(balance => (
            <Stat
              key={balance.asset}
              name="Backed by"
              value={amount(balance.amount, balance.asset, query.data.assets)}
              detail={`${credits(balance.credits)} credits`}
            />
          ))}
        </div>
      )}
      <p className="dim">
        Add more with <code>heurist credit buy 10 --asset DevUSD</code>. Credits bought with HEU come with 20 % on top.
      </p>
      <section className="card">
        <h2>Ledger</h2>
        <Rows query={history} empty={rows.length === 0 ? 'Nothing booked yet.' : null} head={['#', 'Event', 'Postings', 'When']}>
          {rows.map(row => (
            <tr key={row.sequence}>
              <td>{row.sequence}</td>
              <td>{row.kind}</td>
              <td className="small">
                {row.postings
                  .map(
                    posting =>
                      `${posting.account.replace(/0x([0-9a-f]{4})[0-9a-f]+/, '0x$1…')} ${amount(posting.amount, posting.asset, query.data?.assets)}`,
                  )
                  .join(' · ')}
              </td>
              <td>{ago(row.atMs)}</td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
