import { type BatchRow, useLive } from '../api.ts'
import { Badge, Hash, Rows } from '../components/parts.tsx'
import { ago } from '../format.ts'

export function Batches() {
  const query = useLive<{ data: BatchRow[] }>('/api/batches?limit=100')
  const rows = query.data?.data ?? []
  return (
    <>
      <h1>Settlement</h1>
      <p className="dim">Receipts of jobs that succeeded, netted into one transaction per batch. A failed job never appears here.</p>
      <section className="card">
        <Rows
          query={query}
          empty={rows.length === 0 ? 'No batch yet.' : null}
          head={['Batch', 'State', 'Jobs', 'Receipts root', 'Transaction', 'Block', 'Gas', 'Gas per job', 'Formed']}
        >
          {rows.map(batch => (
            <tr key={batch.number}>
              <td>{batch.number}</td>
              <td>
                <Badge state={batch.state} />
              </td>
              <td>{batch.jobCount}</td>
              <td>
                <Hash value={batch.receiptsRoot} />
              </td>
              <td>
                <Hash value={batch.transactionHash} />
              </td>
              <td>{batch.blockNumber ?? '–'}</td>
              <td>{batch.gasUsed?.toLocaleString() ?? '–'}</td>
              <td>{batch.gasUsed === null ? '–' : Math.round(batch.gasUsed / batch.jobCount).toLocaleString()}</td>
              <td>{ago(batch.formedAtMs)}</td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
