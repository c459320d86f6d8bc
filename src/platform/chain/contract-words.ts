import { at, heu, type Words } from './economy-words.ts'

const only = (who: string) => (): string => `Only ${who} may do this.`

const MONEY: Words = {
  CreditVault_BadRow: ([index]) => `Row ${index} of the batch's debits is malformed.`,
  CreditVault_NotSettlement: only('the settlement contract'),
  CreditVault_ReserveExceeded: ([asset, reserve, needed]) =>
    `Settlement holds ${reserve} atomic units of ${asset} in the vault, ${needed} are needed.`,
  CreditVault_SettlementAlreadySet: () => 'The vault has its settlement contract already; it is set once.',
  CreditVault_ShortDeposit: ([asset, amount, arrived]) =>
    `Of ${amount} atomic units of ${asset} only ${arrived} arrived. Tokens that keep a part of a transfer are not taken.`,
  CreditVault_UnknownAssetId: ([id]) => `There is no payment asset ${id}.`,
  CreditVault_UnsortedDebits: ([index]) => `Row ${index} of the batch's debits is not above the one before it.`,
  CreditVault_UseDepositHeu: () => 'Coins sent to the vault alone belong to nobody. Deposit them by a call.',
  CreditVault_ZeroAmount: () => 'The amount is zero.',
  DevUsd_MintTooLarge: ([, max]) => `The faucet gives at most ${max} atomic units at once.`,
  DevUsd_SupplyCapped: () => 'The faucet is empty.',
  ERC20InsufficientAllowance: ([spender, allowance, needed]) =>
    `${spender} may spend ${allowance} atomic units, ${needed} are needed. Approve more.`,
  ERC20InvalidReceiver: ([receiver]) => `${receiver} can not receive this token.`,
  ERC2612ExpiredSignature: ([deadline]) => `The permit ended at ${at(deadline)}. Sign it again.`,
  ERC2612InvalidSigner: ([, owner]) => `${owner} did not sign this permit for this chain and token.`,
  ERC3009InvalidAuthorizationTime: ([after, before]) => `The authorisation holds after ${at(after)} and before ${at(before)}.`,
  ERC3009InvalidSignature: () => 'The payer did not sign this authorisation for this chain and token.',
  ERC3009UsedAuthorization: () => 'This authorisation was used or cancelled already. Sign another one.',
  ERC4626ExceededMaxMint: () => 'Staking is paused.',
  JobSettlement_BadRow: ([index]) => `Row ${index} of the batch's credits is malformed.`,
  JobSettlement_NoJobs: () => 'The batch has no jobs.',
  JobSettlement_NotVoterRewards: only("the voters' rewards contract"),
  JobSettlement_OpenTooHigh: ([, open, payments]) =>
    `The batch says that ${open} of ${payments} atomic units were paid for open jobs: more than all.`,
  JobSettlement_SharesTooHigh: ([sum, max]) => `The shares add up to ${sum} basis points, at most ${max} leave the node its half.`,
  JobSettlement_Unbalanced: ([, debits, credits]) => `The batch takes ${debits} atomic units and gives ${credits}. They must be equal.`,
  JobSettlement_UnsortedCredits: ([index]) => `Row ${index} of the batch's credits is not above the one before it.`,
  JobSettlement_ZeroRoot: () => 'The batch has no root of receipts.',
  Reservoir_GrantEnded: ([grantId, endedAt]) => `Grant ${grantId} ended at ${at(endedAt)}.`,
  Reservoir_ZeroAmount: () => 'The amount is zero.',
  StakedHeu_NotRewardSource: ([, caller]) => `${caller} is no source of rewards.`,
  Vesting_AlreadyRevoked: ([when]) => `The allocation was revoked at ${at(when)}.`,
  Vesting_NotOffered: ([caller]) => `The allocation was not offered to ${caller}.`,
  Vesting_UnknownWallet: ([wallet]) => `${wallet} is no allocation. See: heurist vesting list.`,
  Vesting_WrongFunding: ([amount, total]) => `The allocation is ${heu(total)}, ${heu(amount)} came with it.`,
  VoterRewards_UseFund: () => "Coins sent to the voters' pots alone belong to nobody. Give them by a call.",
  Buyback_NotPool: only('the pool that governance named'),
  Buyback_SlippageInvitesSandwich: ([slippage, max]) =>
    `A slippage of ${slippage} basis points pays who trades around a buy: at most twice the pool's fee, ${max}.`,
  Buyback_WrongPool: ([pool]) => `The pool ${pool} does not trade the stablecoin against HEU.`,
  SafeERC20FailedOperation: ([token]) => `The token ${token} refused the transfer.`,
}

