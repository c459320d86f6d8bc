/**
 * The wash trader (DESIGN §6.3): pays itself for jobs, gets most of the payment back, and hopes that the emission which its
 * payments create is worth more than what leaks. Played on the real arithmetic of `src/economics`, epoch by epoch, without
 * randomness: twice with the same network, once with and once without the attack; the difference is what the attack earned.
 */
import {
  DEFAULT_SPLIT_BPS,
  emissionOf,
  MAX_MULTIPLIER_WAD,
  nodeEmissions,
  type OrganicJob,
  organicRevenueDown,
  organicUnitsDown,
  REVENUE_FACTOR_WAD,
  type SplitBps,
  splitPayment,
  TRAILING_EPOCHS,
} from '#economics'
import { BPS, mulDivDown, WAD } from '#protocol'

/** What governance sets, and two rules of measuring that are not written on chain. */
export type Policy = {
  readonly name: string
  readonly split: SplitBps
  readonly revenueFactorWad: bigint
  /** Units of a job that earn dynamic rewards; a unit costs one wei. */
  readonly unitsOf: (job: OrganicJob) => bigint
  /**
   * Share of the network's capacity that must take part in the draw before a job is open (basis points). Launch only counts
   * owners among the eligible: three names, or cold strangers behind warm nodes of one's own, make a captured job open.
   */
  readonly openCapacityBps: bigint
  /** Whether open jobs count whole. */
  readonly countsOpenRoutes: boolean
}

/** DESIGN §6.3 to the letter. */
export const DESIGNED: Policy = {
  name: 'designed',
  split: DEFAULT_SPLIT_BPS,
  revenueFactorWad: REVENUE_FACTOR_WAD,
  unitsOf: ({ computeUnits, paidWei, protocolWei, isOpen }) =>
    isOpen || paidWei === 0n ? computeUnits : mulDivDown(computeUnits, protocolWei, paidWei),
  openCapacityBps: 0n,
  countsOpenRoutes: true,
}

/** What the network runs with (ADR 0015). */
export const DEFAULT: Policy = {
  ...DESIGNED,
  name: 'default',
  unitsOf: job => organicUnitsDown(job, 1n),
  countsOpenRoutes: false,
}

/** What it takes to let open jobs count whole again (ADR 0015). */
export const WIDENED: Policy = {
  ...DEFAULT,
  name: 'widened',
  split: { deployer: 500, frontend: 300, voters: 200, protocol: 1_000 },
  openCapacityBps: 7_500n,
  countsOpenRoutes: true,
}

export type Strategy = {
  readonly name: string
  readonly how: string
  /** Open: drawn among the whole network. Closed: all on its own nodes. Captured: drawn among as few others as the policy lets. */
  readonly route: 'open' | 'closed' | 'captured'
  readonly multiplierWad: bigint
  /** Share of all stHEU that the attacker holds: that much of the protocol's share comes back. */
  readonly stakeBps: bigint
  /** Units that its nodes claim for each unit of work. */
  readonly inflation: bigint
  /** All washing of a quarter in the last epoch of it. */
  readonly isBurst: boolean
}

const plain = { route: 'open', multiplierWad: WAD, stakeBps: 0n, inflation: 1n, isBurst: false } as const
/** The votes that make the multiplier highest are held as stHEU, which earns its part of the protocol's share. */
const votes = { multiplierWad: MAX_MULTIPLIER_WAD, stakeBps: 500n } as const

export const STRATEGIES: readonly Strategy[] = [
  { ...plain, name: 'open', how: 'pays itself, the router draws the node' },
  { ...plain, ...votes, name: 'open with votes', how: 'the same, all its nodes at 2.5, nobody else above 1.0' },
  { ...plain, name: 'open in bursts', how: "a quarter's washing in one epoch", isBurst: true },
  { ...plain, name: 'pinned', how: 'pins its own node', route: 'closed' },
  { ...plain, ...votes, name: 'pinned with votes', how: 'pins its own node, which has 5 % of the votes', route: 'closed' },
  { ...plain, ...votes, name: 'pinned with votes, in bursts', how: 'the same in one epoch of 13', route: 'closed', isBurst: true },
  { ...plain, name: 'referred', how: 'its own frontend refers to its own node', route: 'closed' },
  { ...plain, name: 'sybil owners', how: 'a pod that few but its nodes can run, under three names', route: 'captured' },
  { ...plain, ...votes, name: 'captured pod with votes', how: 'hardly any but its own nodes are warm for its pod', route: 'captured' },
  { ...plain, name: 'slow nodes', how: 'its nodes take eight times as long, and claim the time', inflation: 8n },
  { ...plain, name: 'pinned slow nodes', how: 'pins its own node, which claims eight times the units', route: 'closed', inflation: 8n },
]

