import { useLive } from '../api.ts'
import { Hash, Rows } from '../components/parts.tsx'
import type { Epoch } from '../economy-api.ts'
import { duration, heu, share } from '../format.ts'

export function Votes() {
  const query = useLive<Epoch>('/api/epochs/current', 3000)
  const epoch = query.data
  return (
    <>
      <h1>Votes</h1>
      {epoch && (
        <p className="dim">
          Epoch {epoch.epoch}, {duration(epoch.secondsLeft)} left.{' '}
          {epoch.votesCloseIn > 0
            ? `Votes for the next one are taken for ${duration(epoch.votesCloseIn)} more:`
            : 'Votes for the next one are closed.'}{' '}
          <code>heurist vote node &lt;name&gt;=60</code>
        </p>
      )}
      <section className="card">
        <h2>Nodes: votes multiply emission, up to 2.5 times</h2>
        <Rows
          query={query}
          empty={epoch?.nodes.length === 0 ? 'No node is registered.' : null}
          head={['Node', 'Key', 'Votes', 'Multiplier', 'Tip to voters', 'Organic units', 'Reward']}
        >
          {epoch?.nodes.map(node => (
            <tr key={node.registryId}>
              <td>{node.registryId}</td>
              <td>
                <Hash value={node.nodeId} />
              </td>
              <td>
                {share(node.shareWad)}
                <meter min={0} max={1e18} value={Number(node.shareWad)} aria-label={`votes for node ${node.registryId}`} />
              </td>
              <td>{(Number(node.multiplierWad) / 1e18).toFixed(3)} ×</td>
              <td>{node.tipBps / 100} %</td>
              <td>{node.report ? Number(node.report.organicComputeUnits).toLocaleString() : 'not reported'}</td>
              <td>{heu(node.reward)}</td>
            </tr>
          ))}
        </Rows>
      </section>
      <section className="card">
        <h2>Pods: votes raise the replica ceiling</h2>
        <Rows query={query} empty={epoch?.pods.length === 0 ? 'No pod is deployed.' : null} head={['Pod', 'Votes', 'Replica ceiling']}>
          {epoch?.pods.map(pod => (
            <tr key={pod.podId}>
              <td>{pod.name}</td>
              <td>
                {share(pod.shareWad)}
                <meter min={0} max={1e18} value={Number(pod.shareWad)} aria-label={`votes for ${pod.name}`} />
              </td>
              <td>{pod.replicaCeiling}</td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
