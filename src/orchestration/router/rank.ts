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

/**
 * Contenders as columns, one row each. This is read for every node of a pod for every job: columns cost 5 ns a row,
 * objects (boxed doubles, a pointer each) 15.
 */
export type Field = {
  readonly nodeIds: NodeId[]
  /** {@link lotOf} each node. */
  readonly lots: Uint32Array
  readonly warm: Uint8Array
  readonly unitsPerSecond: Float64Array
  readonly votes: Float64Array
  readonly uptimeBps: Float64Array
}

/** The eligible rows of a field, and what their priorities are relative to. */
export type Race = {
  readonly field: Field
  readonly rows: Int32Array
  readonly count: number
  readonly referred: ReadonlySet<NodeId>
  /** The best value of each bucketed key among the eligible. */
  readonly best: { readonly unitsPerSecond: number; readonly votes: number; readonly uptimeBps: number }
}

const BUCKETS = 10

/** 0–10: which tenth of the best value this is. All candidates tie at 0 when the best is 0. */
export function bucketOf(value: number, best: number): number {
  if (value >= best) return best > 0 ? BUCKETS : 0
  // Truncated to an integer: Math.floor would leave a double, and every comparison after it would be one.
  return ((BUCKETS * value) / best) | 0
}

const warm = ({ field }: Race, row: number): number => field.warm[row]!
const referred = ({ field, referred: nodes }: Race, row: number): number => (nodes.size > 0 && nodes.has(field.nodeIds[row]!) ? 1 : 0)
const efficiency = ({ field, best }: Race, row: number): number => bucketOf(field.unitsPerSecond[row]!, best.unitsPerSecond)
const votes = ({ field, best }: Race, row: number): number => bucketOf(field.votes[row]!, best.votes)
const uptime = ({ field, best }: Race, row: number): number => bucketOf(field.uptimeBps[row]!, best.uptimeBps)

/** A comparator is negative when row `a` goes first. */
export const byWarm = (race: Race, a: number, b: number): number => warm(race, b) - warm(race, a)
export const byReferred = (race: Race, a: number, b: number): number => referred(race, b) - referred(race, a)
export const byEfficiency = (race: Race, a: number, b: number): number => efficiency(race, b) - efficiency(race, a)
export const byVotes = (race: Race, a: number, b: number): number => votes(race, b) - votes(race, a)
export const byUptime = (race: Race, a: number, b: number): number => uptime(race, b) - uptime(race, a)

/** The five in order; 0 when only the draw can decide. */
export function compare(race: Race, a: number, b: number): number {
  return byWarm(race, a, b) || byReferred(race, a, b) || byEfficiency(race, a, b) || byVotes(race, a, b) || byUptime(race, a, b)
}

/** The five values by which the comparators judge a row, for the decision record. */
export function rankKeys(race: Race, row: number): RankKeys {
  return {
    efficiencyBucket: efficiency(race, row),
    referred: referred(race, row),
    uptimeBucket: uptime(race, row),
    votesBucket: votes(race, row),
    warm: warm(race, row),
  }
}

/** Sets a race up over the first `count` of `rows`. */
export function raceOf(field: Field, rows: Int32Array, count: number, referredNodes: ReadonlySet<NodeId>): Race {
  let unitsPerSecond = 0
  let mostVotes = 0
  let uptimeBps = 0
  for (let i = 0; i < count; i++) {
    const row = rows[i]!
    if (field.unitsPerSecond[row]! > unitsPerSecond) unitsPerSecond = field.unitsPerSecond[row]!
    if (field.votes[row]! > mostVotes) mostVotes = field.votes[row]!
    if (field.uptimeBps[row]! > uptimeBps) uptimeBps = field.uptimeBps[row]!
  }
  return { field, rows, count, referred: referredNodes, best: { unitsPerSecond, votes: mostVotes, uptimeBps } }
}

function mix(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32 bits that stand for an address or a seed in the draw; every digit counts. */
export function lotOf(hex: string): number {
  let hash = 0
  for (let offset = 2; offset < hex.length; offset += 8) hash = mix(hash ^ Number.parseInt(hex.slice(offset, offset + 8), 16))
  return hash
}

/**
 * The draw of a node under a seed: lowest wins. A murmur round costs 2 ns where a keccak per tied node would cost 1 µs.
 * The seed is random per decision, so choosing an address by trial wins nothing.
 */
export function drawOf(seedLot: number, nodeLot: number): number {
  return mix(seedLot ^ nodeLot)
}

/** True when row `a` goes before row `b`, whose keys tie: by the draw, and at equal draws by address. */
function winsTie({ field }: Race, a: number, b: number, seedLot: number): boolean {
  const drawA = drawOf(seedLot, field.lots[a]!)
  const drawB = drawOf(seedLot, field.lots[b]!)
  return drawA === drawB ? field.nodeIds[a]! < field.nodeIds[b]! : drawA < drawB
}

/** The row that goes first, or -1 when nobody races. Finding the best needs no sort. */
export function bestOf(race: Race, seed: string): number {
  const { rows, count } = race
  if (count === 0) return -1
  const seedLot = lotOf(seed)
  let best = rows[0]!
  for (let i = 1; i < count; i++) {
    const row = rows[i]!
    const order = compare(race, row, best)
    if (order < 0 || (order === 0 && winsTie(race, row, best, seedLot))) best = row
  }
  return best
}

/** An empty field. All fields are made here: one object shape keeps the loops above monomorphic. */
export function createField(capacity: number): Field {
  return {
    nodeIds: [],
    lots: new Uint32Array(capacity),
    warm: new Uint8Array(capacity),
    unitsPerSecond: new Float64Array(capacity),
    votes: new Float64Array(capacity),
    uptimeBps: new Float64Array(capacity),
  }
}

export function setRow(field: Field, row: number, contender: Contender): void {
  if (field.nodeIds[row] !== contender.nodeId) {
    field.nodeIds[row] = contender.nodeId
    field.lots[row] = lotOf(contender.nodeId)
  }
  field.warm[row] = contender.warm ? 1 : 0
  field.unitsPerSecond[row] = contender.unitsPerSecond
  field.votes[row] = contender.votes
  field.uptimeBps[row] = contender.uptimeBps
}

/** A race of plain objects, all of them eligible: what records and replays are made from. Rows follow the list's order. */
export function raceOfAll(contenders: readonly Contender[], referredNodes: ReadonlySet<NodeId>): Race {
  const field = createField(contenders.length)
  for (const [row, contender] of contenders.entries()) setRow(field, row, contender)
  return raceOf(field, Int32Array.from(contenders.keys()), contenders.length, referredNodes)
}
