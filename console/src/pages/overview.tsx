import { type BatchRow, type Credits, type JobRow, type NodeRow, type Status, useLive } from '../api.ts'
import { Badge, Hash, Rows, Stat } from '../components/parts.tsx'
import { ago, amount, credits } from '../format.ts'

export function Overview() {
  const status = useLive<Status>('/api/status')
  const nodes = useLive<{ data: NodeRow[] }>('/api/nodes')
  const jobs = useLive<{ data: JobRow[] }>('/api/jobs?limit=8')
  const balance = useLive<Credits>('/api/credits')
  const batches = useLive<{ data: BatchRow[] }>('/api/batches?limit=200', 3000)
  const settled = (batches.data?.data ?? []).filter(({ state }) => state === 'confirmed').reduce((sum, { jobCount }) => sum + jobCount, 0)
  const rows = jobs.data?.data ?? []
  return (
    <>
      <h1>Network</h1>
      <div className="stats">
        <Stat name="Nodes online" value={status.data?.nodes.online ?? '–'} detail={nodes.data?.data.map(({ name }) => name).join(', ')} />
        <Stat name="Pods" value={status.data?.pods ?? '–'} />
        <Stat name="Credits" value={balance.data ? credits(balance.data.credits) : '–'} detail="100 credits are 1 USD" />
        <Stat
          name="Jobs settled"
          value={settled}
          detail={status.data?.lastBatch ? `last batch ${status.data.lastBatch.number}` : 'no batch yet'}
        />
      </div>
      <section className="card">
        <h2>Latest jobs</h2>
        <Rows
          query={jobs}
          empty={rows.length === 0 ? 'No jobs yet. Send one from the playground.' : null}
          head={['Job', 'State', 'Model', 'Node', 'Units', 'Price', 'When']}
        >
          {rows.map(job => (
            <tr key={job.jobId}>
              <td>
                <a href={`#/jobs/${job.jobId}`}>{job.jobId.slice(0, 14)}…</a>
              </td>
              <td>
                <Badge state={job.state} />
              </td>
              <td>{job.model}</td>
              <td>
                <Hash value={job.nodeId} />
              </td>
              <td>{job.units ? `${job.units.inputUnits} → ${job.units.outputUnits}` : '–'}</td>
              <td>{amount(job.price, job.asset, status.data?.assets)}</td>
              <td>{ago(job.createdAtMs)}</td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
