import type { Address, Bytes32, NodeId, PodId } from './ids.ts'

/*
 * What the chain says about the economy, as console and CLI show it. Amounts are wei of HEU unless named otherwise, times unix
 * seconds of the chain, weights wei of stHEU × basis points.
 */

/** In the order of the contract's `EpochPhase`. */
export const EPOCH_PHASES = ['running', 'reporting', 'disputing', 'challenged', 'ready', 'final'] as const
export type EpochPhase = (typeof EPOCH_PHASES)[number]
export const GAUGE_KINDS = ['node', 'pod'] as const
export type GaugeKind = (typeof GAUGE_KINDS)[number]
/** By which the node gauge knows a node; the pod gauge knows a pod by its id. */
export function nodeGaugeId(registryId: bigint): Bytes32 {
  return `0x${registryId.toString(16).padStart(64, '0')}`
}

/** In the order of the contract's `RewardSource`. */
export const REWARD_SOURCES = ['buyback', 'sequencerFees', 'reservoir'] as const
/** In the order of the contract's `ReservoirUse`. */
export const RESERVOIR_USES = ['rental', 'grants', 'staking'] as const

/** A node in an epoch. `report` is null before the sequencer told of it; `reward` is final when the epoch is. */
export type EpochNode = {
  readonly registryId: bigint
  readonly nodeId: NodeId
  readonly owner: Address
  readonly weight: bigint
  readonly shareWad: bigint
  readonly multiplierWad: bigint
  readonly tipBps: number
  readonly report: { readonly availabilityBps: number; readonly capacity: bigint; readonly organicComputeUnits: bigint } | null
  readonly reward: bigint
  readonly isClaimed: boolean
}
/** A pod in an epoch. `replicaCeiling`: how many replicas its votes allow. */
export type EpochPod = {
  readonly podId: PodId
  readonly name: string
  readonly weight: bigint
  readonly shareWad: bigint
  readonly replicaCeiling: number
}
/** Where HEU of an epoch goes. `isFixed`: the contract has fixed it; until then it is what it would be if the epoch ended now. */
export type EmissionSplit = {
  readonly isFixed: boolean
  /** R and E, a year, as shares of the supply (WAD). */
  readonly revenueRateWad: bigint
  readonly emissionRateWad: bigint
  readonly budget: bigint
  readonly base: bigint
  readonly dynamic: bigint
  readonly reservoir: bigint
}
export type EpochView = {
  readonly epoch: number
  readonly startsAt: number
  readonly endsAt: number
  /** The chain's time, and what is left of the epoch (0 when it is over). */
  readonly now: number
  readonly secondsLeft: number
  /** Seconds until votes for the next epoch are refused; 0 when they are. */
  readonly votesCloseIn: number
  readonly phase: EpochPhase
  readonly emission: EmissionSplit
  readonly nodeWeight: bigint
  readonly podWeight: bigint
  readonly nodes: readonly EpochNode[]
  readonly pods: readonly EpochPod[]
}

/** An exit from stHEU on its way: `assets` are fixed. What of the matured ones was claimed is in `StakeView.claimableAssets`. */
export type StakeExit = { readonly index: number; readonly claimableAt: number; readonly shares: bigint; readonly assets: bigint }
export type Ballot = readonly { readonly id: string; readonly bps: number }[]
/** What an account has staked. */
export type StakeView = {
  readonly account: Address
  readonly now: number
  readonly shares: bigint
  readonly assets: bigint
  readonly rateWad: bigint
  readonly exitDelaySeconds: number
  readonly claimableAssets: bigint
  readonly exits: readonly StakeExit[]
  readonly ballots: Readonly<Record<GaugeKind, Ballot>>
}