/** A network: capacity shares in basis points, amounts in wei of HEU an epoch. */
export type Network = { readonly capacityBps: bigint; readonly honestWei: bigint; readonly washWei: bigint }

const WARM_UP = TRAILING_EPOCHS
const ATTACK = 2 * TRAILING_EPOCHS
/** Until no trailing revenue remembers the attack. */
const EPOCHS = WARM_UP + ATTACK + TRAILING_EPOCHS

const ATTACKER = '0x000000000000000000000000000000000000000a'
const STRANGER = '0x000000000000000000000000000000000000000b'
const PROTOCOL = '0x000000000000000000000000000000000000000c'

/** Share of the wash jobs that lands on its own nodes (basis points). */
function ownShareBps({ capacityBps }: Network, { route }: Strategy, { openCapacityBps }: Policy): bigint {
  if (route === 'open') return capacityBps
  return route === 'closed' || capacityBps >= openCapacityBps ? BPS : mulDivDown(capacityBps, BPS, openCapacityBps)
}

type EpochPlay = { readonly wash: bigint; readonly inflation: bigint }

function washAt(epoch: number, { isBurst }: Strategy, { washWei }: Network): bigint {
  const since = epoch - WARM_UP
  if (since < 0 || since >= ATTACK) return 0n
  if (!isBurst) return washWei
  return since % TRAILING_EPOCHS === TRAILING_EPOCHS - 1 ? washWei * BigInt(TRAILING_EPOCHS) : 0n
}

/** What a payment brings back to the attacker, who is payer, deployer, frontend and voter, and what the protocol gets. */
function payBack(wei: bigint, onOwnNode: boolean, split: SplitBps): { readonly back: bigint; readonly protocol: bigint } {
  const node = onOwnNode ? ATTACKER : STRANGER
  const shares = splitPayment(wei, { node, deployer: ATTACKER, frontend: ATTACKER, voters: ATTACKER, protocol: PROTOCOL }, split)
  const to = (account: string): bigint => shares.reduce((sum, share) => (share.account === account ? sum + share.amount : sum), 0n)
  return { back: to(ATTACKER), protocol: to(PROTOCOL) }
}

const honest = { protocolWei: 0n, isOpen: true } as const

type EpochResult = { readonly cash: bigint; readonly organicRevenue: bigint; readonly ownUnits: bigint; readonly otherUnits: bigint }

/** One epoch of payments. A unit of work costs one wei at the network's price. */
function playPayments(play: EpochPlay, network: Network, strategy: Strategy, policy: Policy): EpochResult {
  const { wash, inflation } = play
  const ownHonest = mulDivDown(network.honestWei, network.capacityBps, BPS)
  const onOwn = mulDivDown(wash, ownShareBps(network, strategy, policy), BPS)
  const [own, other] = [payBack(onOwn, true, policy.split), payBack(wash - onOwn, false, policy.split)]
  const protocol = own.protocol + other.protocol
  const isOpen = policy.countsOpenRoutes && strategy.route !== 'closed'
  const unitsOf = (paidWei: bigint, protocolWei: bigint, inflatedBy = inflation): bigint =>
    policy.unitsOf({ computeUnits: paidWei * inflatedBy, paidWei, protocolWei, isOpen })
  return {
    cash: own.back + other.back + mulDivDown(protocol, strategy.stakeBps, BPS) - wash,
    organicRevenue: network.honestWei + organicRevenueDown({ open: isOpen ? wash : 0n, payments: wash, protocol }),
    ownUnits: policy.unitsOf({ ...honest, computeUnits: ownHonest * inflation, paidWei: ownHonest }) + unitsOf(onOwn, own.protocol),
    otherUnits: network.honestWei - ownHonest + unitsOf(wash - onOwn, other.protocol, 1n),
  }
}

