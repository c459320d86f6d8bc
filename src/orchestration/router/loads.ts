import type { HostLoad, PodId, PodLoad } from '#protocol'
import type { RouterContext } from './context.ts'
import type { Hosting } from './hosting.ts'

/** What the autoscaler needs to know of the pods: their jobs and their hosts. */
export function loadsOf({ fleet, queue, coldWishes, dependencies }: RouterContext, podIds: readonly PodId[]): PodLoad[] {
  const nowMs = dependencies.clock.now()
  return podIds.map(podId => {
    const hostings = fleet.hosting(podId)
    return {
      podId,
      inFlight: hostings.reduce((sum, { busy }) => sum + busy, 0),
      pending: queue.size(podId) + (coldWishes.has(podId, nowMs) ? 1 : 0),
      oldestPendingMs: Math.max(0, ...queue.oldest(podId).map(({ submittedAtMs }) => nowMs - submittedAtMs)),
      hosts: hostings.filter(mayServe).map(hostLoad),
    }
  })
}

/** It is there, and nothing of its owner's or the chain's stands against it; a replica that failed to load is not asked again before the node says so. */
function mayServe({ node, replicas }: Hosting): boolean {
  const { session, standing } = node
  return session.cutAtMs === null && standing?.registered === true && !standing.jailed && !standing.exiting && replicas.length > 0
}

function hostLoad({ node, nodeId, replicas, slots, busy, unitsPerSecond }: Hosting): HostLoad {
  const count = (state: string): number => replicas.filter(replica => replica.state === state).length
  const utilization = utilizationOf(node, replicas)
  return { nodeId, warm: count('warm'), loading: count('loading'), cold: count('cold'), slots, busy, unitsPerSecond, utilization }
}

function utilizationOf({ facts }: Hosting['node'], replicas: Hosting['replicas']): number | null {
  const measured = replicas
    .filter(({ state }) => state === 'warm')
    .flatMap(({ deviceId }) => facts.devices.find(({ id }) => id === deviceId)?.utilization ?? [])
  return measured.length > 0 ? measured.reduce((sum, each) => sum + each, 0) / measured.length : null
}
