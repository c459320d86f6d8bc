import type { PodId } from '#protocol'

/** How often a pod's waiting jobs get a slot: what a client that is told to come back is told by. */
export type Pace = {
  /** A waiting job of the pod got a slot. */
  served(podId: PodId, nowMs: number): void
  /** In how long about so many jobs will have got one, in ms; at least a second, at most `mostMs`. */
  waitMs(podId: PodId, jobs: number, mostMs: number): number
}

const LEAST_MS = 1_000
/** A quiet time longer than this says nothing about a full queue. */
const PAUSE_MS = 60_000
/** Weight of the newest interval in the mean. */
const SHARE = 0.2

export function createPace(): Pace {
  const paces = new Map<PodId, { atMs: number; meanMs: number | null }>()
  return {
    served(podId, nowMs) {
      const known = paces.get(podId)
      const sinceMs = known ? nowMs - known.atMs : PAUSE_MS
      const intervalMs = sinceMs < PAUSE_MS ? sinceMs : null
      const meanMs = known?.meanMs ?? intervalMs
      paces.set(podId, { atMs: nowMs, meanMs: meanMs === null || intervalMs === null ? meanMs : meanMs + SHARE * (intervalMs - meanMs) })
    },
    waitMs(podId, jobs, mostMs) {
      const meanMs = paces.get(podId)?.meanMs ?? 0
      return Math.max(LEAST_MS, Math.min(mostMs, Math.ceil(jobs * meanMs)))
    },
  }
}
