import { type JobRow, type Status, useLive } from '../api.ts'
import { Badge, Hash, Rows } from '../components/parts.tsx'
import { ago, amount } from '../format.ts'

export function Jobs() {
  const status = useLive<Status>('/api/status', 10_000)
  const jobs = useLive<{ data: JobRow[] }>('/api/jobs?limit=100')
  const rows = jobs.data?.data ?? []
  return (
    <>
      <h1>Jobs</h1>
      <section className="card">
        <Rows
          query={jobs}
          empty={rows.length === 0 ? 'No jobs yet. Send one from the playground.' : null}
          head={['Job', 'State', 'Kind', 'Model', 'Node', 'Attempts', 'Units', 'Price', 'Took', 'When']}
        >
          {rows.map(job => (
            <tr key={job.jobId}>
              <td>
                <a className="id" href={`#/jobs/${job.jobId}`}>
                  {job.jobId}
                </a>
              </td>
              <td>
                <Badge state={job.state} />
              </td>
              <td>{job.kind}</td>
              <td>{job.model}</td>
              <td>
                <Hash value={job.nodeId} />
              </td>
              <td>{job.attempts}</td>
              <td>{job.units ? `${job.units.inputUnits} → ${job.units.outputUnits}` : '–'}</td>
              <td>{amount(job.price, job.asset, status.data?.assets)}</td>
              <td>{job.finishedAtMs === null ? '–' : `${job.finishedAtMs - job.createdAtMs} ms`}</td>
              <td>{ago(job.createdAtMs)}</td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