/** What the attacker has at the end (wei): what payments brought back, and its emission. */
function play(network: Network, strategy: Strategy, policy: Policy, isAttacking: boolean): bigint {
  const revenues: bigint[] = []
  let wealth = 0n
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    const during = isAttacking && epoch >= WARM_UP && epoch < WARM_UP + ATTACK
    const now = during ? { wash: washAt(epoch, strategy, network), inflation: strategy.inflation } : { wash: 0n, inflation: 1n }
    const { cash, organicRevenue, ownUnits, otherUnits } = playPayments(now, network, strategy, policy)
    revenues.push(organicRevenue)
    const trailing = revenues.slice(-TRAILING_EPOCHS).reduce((sum, wei) => sum + wei, 0n)
    const always = { availabilityBps: BPS }
    const reports = [
      { ...always, capacity: network.capacityBps, organicComputeUnits: ownUnits, multiplierWad: strategy.multiplierWad },
      { ...always, capacity: BPS - network.capacityBps, organicComputeUnits: otherUnits, multiplierWad: WAD },
    ]
    const { nodes } = nodeEmissions(emissionOf(epoch, trailing, policy.revenueFactorWad), reports)
    wealth += cash + (nodes[0] ?? 0n)
  }
  return wealth
}

/** What the attack earned (wei; negative: it lost). */
export function profitOf(network: Network, strategy: Strategy, policy: Policy): bigint {
  return play(network, strategy, policy, true) - play(network, strategy, policy, false)
}

/** Honest revenue an epoch: none, 0.02, 0.5 and 4 % of the supply a year; washing from nothing much to 0.4 %. */
const HONEST_WEI = [0n, 4_000n, 100_000n, 800_000n].map(heu => heu * WAD)
const WASH_WEI = [4n, 4_000n, 80_000n].map(heu => heu * WAD)

export type Attack = { readonly network: Network; readonly profitWei: bigint }

/** The best of all volumes and markets at one capacity share. */
export function bestAttack(capacityBps: bigint, strategy: Strategy, policy: Policy): Attack {
  const attacks = HONEST_WEI.flatMap(honestWei => {
    const idle = play({ capacityBps, honestWei, washWei: 0n }, strategy, policy, false)
    return WASH_WEI.map(washWei => {
      const network = { capacityBps, honestWei, washWei }
      return { network, profitWei: play(network, strategy, policy, true) - idle }
    })
  })
  return attacks.reduce((best, attack) => (attack.profitWei > best.profitWei ? attack : best))
}

/** Smallest capacity share (basis points) at which any volume in any market pays; null when none below the whole does. */
export function breakEvenBps(strategy: Strategy, policy: Policy): bigint | null {
  const pays = (capacityBps: bigint): boolean => bestAttack(capacityBps, strategy, policy).profitWei > 0n
  // Profit is not assumed to rise with capacity: a coarse scan finds the first share that pays, halving makes it exact.
  const grid = [1n, 100n, ...Array.from({ length: 39 }, (_, index) => BigInt(index + 1) * 250n), BPS - 1n]
  const first = grid.findIndex(pays)
  if (first < 0) return null
  let [low, high] = [first === 0 ? 0n : (grid[first - 1] ?? 0n), grid[first] ?? BPS]
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (pays(middle)) high = middle
    else low = middle
  }
  return high
}

export type Sensitivity = {
  readonly what: string
  readonly open: bigint | null
  readonly withVotes: bigint | null
  readonly captured: bigint | null
}

const named = (name: string): Strategy => {
  const found = STRATEGIES.find(strategy => strategy.name === name)
  if (!found) throw new RangeError(`no strategy is called ${name}`)
  return found
}

/** How the break-even moves when open jobs count whole, one parameter at a time. */
export function sensitivities(): Sensitivity[] {
  const protocolAt = (bps: number): Policy => ({ ...WIDENED, split: { ...WIDENED.split, protocol: bps } })
  const [open, withVotes, captured] = [named('open'), named('open with votes'), named('captured pod with votes')]
  const at = (what: string, policy: Policy, change: Partial<Strategy> = {}): Sensitivity => {
    const of = (strategy: Strategy): bigint | null => breakEvenBps({ ...strategy, ...change }, policy)
    return { what, open: of(open), withVotes: of(withVotes), captured: of(captured) }
  }
  return [
    ...[300, 500, 1_000, 1_500].map(bps => at(`protocol share ${bps / 100} %, the node's less by as much`, protocolAt(bps))),
    ...[25n, 50n, 100n].map(percent => at(`${Number(percent) / 100} R`, { ...WIDENED, revenueFactorWad: (WAD * percent) / 100n })),
    ...[2_500n, 5_000n, BPS].map(bps => at(`a draw among at least ${bps / 100n} % of capacity`, { ...WIDENED, openCapacityBps: bps })),
    ...[1_500n, 3_000n, 5_000n].map(bps => at(`attacker holds ${bps / 100n} % of stHEU`, WIDENED, { stakeBps: bps })),
  ]
}
