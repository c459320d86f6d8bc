import { useEffect, useState } from 'react'
import { type Status, setKey, useLive } from './api.ts'
import { Batches } from './pages/batches.tsx'
import { CreditsPage } from './pages/credits.tsx'
import { EarningsPage } from './pages/earnings.tsx'
import { Economy } from './pages/economy.tsx'
import { Governance } from './pages/governance.tsx'
import { Job } from './pages/job.tsx'
import { Jobs } from './pages/jobs.tsx'
import { Nodes } from './pages/nodes.tsx'
import { Overview } from './pages/overview.tsx'
import { Playground } from './pages/playground.tsx'
import { Pods } from './pages/pods.tsx'
import { Votes } from './pages/votes.tsx'

const PAGES = {
  '': 'Overview',
  playground: 'Playground',
  jobs: 'Jobs',
  nodes: 'Nodes',
  pods: 'Pods',
  credits: 'Credits',
  batches: 'Settlement',
  earnings: 'My earnings',
  economy: 'Economy',
  votes: 'Votes',
  governance: 'Governance',
} as const

function placeOfAddress(): string {
  return location.hash.replace(/^#\/?/, '').replace(/^key=.*/, '')
}

function usePlace(): string {
  const [place, setPlace] = useState(placeOfAddress)
  useEffect(() => {
    const follow = () => setPlace(placeOfAddress())
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return place
}

export function App({ hasKey }: { hasKey: boolean }) {
  const place = usePlace()
  const [page = '', id] = place.split('/')
  const status = useLive<Status>('/api/status', 2000)
  return (
    <div className="frame">
      <nav aria-label="Pages">
        <a className="logo" href="#/">
          <svg viewBox="0 0 32 32" width="26" aria-hidden="true">
            <rect width="32" height="32" rx="8" fill="var(--accent)" />
            <path d="M9 8v16M23 8v16M9 16h14" stroke="#fff" strokeWidth="3.5" strokeLinecap="round" />
          </svg>
          Heurist
        </a>
        {Object.entries(PAGES).map(([path, name]) => (
          <a key={path} href={`#/${path}`} aria-current={page === path ? 'page' : undefined}>
            {name}
          </a>
        ))}
        <div className="foot dim small">
          <span className={`dot ${status.error ? 'off' : 'on'}`} />
          {status.error
            ? 'gateway does not answer'
            : status.data
              ? `chain ${status.data.chainId} · v${status.data.version}`
              : 'connecting …'}
        </div>
      </nav>
      <main>
        {!hasKey && <KeyForm />}
        <Page page={page} id={id} />
      </main>
    </div>
  )
}

function Page({ page, id }: { page: string; id: string | undefined }) {
  if (page === 'playground') return <Playground />
  if (page === 'jobs') return id ? <Job id={id} /> : <Jobs />
  if (page === 'nodes') return <Nodes />
  if (page === 'pods') return <Pods />
  if (page === 'credits') return <CreditsPage />
  if (page === 'batches') return <Batches />
  if (page === 'earnings') return <EarningsPage />
  if (page === 'economy') return <Economy />
  if (page === 'votes') return <Votes />
  if (page === 'governance') return <Governance />
  return <Overview />
}

function KeyForm() {
  const [key, change] = useState('')
  return (
    <form
      className="card keyform"
      onSubmit={event => {
        event.preventDefault()
        setKey(key)
        location.reload()
      }}
    >
      <label>
        API key
        <input type="password" value={key} onChange={event => change(event.target.value)} placeholder="hk_…" autoComplete="off" />
      </label>
      <button type="submit">Use it</button>
      <span className="dim small">Nodes, pods and batches can be seen without one. Make a key with: heurist key create</span>
    </form>
  )
}