/** One thing that an account can claim. */
export type Claimable =
  | { readonly kind: 'settlement'; readonly asset: Address; readonly amount: bigint }
  | { readonly kind: 'emission'; readonly registryId: bigint; readonly epoch: number; readonly amount: bigint; readonly tip: bigint }
  | {
      readonly kind: 'voters'
      readonly gauge: GaugeKind
      readonly id: string
      readonly asset: Address
      readonly epochs: readonly number[]
      readonly amount: bigint
    }
  | { readonly kind: 'vesting'; readonly wallet: Address; readonly name: string; readonly amount: bigint }
  | { readonly kind: 'exit'; readonly amount: bigint }
  | { readonly kind: 'grant'; readonly grantId: bigint; readonly amount: bigint }
/** What comes, but not yet. */
export type Waiting = { readonly asset: Address; readonly amount: bigint }
/**
 * `waiting`: settlement inside the challenge window. `frozen`: settlement that is final and not paid while a node of the account is jailed
 * (DESIGN §7.2).
 */
export type Earnings = {
  readonly account: Address
  readonly claimable: readonly Claimable[]
  readonly waiting: readonly Waiting[]
  readonly frozen: readonly Waiting[]
}

/** An allocation of the genesis (wp §3.4.2). */
export type VestingAllocation = {
  readonly wallet: Address
  readonly name: string
  readonly beneficiary: Address
  readonly total: bigint
  readonly vested: bigint
  readonly released: bigint
  readonly releasable: bigint
  readonly startsAt: number
  readonly cliffEndsAt: number
  readonly endsAt: number
  readonly revocable: boolean
  readonly revokedAt: number
}

export type GrantView = {
  readonly grantId: bigint
  readonly receiver: Address
  readonly startsAt: number
  readonly endsAt: number
  readonly amount: bigint
  readonly claimed: bigint
  readonly claimable: bigint
}
export type ReservoirView = {
  readonly balance: bigint
  readonly unallocated: bigint
  readonly filled: bigint
  readonly uses: readonly { readonly use: (typeof RESERVOIR_USES)[number]; readonly budget: bigint; readonly spent: bigint }[]
  readonly owedToGrants: bigint
  readonly grants: readonly GrantView[]
}

/** An epoch that is closed or opened, as a point of Figure 9. */
export type EmissionPoint = {
  readonly epoch: number
  readonly revenueRateWad: bigint
  readonly emissionRateWad: bigint
  readonly emitted: bigint
  readonly toReservoir: bigint
}
/** A time at which Buyback sold stablecoin for HEU and gave that to stakers, or passed HEU on that was paid in HEU (then `spentUsd` is 0). */
export type BuybackEvent = {
  readonly epoch: number
  /** Micro-dollars. */
  readonly spentUsd: bigint
  readonly givenHeu: bigint
  readonly at: number
  readonly blockNumber: number
  readonly transactionHash: Bytes32
}
export type EconomyView = {
  readonly supply: bigint
  /** HEU that is still in the emission vault, not yet owed to anybody. */
  readonly emissionVault: bigint
  readonly vesting: bigint
  readonly reservoir: bigint
  readonly staked: bigint
  readonly exiting: bigint
  readonly stake: {
    readonly rateWad: bigint
    readonly unstreamed: bigint
    readonly streamEndsAt: number
    readonly rewarded: readonly { readonly source: (typeof REWARD_SOURCES)[number]; readonly amount: bigint }[]
  }
  readonly epoch: EpochView
  readonly history: readonly EmissionPoint[]
}

/** Reads all of it as the chain has it now. Every method may throw HeuristError CHAIN_UNAVAILABLE. */
export type EconomyReader = {
  overview(): Promise<EconomyView>
  /** Default: the present epoch. Null before the epoch has begun. */
  epoch(epoch?: number): Promise<EpochView | null>
  reservoir(): Promise<ReservoirView>
  vesting(): Promise<readonly VestingAllocation[]>
  stake(account: Address): Promise<StakeView>
  earnings(account: Address): Promise<Earnings>
  /** Newest first, at most the last hundred. */
  buybacks(): Promise<readonly BuybackEvent[]>
}
