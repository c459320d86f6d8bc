import { type NodeRow, type PodRow, useLive } from '../api.ts'
import { Badge, Hash } from '../components/parts.tsx'
import { bytes } from '../format.ts'

export function Nodes() {
  const query = useLive<{ data: NodeRow[] }>('/api/nodes')
  const pods = useLive<{ data: PodRow[] }>('/api/pods', 5000)
  const names = new Map((pods.data?.data ?? []).map(({ podId, name }) => [podId, name]))
  const nodes = (query.data?.data ?? []).toSorted((a, b) => a.name.localeCompare(b.name))
  return (
    <>
      <h1>Compute nodes</h1>
      {query.error && (
        <p className="problem" role="alert">
          {query.error.message}
        </p>
      )}
      {query.data && nodes.length === 0 && <p className="dim">No node is linked. Start one with: heurist node start</p>}
      <div className="cards">
        {nodes.map(node => (
          <Node key={node.nodeId} node={node} names={names} />
        ))}
      </div>
    </>
  )
}

function Node({ node, names }: { node: NodeRow; names: ReadonlyMap<string, string> }) {
  const slots = (node.facts?.replicas ?? []).reduce((sum, { slots: count }) => sum + count, 0)
  return (
    <section className="card">
      <h2>
        <span className={`dot ${node.online ? 'on' : 'off'}`} /> {node.name} {node.jailed && <Badge state="jailed" />}
      </h2>
      <p>
        <Hash value={node.nodeId} />{' '}
        <span className="dim small">
          collateral {(Number(node.collateral) / 1e18).toLocaleString()} HEU · uptime {(node.uptimeBps / 100).toFixed(1)} %
        </span>
      </p>
      <p>
        {node.busySlots} of {slots} slots busy
        <meter min={0} max={Math.max(1, slots)} value={node.busySlots} aria-label="busy slots" />
      </p>
      {node.facts?.devices.map(device => (
        <p key={device.id} className="small">
          <strong>{device.name}</strong> {device.kind} · {bytes(device.memoryBytes)} · {device.shareBps / 100} % share
          {device.benchmark && <> · {device.benchmark.score.toExponential(2)} ops/s</>}
        </p>
      ))}
      {node.facts?.replicas.map(replica => (
        <p key={replica.podId} className="small">
          <Badge state={replica.state} /> {names.get(replica.podId) ?? <Hash value={replica.podId} />} {replica.unitsPerSecond.toFixed(0)}{' '}
          units/s {replica.reason && <span className="problem">{replica.reason}</span>}
        </p>
      ))}
    </section>
  )
}
