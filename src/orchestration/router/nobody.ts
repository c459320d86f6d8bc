import { refusalsOf, summarizeRefusals } from './filter.ts'
import type { Fleet } from './fleet.ts'
import type { FleetNode } from './hosting.ts'
import type { Job } from './job.ts'

/** Nodes without the pod that are asked why: of a large fleet the rest just do not host it. */
const SAMPLED_OTHERS = 64

/** Why nobody can take the job, in words. */
export function whyNobody(fleet: Fleet, { demand, podId }: Pick<Job, 'demand' | 'podId'>): string {
  const hostings = fleet.hosting(podId)
  const others: FleetNode[] = []
  for (const node of fleet.all()) {
    if (others.length === SAMPLED_OTHERS) break
    if (!node.hostings.has(podId)) others.push(node)
  }
  return summarizeRefusals(
    [...hostings.map(({ node }) => node), ...others].map(node => refusalsOf(node, demand)),
    fleet.size() - hostings.length - others.length,
  )
}