const NODE: Words = {
  CollateralFloor_CostsOutOfOrder: () => 'A task must pay more than it costs an honest node, and that more than cheating costs.',
  Compounder_NotNodeOwner: ([id, caller]) => `${caller} does not own node ${id}.`,
  NodeRegistry_NotExiting: ([id]) => `Node ${id} is not leaving. Ask for it first: heurist collateral exit.`,
  NodeRegistry_NotJailer: only('the slasher'),
  NodeRegistry_NotSlasher: only('the slasher'),
  PodRegistry_UnknownPod: () => 'There is no such pod. See: heurist pod list.',
  PodRegistry_UnknownVersion: ([, version]) => `The pod has no version ${version}.`,
  PodRegistry_ZeroManifest: () => 'The manifest has no hash.',
  EmissionController_BadAvailability: ([index]) => `Entry ${index} of the report says more than all of the time.`,
  EmissionController_NoBond: ([epoch, report]) => `No bond of this account waits for report ${report} of epoch ${epoch}.`,
  EmissionController_UnsortedReports: ([index]) => `Entry ${index} of the report is not above the one before it.`,
  Gauge_NotStakedHeu: only('stHEU itself'),
  RestakeAdapter_AlreadyLinked: ([id, operator]) => `${operator} backs node ${id} already. One operator backs one node.`,
  RestakeAdapter_BadStrategies: () => 'The operator sets of restaking name no strategy, or one twice.',
  RestakeAdapter_NotNodeOwner: ([id, operator]) => `${operator} does not own node ${id}: a node is backed by its owner.`,
  RestakeAdapter_NotOperator: ([operator]) => `${operator} is no operator there. Register it with the restaking protocol first.`,
  RestakeAdapter_NothingPending: ([id]) => `No slash of the restaked stake of node ${id} waits.`,
  RestakeAdapter_OpenDispute: ([id]) => `Node ${id} has an open case. Its restaked stake stays until the case ends.`,
  SimulatedRestaking_Paused: () => 'The restaking protocol is paused.',
}

const CASE: Words = {
  RefundPot_AlreadyClaimed: ([id]) => `The refund of case ${id} was paid already.`,
  RefundPot_BadProof: ([id]) => `This is not what the refunds of case ${id} say.`,
  RefundPot_Exhausted: ([id, left, needed]) => `The pot of case ${id} has ${heu(left)} left, ${heu(needed)} are needed.`,
  RefundPot_NothingThere: ([id]) => `Case ${id} has brought no refunds.`,
  RefundPot_RootAlreadySet: ([id]) => `The refunds of case ${id} are fixed already.`,
  RefundPot_StillOpen: ([id, until]) => `Refunds of case ${id} can be claimed until ${at(until)}; only the rest is burned.`,
  Slasher_AlreadyAccused: ([id, validator]) => `${validator} has accused in case ${id} already.`,
  Slasher_AlreadyVoted: ([id]) => `This account has voted in case ${id} already.`,
  Slasher_BadReveal: ([id]) => `This is not what the account sealed in case ${id}.`,
  Slasher_CoolingDown: ([id, , from]) => `This validator can accuse node ${id} again from ${at(from)} on.`,
  Slasher_EvenCommittee: ([size]) => `A committee of ${size} could tie. Its size is odd.`,
  Slasher_NotMember: ([id]) => `This account does not sit in the committee of case ${id}.`,
  Slasher_NotValidator: ([caller]) => `${caller} is no active validator.`,
  Slasher_UnknownCase: ([id]) => `There is no case ${id}.`,
  Slasher_ZeroCommitment: () => 'The sealed claim or vote is empty.',
  ValidatorRegistry_AlreadyJoined: ([validator]) => `${validator} is a validator already.`,
  ValidatorRegistry_BondLocked: ([validator, free, needed]) =>
    `${validator} has ${heu(free)} of its bond free, ${heu(needed)} are needed: the rest is locked by cases.`,
  ValidatorRegistry_Engaged: ([validator]) => `${validator} still takes part in a case. Its bond stays until that ends.`,
  ValidatorRegistry_Full: ([maximum]) => `There are ${maximum} validators, and no more can join.`,
  ValidatorRegistry_NotExiting: ([validator]) => `${validator} has not asked to leave.`,
  ValidatorRegistry_NotValidator: ([validator]) => `${validator} is no validator.`,
  ValidatorRegistry_StillUnbonding: ([validator, free]) => `The bond of ${validator} is free from ${at(free)} on.`,
}

const GOVERNANCE: Words = {
  AccessControlUnauthorizedAccount: only('governance, by a passed proposal,'),
  GovernorOnlyExecutor: only('a passed proposal'),
  GovernorInvalidSignature: ([voter]) => `${voter} did not sign this vote.`,
  GovernorUnableToCancel: () => 'Only who proposed it can cancel a proposal, and only before its vote begins.',
  GovernorAlreadyQueuedProposal: () => 'The proposal is queued already. See: heurist gov show.',
  GuardedPause_NotGuardian: ([caller]) => `${caller} is not the guardian.`,
  GuardedPause_NotPaused: () => 'Nothing is paused.',
  GuardedPause_TermEnded: ([ended]) => `The guardian's term ended at ${at(ended)}. Governance names the next one.`,
  GuardedPause_TooSoon: ([next]) => `The guardian can pause again from ${at(next)} on.`,
  OwnableInvalidOwner: () => 'The new owner is the zero address.',
  Shared_BadName: ([length]) => `A name has 1 to 64 bytes, not ${length}.`,
  Shared_ZeroAddress: () => 'An address is zero that must not be.',
  TimelockInsufficientDelay: ([delay, min]) => `The timelock waits at least ${min} s, not ${delay} s.`,
  VotingPower_DelegateOnTheTokens: () => 'Votes are delegated on wrapped HEU and on stHEU: heurist gov enrol.',
}

/** Refusals of money, nodes, cases and governance that are told seldom; see WORDS in errors.ts. */
export const CONTRACT_WORDS: Words = {
  ...MONEY,
  ...NODE,
  ...CASE,
  ...GOVERNANCE,
}
