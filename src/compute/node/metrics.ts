import type { Metrics } from '#platform'
import { type Device, REPLICA_STATES, type Replica } from '#protocol'
import type { ReplicaEvent } from '../pod/lifecycle/replicas.ts'

/** What a scrape asks a node. */
export type NodeNow = {
  isLinked(): boolean
  runningJobs(): number
  devices(): readonly Device[]
  replicas(): readonly Replica[]
  /** What is promised of the device's memory. */
  promisedBytes(device: Device): number
  cacheBytes(): number
}
export type NodeMetrics = {
  jobEnded(outcome: 'done' | 'failed'): void
  replica(event: ReplicaEvent): void
}

const LOAD_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600]

/** The node's part of `/metrics`. It is silent where no metrics are asked for. */
export function createNodeMetrics(metrics: Metrics, now: NodeNow): NodeMetrics {
  const jobs = metrics.counter('heurist_node_jobs_total', 'Leases that ended on this node, by outcome.', ['outcome'])
  const events = metrics.counter(
    'heurist_node_replica_events_total',
    'Replicas that were loaded, could not be, were evicted, or were lost: their model fell or failed its health probe.',
    ['event'],
  )
  const loads = metrics.histogram('heurist_node_load_seconds', 'From the wish for a replica to a warm one, the pull included.', {
    buckets: LOAD_SECONDS,
  })
  registerGauges(metrics, now)
  return {
    jobEnded: outcome => jobs.inc({ outcome }),
    replica({ kind, seconds }) {
      events.inc({ event: kind })
      if (seconds !== undefined) loads.observe(seconds)
    },
  }
}

function registerGauges(metrics: Metrics, now: NodeNow): void {
  const linked = metrics.gauge('heurist_node_link_up', 'Whether the node is linked to a router: 1 or 0.')
  const running = metrics.gauge('heurist_node_jobs_running', 'Leases that run on this node now.')
  const replicas = metrics.gauge('heurist_node_replicas', 'Replicas of this node by state.', ['state'])
  const memory = metrics.gauge('heurist_node_device_memory_bytes', 'What pods may use of the memory of a device.', ['device'])
  const promised = metrics.gauge('heurist_node_device_promised_bytes', 'What is promised of that memory to pods that are loaded.', [
    'device',
  ])
  const busy = metrics.gauge('heurist_node_device_utilization_ratio', 'How busy a GPU was in the last moments, whoever used it, 0 to 1.', [
    'device',
  ])
  const cache = metrics.gauge('heurist_node_model_cache_bytes', 'Size of the models that were pulled and are kept.')
  const registered = linked as { collect?: () => void } // cast: prom-client reads this member when it is scraped
  registered.collect = () => {
    linked.set(now.isLinked() ? 1 : 0)
    running.set(now.runningJobs())
    cache.set(now.cacheBytes())
    const states = now.replicas().map(({ state }) => state)
    for (const state of REPLICA_STATES) replicas.set({ state }, states.filter(each => each === state).length)
    for (const device of now.devices()) {
      const label = { device: device.id }
      memory.set(label, device.memoryBytes)
      promised.set(label, now.promisedBytes(device))
      if (device.utilization !== undefined) busy.set(label, device.utilization)
    }
  }
}
