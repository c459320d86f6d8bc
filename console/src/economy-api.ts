/** Shapes of the control API's economy (amounts: decimal strings of wei of HEU; times: unix seconds of the chain). */
export type EpochNode = {
  registryId: string
  nodeId: string
  owner: string
  weight: string
  shareWad: string
  multiplierWad: string
  tipBps: number
  report: { availabilityBps: number; capacity: string; organicComputeUnits: string } | null
  reward: string
  isClaimed: boolean
}
export type EpochPod = { podId: string; name: string; weight: string; shareWad: string; replicaCeiling: number }
export type Epoch = {
  epoch: number
  startsAt: number
  endsAt: number
  now: number
  secondsLeft: number
  votesCloseIn: number
  phase: string
  emission: {
    isFixed: boolean
    revenueRateWad: string
    emissionRateWad: string
    budget: string
    base: string
    dynamic: string
    reservoir: string
  }
  nodeWeight: string
  podWeight: string
  nodes: EpochNode[]
  pods: EpochPod[]
}
export type EmissionPoint = { epoch: number; revenueRateWad: string; emissionRateWad: string; emitted: string; toReservoir: string }
/** Figure 9's scenarios, as the model has them. */
export type Curve = { name: string; points: { epoch: number; revenueRateWad: string; emissionRateWad: string }[] }
export type BuybackEvent = { epoch: number; spentUsd: string; givenHeu: string; at: number; blockNumber: number; transactionHash: string }
export type Economy = {
  supply: string
  emissionVault: string
  vesting: string
  reservoir: string
  staked: string
  exiting: string
  stake: { rateWad: string; unstreamed: string; streamEndsAt: number; rewarded: { source: string; amount: string }[] }
  epoch: Epoch
  history: EmissionPoint[]
}
export type Proposal = {
  id: string
  proposer: string
  description: string
  state: string
  voteStartsAt: number
  voteEndsAt: number
  executableAt: number
  votes: { for: string; against: string; abstain: string }
  /** Votes that must be for it or abstain. */
  quorum: string
  calls: { target: string; contract: string | null; call: string | null; args: unknown[] }[]
}
export type Claimable = {
  kind: 'settlement' | 'emission' | 'voters' | 'vesting' | 'exit' | 'grant'
  amount: string
  asset?: string
  registryId?: string
  epoch?: number
  epochs?: number[]
  gauge?: 'node' | 'pod'
  id?: string
  name?: string
  tip?: string
  grantId?: string
}
type Waiting = { asset: string; amount: string }
export type Earnings = { account: string; claimable: Claimable[]; waiting: Waiting[]; frozen: Waiting[] }
export type Stake = {
  account: string
  now: number
  shares: string
  assets: string
  rateWad: string
  claimableAssets: string
  exits: { index: number; claimableAt: number; shares: string; assets: string }[]
  ballots: Record<'node' | 'pod', { id: string; bps: number }[]>
}
