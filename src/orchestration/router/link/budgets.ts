import type { Clock } from '#platform'
import type { NodeId } from '#protocol'

/**
 * What each node key may send that belongs to no live lease: a token bucket per key. It outlives the sessions of its key, so whoever
 * is cut off for a flood and comes back has not lost its past.
 */
export type Budgets = {
  /** False when the key has less left than `cost`; then it has nothing left. */
  take(nodeId: NodeId, cost: number): boolean
  /** True when the key has not even one message left. */
  isSpent(nodeId: NodeId): boolean
}

type Bucket = { level: number; atMs: number }

// A full bucket need not be kept; they are looked through when this many, or twice as many as the last time, are kept.
const SWEEP_AT = 1024

export function createBudgets({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }, clock: Clock): Budgets {
  const buckets = new Map<NodeId, Bucket>()
  let sweepAt = SWEEP_AT

  function levelOf(bucket: Bucket | undefined, nowMs: number): number {
    if (!bucket) return burst
    return Math.min(burst, bucket.level + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000)
  }

  function sweep(nowMs: number): void {
    for (const [nodeId, bucket] of buckets) if (levelOf(bucket, nowMs) === burst) buckets.delete(nodeId)
    sweepAt = Math.max(SWEEP_AT, 2 * buckets.size)
  }

  return {
    take(nodeId, cost) {
      const nowMs = clock.now()
      const left = levelOf(buckets.get(nodeId), nowMs) - cost
      buckets.set(nodeId, { level: Math.max(0, left), atMs: nowMs })
      if (buckets.size >= sweepAt) sweep(nowMs)
      return left >= 0
    },
    isSpent: nodeId => levelOf(buckets.get(nodeId), clock.now()) < 1,
  }
}
