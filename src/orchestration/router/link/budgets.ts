import type { Clock } from '#platform'

/**
 * A token bucket per key. Those of node keys say what a node may send that belongs to no live lease. They outlive its sessions, so whoever is
 * cut off for a flood and comes back has not lost its past.
 */
export type Budgets<Key extends string> = {
  /** False when the key has less left than `cost`; then it has nothing left. */
  take(key: Key, cost: number): boolean
  /** True when the key has less than 1 left. */
  isSpent(key: Key): boolean
}

type Bucket = { level: number; atMs: number }

// A full bucket need not be kept; they are looked through when this many, or twice as many as the last time, are kept.
const SWEEP_AT = 1024

export type BudgetOptions = { readonly perSecond: number; readonly burst: number }

export function createBudgets<Key extends string>({ perSecond, burst }: BudgetOptions, clock: Clock): Budgets<Key> {
  const buckets = new Map<Key, Bucket>()
  let sweepAt = SWEEP_AT

  function levelOf(bucket: Bucket | undefined, nowMs: number): number {
    if (!bucket) return burst
    return Math.min(burst, bucket.level + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000)
  }

  function sweep(nowMs: number): void {
    for (const [key, bucket] of buckets) if (levelOf(bucket, nowMs) === burst) buckets.delete(key)
    sweepAt = Math.max(SWEEP_AT, 2 * buckets.size)
  }

  return {
    take(key, cost) {
      const nowMs = clock.now()
      const left = levelOf(buckets.get(key), nowMs) - cost
      buckets.set(key, { level: Math.max(0, left), atMs: nowMs })
      if (buckets.size >= sweepAt) sweep(nowMs)
      return left >= 0
    },
    isSpent: key => levelOf(buckets.get(key), clock.now()) < 1,
  }
}
