import type { NodeId, RankKeys } from '#protocol'

/**
 * The five routing priorities of wp §2.2.2, in their one place (law R2): warm > referred > efficiency > votes > uptime,
 * strictly lexicographic. The last three are buckets of 10 %, so that near-equals tie and one favourite does not take all work;
 * a tie is broken by a draw from the decision's seed. A node's keys do not depend on who else is there (ADR 0008): nobody flattens the
 * others by an outlandish value of its own, and an index may keep the nodes in order.
 */
export type Contender = {
  readonly nodeId: NodeId
  readonly warm: boolean
  readonly unitsPerSecond: number
  /** HEU. */
  readonly votes: number
  readonly uptimeBps: number
}

export type Ranked = { readonly nodeId: NodeId; readonly keys: RankKeys }

/** The last bucket of {@link bucketOf}. */
export const MAX_BUCKET = 400
const SMALLEST = 1e-6

/** Lower ends of the buckets. Each is exact IEEE arithmetic and no logarithm, whose last digit depends on the machine. */
const BOUNDS = new Float64Array(MAX_BUCKET)
for (let bucket = 0, bound = SMALLEST; bucket < MAX_BUCKET; bucket++, bound = (bound * 10) / 9) BOUNDS[bucket] = bound

/**
 * 0–400: values in one bucket differ by less than 10 % of the larger. 0 is below 0.000001, 400 about 1.8e12 and all above.
 */
export function bucketOf(value: number): number {
  let low = 0
  let high = MAX_BUCKET
  while (low < high) {
    const middle = (low + high) >> 1
    if (BOUNDS[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

/** 0–10: availability is a part of a whole, so its buckets are tenths of that: 90.01 % to 100 % tie. */
export function uptimeBucketOf(uptimeBps: number): number {
  return Math.max(0, Math.min(10, Math.ceil(uptimeBps / 1000)))
}

/** The five values by which the comparators judge a node. */
export function rankKeys({ warm, unitsPerSecond, votes, uptimeBps }: Contender, isReferred: boolean): RankKeys {
  return {
    efficiencyBucket: bucketOf(unitsPerSecond),
    referred: isReferred ? 1 : 0,
    uptimeBucket: uptimeBucketOf(uptimeBps),
    votesBucket: bucketOf(votes),
    warm: warm ? 1 : 0,
  }
}

/** A comparator is negative when `a` goes first. */
export const byWarm = (a: RankKeys, b: RankKeys): number => b.warm - a.warm
export const byReferred = (a: RankKeys, b: RankKeys): number => b.referred - a.referred
export const byEfficiency = (a: RankKeys, b: RankKeys): number => b.efficiencyBucket - a.efficiencyBucket
export const byVotes = (a: RankKeys, b: RankKeys): number => b.votesBucket - a.votesBucket
export const byUptime = (a: RankKeys, b: RankKeys): number => b.uptimeBucket - a.uptimeBucket

/** The five in order; 0 when only the draw can decide. */
export function compare(a: RankKeys, b: RankKeys): number {
  return byWarm(a, b) || byReferred(a, b) || byEfficiency(a, b) || byVotes(a, b) || byUptime(a, b)
}

/**
 * Which of `count` tied nodes, in the order of their addresses, a seed of 32 random bytes draws: each equally often, so an address chosen by
 * trial wins nothing. 52 bits of the seed: the bias at 100,000 nodes is below one in 10^10.
 */
export function drawOf(seed: string, count: number): number {
  return Number.parseInt(seed.slice(2, 15), 16) % count
}

/** The rule, plainly: who goes first among the eligible, or null when there are none. `pick.ts` finds the same node by index. */
export function bestOf<T extends Ranked>(eligible: readonly T[], seed: string): T | null {
  const [first, ...rest] = eligible
  if (!first) return null
  const best = rest.reduce((leader, next) => (compare(next.keys, leader.keys) < 0 ? next : leader), first)
  const tied = eligible.filter(({ keys }) => compare(keys, best.keys) === 0).sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
  return tied[drawOf(seed, tied.length)] ?? null
}

/**
 * The keys but for `referred` as one number, in the order of {@link compare}: the higher goes first. `referred` depends on the job,
 * the others on the node alone.
 */
export function rankCode({ warm, efficiencyBucket, votesBucket, uptimeBucket }: RankKeys): number {
  return ((warm * (MAX_BUCKET + 1) + efficiencyBucket) * (MAX_BUCKET + 1) + votesBucket) * 11 + uptimeBucket
}

/** Codes from here on are of warm nodes. */
export const WARM_CODE = rankCode({ warm: 1, referred: 0, efficiencyBucket: 0, votesBucket: 0, uptimeBucket: 0 })
