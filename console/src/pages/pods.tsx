import { type PodRow, useLive } from '../api.ts'
import { Hash, Rows } from '../components/parts.tsx'

export function Pods() {
  const query = useLive<{ data: PodRow[] }>('/api/pods')
  const rows = query.data?.data ?? []
  return (
    <>
      <h1>Pods</h1>
      <section className="card">
        <Rows
          query={query}
          empty={rows.length === 0 ? 'No pods yet. Deploy one with: heurist pod deploy --model ./model.gguf' : null}
          head={['Pod', 'Runtime', 'Model', 'Context', 'Price in / out', 'Warm', 'Free slots', 'Version', 'Deployer', 'Manifest']}
        >
          {rows.map(pod => (
            <tr key={pod.podId}>
              <td>
                <strong>{pod.name}</strong>
                <div className="dim small">{pod.description}</div>
              </td>
              <td>
                {pod.runtime} <span className="dim">{pod.engine}</span>
              </td>
              <td>
                {pod.model.id} <span className="dim">{pod.model.quantization}</span>
              </td>
              <td>{pod.model.contextLength}</td>
              <td>
                {pod.priceCreditsPerMillion.input} / {pod.priceCreditsPerMillion.output} <span className="dim small">credits per 1M</span>
              </td>
              <td>
                {pod.warm} of {pod.replicas}
              </td>
              <td>{pod.freeSlots}</td>
              <td>{pod.version}</td>
              <td>
                <Hash value={pod.deployer} />
              </td>
              <td>
                <Hash value={pod.manifestHash} />
              </td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  )
}
