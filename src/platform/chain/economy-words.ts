import { formatUnits } from '#protocol'

/** Sentences by the error's name; each takes the error's arguments. */
export type Words = Readonly<Record<string, (args: readonly unknown[]) => string>>

export const heu = (wei: unknown): string => `${formatUnits(BigInt(String(wei)), 18)} HEU`
/** Beyond this a time means "for ever", and is no date any more. */
const LAST_SECOND = Date.UTC(9999, 0) / 1000
export const at = (seconds: unknown): string =>
  Number(seconds) < LAST_SECOND
    ? `${new Date(Number(seconds) * 1000).toISOString().replace('T', ' ').slice(0, 19)} UTC (chain time)`
    : 'the end of time'
const gauge = (kind: unknown): string => (Number(kind) === 0 ? 'node' : 'pod')
/** In the order of `EpochPhase`. */
const PHASES = ['running', 'being reported', 'open to challenges', 'challenged', 'ready to be closed', 'closed']
const phase = (number: unknown): string => PHASES[Number(number)] ?? String(number)

/** Refusals of stake, votes, emission, reservoir and vesting; see WORDS in errors.ts. */
export const ECONOMY_WORDS: Words = {
  StakedHeu_ZeroShares: () => 'The amount is not worth one wei of stHEU. Give more.',
  StakedHeu_ZeroAmount: () => 'The amount is zero.',
  StakedHeu_NotOperator: ([controller]) => `Only ${controller} or its operator may claim its exits.`,
  StakedHeu_ExitTakesARequest: () => 'An exit from stHEU takes a request that matures. See: heurist unstake.',
  ERC20InsufficientBalance: ([account, balance, needed]) => `${account} has ${heu(balance)}, ${heu(needed)} are needed.`,
  ERC4626ExceededMaxWithdraw: ([, wanted, max]) =>
    `${heu(wanted)} of exits were asked for, ${heu(max)} have matured. See: heurist stake show.`,
  ERC4626ExceededMaxRedeem: ([, wanted, max]) =>
    `${heu(wanted)} of exits were asked for, ${heu(max)} have matured. See: heurist stake show.`,
  ERC4626ExceededMaxDeposit: () => 'Staking is paused.',
  Gauge_Locked: ([flipsAt]) => `No votes are taken in the last hour of an epoch. Vote again after ${at(flipsAt)}.`,
  Gauge_BadBallotLength: ([, , most]) => `A ballot names at most ${most} nodes or pods.`,
  Gauge_UnsortedIds: () => 'The ballot names one of them twice.',
  Gauge_ZeroWeight: () => 'A ballot gives each of its ids more than 0 %. Leave out what gets nothing.',
  Gauge_OverWeight: ([sum]) => `The ballot gives away ${Number(sum) / 100} %, more than the whole.`,
  VoterRewards_NothingToClaim: () => 'There is nothing to claim for these votes: tips and pod revenue are paid for epochs that have begun.',
  VoterRewards_EpochNotBegun: ([epoch, present]) => `Epoch ${epoch} has not begun; the present one is ${present}.`,
  VoterRewards_EpochTooFar: ([epoch, last]) => `Epoch ${epoch} is too far away; the last one that can be funded is ${last}.`,
  VoterRewards_HasVotes: ([kind, , epoch]) => `This ${gauge(kind)} has votes in epoch ${epoch}: its pot belongs to them.`,
  VoterRewards_ZeroAmount: () => 'There is nothing to book.',
  EmissionController_NotSequencer: ([caller]) => `${caller} is not the sequencer of the emission contract. Check the sequencer key.`,
  EmissionController_NotNodeOwner: ([nodeId, caller]) => `${caller} does not own node ${nodeId}.`,
  EmissionController_NoSuchEpoch: ([epoch]) => `There is no epoch ${epoch}: emission has 520.`,
  EmissionController_WrongPhase: ([epoch, is, wanted]) =>
    `Epoch ${epoch} is ${phase(is)}; this can be done when it is ${phase(wanted)}. See: heurist epoch show ${epoch}.`,
  EmissionController_UnknownNode: ([nodeId]) => `The registry has no node ${nodeId}.`,
  EmissionController_WrongBond: ([sent, bond]) => `A challenge puts up exactly ${heu(bond)}, not ${heu(sent)}.`,
  EmissionController_Underfunded: ([free, budget]) => `The emission vault has ${heu(free)} left, the epoch needs ${heu(budget)}.`,
  EmissionController_NothingToClaim: ([nodeId, epoch]) => `Node ${nodeId} earned nothing in epoch ${epoch}, or it was claimed already.`,
  EmissionController_NodeJailed: ([nodeId]) => `Node ${nodeId} is jailed. Its emission waits until it is free.`,
  Vesting_NothingToRelease: () => 'Nothing more is free yet. See: heurist vesting list.',
  Vesting_NotBeneficiary: ([caller]) => `${caller} is not the beneficiary of this allocation.`,
  Vesting_NotRevocable: () => 'This allocation can not be revoked.',
  Reservoir_NotEnough: ([free, needed]) => `The reservoir has ${heu(free)} that are in no budget, ${heu(needed)} are needed.`,
  Reservoir_OverBudget: ([, budget, needed]) => `The budget has ${heu(budget)} left, ${heu(needed)} are needed. Raise it by a proposal.`,
  Reservoir_UnknownGrant: ([grantId]) => `There is no grant ${grantId}. See: heurist reservoir show.`,
  Reservoir_NothingToClaim: ([grantId]) => `Nothing more of grant ${grantId} has flowed yet.`,
  Reservoir_NotReceiver: ([grantId, caller]) => `${caller} is not the receiver of grant ${grantId}.`,
  FrontendRegistry_UnknownFrontend: () => 'There is no such frontend. See: heurist frontend list.',
  FrontendRegistry_NotOwner: ([, caller]) => `${caller} does not own this frontend.`,
  Shared_NativeTransferFailed: ([receiver]) => `${receiver} does not take HEU.`,
}
