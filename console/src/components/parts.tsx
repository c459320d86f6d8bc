import type { ReactNode } from 'react'
import { short } from '../format.ts'

export function Badge({ state }: { state: string }) {
  return <span className={`badge ${state}`}>{state}</span>
}

/** A hash or an address: short to read, whole on hover, copied by a click. */
export function Hash({ value }: { value: string | null }) {
  if (!value) return <span className="dim">–</span>
  return (
    <button type="button" className="hash" title={`${value} (click to copy)`} onClick={() => navigator.clipboard?.writeText(value)}>
      {short(value)}
    </button>
  )
}

export function Stat({ name, value, detail }: { name: string; value: ReactNode; detail?: ReactNode }) {
  return (
    <div className="stat">
      <div className="dim">{name}</div>
      <div className="value">{value}</div>
      {detail && <div className="dim small">{detail}</div>}
    </div>
  )
}

type State = { isPending: boolean; error: Error | null }

/** Loading, failed, empty or the rows: every list on the page answers all four. */
export function Rows({
  query,
  empty,
  head,
  children,
}: {
  query: State
  empty: string | null
  head: readonly string[]
  children: ReactNode
}) {
  if (query.error)
    return (
      <p className="problem" role="alert">
        {query.error.message}
      </p>
    )
  if (query.isPending) return <p className="dim">Loading …</p>
  if (empty !== null) return <p className="dim">{empty}</p>
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            {head.map(name => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
