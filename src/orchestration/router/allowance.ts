import type { PodId } from '#protocol'
import { isPlain, type JobLimits } from './filter.ts'
import type { Hosting } from './hosting.ts'

/**
 * How many cold replicas of a pod jobs themselves may load until the autoscaler looks again. A lease to a cold replica loads it: without a
 * bound, a burst would load what the autoscaler unloads a moment later, and what votes or manifest forbid.
 */
export type LoadAllowance = {
  /** Replicas that this router may have at all: with 0, other routers have the pod. */
  readonly limit: number
  /** For jobs that any node may do: the first one, of a pod at zero. The rest is the autoscaler's. */
  readonly plain: number
  /** For jobs that warm nodes can not do, because the user or an earlier attempt excludes them. */
  readonly narrowed: number
}

export type LoadAllowances = {
  set(podId: PodId, allowance: LoadAllowance): void
  /** True when the lease may be granted; takes what it needs. A pod of which no autoscaler has spoken has no bound. */
  take(hosting: Hosting, job: JobLimits): boolean
  /** True when this router may load no replica of the pod at all. */
  isElsewhere(podId: PodId): boolean
}

/** The first job at a cold replica loads it; whoever comes after waits for the same load. */
function wouldLoad({ warm, busy, replicas }: Hosting): boolean {
  return !warm && busy === 0 && !replicas.some(({ state }) => state === 'loading')
}

export function createLoadAllowances(): LoadAllowances {
  const left = new Map<PodId, { limit: number; plain: number; narrowed: number }>()
  return {
    set: (podId, allowance) => void left.set(podId, { ...allowance }),
    take(hosting, job) {
      const allowance = left.get(hosting.podId)
      if (!allowance || !wouldLoad(hosting)) return true
      const kind = isPlain(job) ? 'plain' : 'narrowed'
      if (allowance[kind] <= 0) return false
      allowance[kind] -= 1
      return true
    },
    isElsewhere: podId => left.get(podId)?.limit === 0,
  }
}
