import type { PodId } from '#protocol'
import type { KnownRouter } from './directory.ts'

/** A router that could be asked, with the jobs this gateway has given it since its last word. */
export type Candidate = { readonly router: KnownRouter; readonly given: number }

function freeSlots({ router, given }: Candidate, podId: PodId): number {
  const summary = router.pods.get(podId)
  return summary ? summary.freeSlots - summary.queued - given : Number.NEGATIVE_INFINITY
}

/** It has nodes for the pod. */
function hosts({ router }: Candidate, podId: PodId): boolean {
  return (router.pods.get(podId)?.replicas ?? 0) > 0
}

/** Its autoscaler may load the pod there: where it may not, what is warm still is about to be unloaded. */
function mayLoad({ router }: Candidate, podId: PodId): boolean {
  return router.pods.get(podId)?.scale?.limit !== 0
}

/**
 * The router for a job: of two drawn at random, the one with more free slots for the pod (power of two choices: two gateways that know the
 * same do not all run to the same router). Routers that host the pod and may load it come first; when none does, any may say why not.
 */
export function chooseRouter<C extends Candidate>(candidates: readonly C[], podId: PodId, random: () => number): C | null {
  const willing = candidates.filter(({ router }) => !router.draining)
  const hosting = willing.filter(candidate => hosts(candidate, podId))
  const allowed = hosting.filter(candidate => mayLoad(candidate, podId))
  const pool = [allowed, hosting].find(({ length }) => length > 0) ?? willing
  if (pool.length <= 1) return pool[0] ?? null
  const first = Math.floor(random() * pool.length)
  const second = (first + 1 + Math.floor(random() * (pool.length - 1))) % pool.length
  const [a, b] = [pool[first]!, pool[second]!]
  return freeSlots(b, podId) > freeSlots(a, podId) ? b : a
}
