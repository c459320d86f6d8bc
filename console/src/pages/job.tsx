import { Fragment } from 'react'
import { type JobDetail, type Status, type TimelineEvent, useLive } from '../api.ts'
import { Badge, Hash, Stat } from '../components/parts.tsx'
import { amount, credits } from '../format.ts'

/** One job from quote to transaction. */
export function Job({ id }: { id: string }) {
  const status = useLive<Status>('/api/status', 10_000)
  const query = useLive<JobDetail>(`/api/jobs/${id}`)
  const job = query.data
  if (query.error)
    return (
      <p className="problem" role="alert">
        {query.error.message}
      </p>
    )
  if (!job) return <p className="dim">Loading …</p>
  const assets = status.data?.assets
  return (
    <>
      <h1>
        Job <code>{job.jobId}</code> <Badge state={job.state} />
      </h1>
      {job.errorMessage && (
        <p className="problem">
          {job.errorCode}: {job.errorMessage}
        </p>
      )}
      <div className="stats">
        <Stat name="Model" value={job.model} detail={job.kind} />
        <Stat name="Units" value={job.units ? `${job.units.inputUnits} → ${job.units.outputUnits}` : '–'} detail="counted by the router" />
        <Stat name="Price" value={amount(job.price, job.asset, assets)} />
        <Stat name="Node" value={<Hash value={job.nodeId} />} detail={`attempts: ${job.attempts}`} />
      </div>
      <Timeline job={job} assets={assets} />
      {job.decisions.map(decision => (
        <Decision key={decision.recordHash} decision={decision} />
      ))}
      <Money job={job} assets={assets} />
    </>
  )
}

type Known = { job: JobDetail; assets: Status['assets'] | undefined }

/** A detail of the timeline in the units that people use; hashes short, whole on hover. */
function Detail({ name, value, job, assets }: Known & { name: string; value: unknown }) {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  if (name === 'price' || name === 'maxPrice') return <span>{`${words(name)} ${amount(text, job.asset, assets)}`}</span>
  if (name === 'credits' || name === 'maxCredits') return <span>{`${words(name)} ${credits(String(Number(text) / 1e9))}`}</span>
  if (name === 'asset') return <span>{`asset ${assets?.find(({ address }) => address === text)?.symbol ?? text}`}</span>
  if (/^0x[0-9a-f]{40,}$/.test(text)) {
    return (
      <span>
        {words(name)} <Hash value={text} />
      </span>
    )
  }
  return <span>{`${words(name)} ${text}`}</span>
}

/** `fencingToken` -> `fencing token`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
}

function Timeline({ job, assets }: Known) {
  const events: readonly TimelineEvent[] = job.timeline
  const start = events[0]?.atMs ?? 0
  return (
    <section className="card">
      <h2>Timeline</h2>
      <ol className="timeline">
        {events.map(event => (
          <li key={`${event.step}-${event.atMs}-${JSON.stringify(event.detail)}`}>
            <span className="at">+{event.atMs - start} ms</span>
            <strong>{event.step.replace('_', ' ')}</strong>
            <span className="dim small">
              {Object.entries(event.detail).map(([name, value], index) => (
                <Fragment key={name}>
                  {index > 0 && ' · '}
                  <Detail name={name} value={value} job={job} assets={assets} />
                </Fragment>
              ))}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Decision({ decision }: { decision: JobDetail['decisions'][number] }) {
  const { record, candidates } = decision
  return (
    <section className="card">
      <h2>Why this node (attempt {record.attempt})</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              {['Candidate', 'Warm', 'Referred', 'Efficiency', 'Votes', 'Uptime', ''].map(name => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {candidates.map(({ nodeId, refused, keys }) => (
              <tr key={nodeId} className={nodeId === record.chosen ? 'chosen' : ''}>
                <td>
                  <Hash value={nodeId} />
                </td>
                {refused.length === 0 ? (
                  ['warm', 'referred', 'efficiencyBucket', 'votesBucket', 'uptimeBucket'].map(key => <td key={key}>{keys[key]}</td>)
                ) : (
                  <td colSpan={5} className="dim">
                    {refused.join('; ')}
                  </td>
                )}
                <td>{nodeId === record.chosen ? 'chosen' : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="dim small">
        {record.eligible} of {record.hosts} hosts could take it. Compared left to right. Tie-break seed <Hash value={record.seed} />, record{' '}
        <Hash value={decision.recordHash} />, signed by the router. Replay it: <code>heurist audit route {record.jobId}</code>
      </p>
    </section>
  )
}

function Money({ job, assets }: { job: JobDetail; assets: Status['assets'] | undefined }) {
  if (job.discard) {
    return (
      <section className="card">
        <h2>Discard receipt</h2>
        <p>
          {job.discard.discard.reason}: nothing was charged and no transaction was posted. Signed by <Hash value={job.discard.router} />.
        </p>
      </section>
    )
  }
  if (!job.receipt) return null
  return (
    <section className="card">
      <h2>Receipt and settlement</h2>
      <table>
        <tbody>
          {job.receipt.split.map(({ role, account, amount: share }) => (
            <tr key={role}>
              <td>{role}</td>
              <td>
                <Hash value={account} />
              </td>
              <td>{amount(share, job.asset, assets)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        Digest <Hash value={job.receipt.digest} />, signed by node and router.{' '}
        {job.batch ? (
          <>
            Batch {job.batch.number} (<Badge state={job.batch.state} />
            ), transaction <Hash value={job.batch.transactionHash} />.
          </>
        ) : (
          'Waits for the next batch.'
        )}{' '}
        <span className="dim small">
          Check it: <code>heurist receipt verify {job.jobId}</code>
        </span>
      </p>
    </section>
  )
}
