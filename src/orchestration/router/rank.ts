import type { NodeId, RankKeys } from '#protocol'

/**
 * The five routing priorities of wp §2.2.2, in their one place (law R2): warm > referred > efficiency > votes > uptime,
 * strictly lexicographic. The last three are 10 % buckets relative to the best eligible candidate, so that near-equals tie
 * and one favourite does not take all work; a tie is broken by a draw from the decision's seed.
 */
export type Contender = {
  readonly nodeId: NodeId
  readonly warm: boolean
  readonly unitsPerSecond: number
  readonly votes: number
  readonly uptimeBps: number
}

/** The best value of each bucketed key among the eligible candidates. */
export type Scale = { readonly unitsPerSecond: number; readonly votes: number; readonly uptimeBps: number }

const BUCKETS = 10

export const byWarm = (a: RankKeys, b: RankKeys): number => b.warm - a.warm
export const byReferred = (a: RankKeys, b: RankKeys): number => b.referred - a.referred
export const byEfficiency = (a: RankKeys, b: RankKeys): number => b.efficiencyBucket - a.efficiencyBucket
export const byVotes = (a: RankKeys, b: RankKeys): number => b.votesBucket - a.votesBucket
export const byUptime = (a: RankKeys, b: RankKeys): number => b.uptimeBucket - a.uptimeBucket

/** Negative when `a` goes first, 0 when only the draw can decide. */
export function compareKeys(a: RankKeys, b: RankKeys): number {
  return byWarm(a, b) || byReferred(a, b) || byEfficiency(a, b) || byVotes(a, b) || byUptime(a, b)
}

/** 0–10: which tenth of the best value this is. All candidates tie at 0 when the best is 0. */
export function bucketOf(value: number, best: number): number {
  if (value >= best) return best > 0 ? BUCKETS : 0
  return Math.floor((BUCKETS * value) / best)
}

export function scaleOf(contenders: readonly Contender[]): Scale {
  let unitsPerSecond = 0
  let votes = 0
  let uptimeBps = 0
  for (const contender of contenders) {
    if (contender.unitsPerSecond > unitsPerSecond) unitsPerSecond = contender.unitsPerSecond
    if (contender.votes > votes) votes = contender.votes
    if (contender.uptimeBps > uptimeBps) uptimeBps = contender.uptimeBps
  }
  return { unitsPerSecond, votes, uptimeBps }
}

export function rankKeys(contender: Contender, referred: boolean, scale: Scale): RankKeys {
  return {
    warm: contender.warm ? 1 : 0,
    referred: referred ? 1 : 0,
    efficiencyBucket: bucketOf(contender.unitsPerSecond, scale.unitsPerSecond),
    votesBucket: bucketOf(contender.votes, scale.votes),
    uptimeBucket: bucketOf(contender.uptimeBps, scale.uptimeBps),
  }
}

function mix(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * The lot of one node under one seed: 32 bits, lowest wins. Three murmur rounds over seed and address (about 10 ns; a keccak
 * per tied node would cost 1 µs). The seed is random per decision, so choosing an address by trial wins nothing.
 */
export function drawOf(seed: string, nodeId: NodeId): number {
  let hash = 0
  for (let word = 0; word < 5; word++) {
    const offset = 2 + 8 * word
    hash = mix(hash ^ wordAt(seed, offset))
    hash = mix(hash ^ wordAt(nodeId, offset))
  }
  return hash
}

/** 32 bits from eight hex digits, without allocating. */
function wordAt(hex: string, offset: number): number {
  let word = 0
  for (let i = offset; i < offset + 8; i++) {
    const code = hex.charCodeAt(i)
    word = (word << 4) | (code <= 57 ? code - 48 : code - 87)
  }
  return word
}

/** True when `a` goes before `b`, whose keys tie: by the draw, and at equal draws by address. */
export function winsTie(a: NodeId, b: NodeId, seed: string): boolean {
  const drawA = drawOf(seed, a)
  const drawB = drawOf(seed, b)
  return drawA === drawB ? a < b : drawA < drawB
}

/** The first in rank order, or null without contenders. One pass: no sort is needed to find the best. */
export function bestOf<T extends Contender>(contenders: readonly T[], referred: ReadonlySet<NodeId>, seed: string): T | null {
  const scale = scaleOf(contenders)
  const anyReferred = referred.size > 0
  let best: T | null = null
  let bestKeys: RankKeys | null = null
  for (const contender of contenders) {
    const keys = rankKeys(contender, anyReferred && referred.has(contender.nodeId), scale)
    const order = bestKeys === null ? -1 : compareKeys(keys, bestKeys)
    if (order < 0 || (order === 0 && best !== null && winsTie(contender.nodeId, best.nodeId, seed))) {
      best = contender
      bestKeys = keys
    }
  }
  return best
}
