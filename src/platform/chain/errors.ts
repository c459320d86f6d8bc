import { BaseError, decodeErrorResult, type Hex as ViemHex } from 'viem'
import { contractErrorsAbi, HeuristError, isHeuristError, messageOf } from '#protocol'
import { CONTRACT_WORDS } from './contract-words.ts'
import { at, ECONOMY_WORDS, heu, type Words } from './economy-words.ts'
import type { ChainErrorCode, RevertPayload } from './port.ts'

export type ChainError = HeuristError<ChainErrorCode, RevertPayload>

const PROPOSAL_STATES = ['pending', 'active', 'cancelled', 'defeated', 'succeeded', 'queued', 'expired', 'executed']

/** What a refused call means and what to do; the contract's own name stays in the payload. */
export const WORDS: Words = {
  ...CONTRACT_WORDS,
  ...ECONOMY_WORDS,
  CreditVault_InsufficientBalance: ([account, , balance, needed]) =>
    `Account ${account} has ${balance} atomic units in the vault, ${needed} are needed. Deposit more.`,
  CreditVault_OverCap: ([account, , remaining, needed]) =>
    `The spending cap of ${account} still allows ${remaining} atomic units, ${needed} are needed. Sign a higher cap.`,
  CreditVault_CapExpired: ([account, , expiresAt]) =>
    `The spending cap of ${account} ${Number(expiresAt) === 0 ? 'was never set' : `ended at ${at(expiresAt)}`}. Sign a new cap.`,
  CreditVault_CapLowered: () => 'A live spending cap can only be raised. Revoke it first, or sign a higher amount and a later end.',
  CreditVault_StaleCapNonce: ([nonce, last]) => `The cap's nonce ${nonce} must be above the last one used, ${last}. Sign it again.`,
  CreditVault_BadCapSignature: ([account]) => `${account} did not sign this spending cap for this chain and vault.`,
  CreditVault_DepositTooSmall: ([, amount]) => `A deposit of ${amount} atomic units is worth less than one nano-credit. Deposit more.`,
  CreditVault_UnknownAsset: ([asset]) => `${asset} is not a payment asset. Pay with HEU or the stablecoin.`,
  CreditVault_NoWithdrawal: () => 'No withdrawal waits for this account. Request one first.',
  CreditVault_WithdrawalNotReady: ([ready]) => `The withdrawal can be executed from ${at(ready)} on.`,
  NodeRegistry_KeyTaken: ([key]) => `The node key ${key} is registered already. Use the node it belongs to, or a new key.`,
  NodeRegistry_CollateralTooLow: ([collateral, minimum]) => `The collateral is ${heu(collateral)}, at least ${heu(minimum)} are asked.`,
  NodeRegistry_BadConsent: ([key]) => `The node key ${key} did not sign its consent to this owner.`,
  NodeRegistry_ConsentExpired: () => "The node key's consent has expired. Sign it again; check the clock.",
  NodeRegistry_UnknownNode: ([id]) => `The registry has no node ${id}.`,
  NodeRegistry_StillUnbonding: ([id, free]) => `The collateral of node ${id} is free from ${at(free)} on.`,
  NodeRegistry_OpenDispute: ([id]) => `Node ${id} has an open case. Its collateral stays until the case ends.`,
  NodeRegistry_Barred: ([owner]) =>
    `${owner} has a node with an open case, or one that was found guilty, and can not register another. Add collateral to the node it has.`,
  NodeRegistry_AlreadyUnbonding: ([id]) => `Node ${id} is taking collateral out already. Complete or cancel that first.`,
  NodeRegistry_UnbondTooMuch: ([id, amount, bonded]) => `Node ${id} has ${heu(bonded)} of collateral, ${heu(amount)} can not leave.`,
  NodeRegistry_Jailed: ([id, until]) => `Node ${id} is jailed; its collateral is held until ${at(until)} at most.`,
  Slasher_OutsideWindow: ([id, from, until]) => `This step of case ${id} is open from ${from} until before ${until}.`,
  Slasher_WrongBond: ([sent, expected]) => `The bond is exactly ${heu(expected)}, ${heu(sent)} were sent.`,
  Slasher_StillJailed: ([id, until]) => `Node ${id} is jailed until ${at(until)}.`,
  Slasher_NothingOwed: ([account]) => `The slasher owes ${account} nothing.`,
  ValidatorRegistry_BondTooLow: ([bond, minimum]) => `The bond is ${heu(bond)}, at least ${heu(minimum)} are asked.`,
  NodeRegistry_NotOwner: ([id, caller]) => `Only the owner of node ${id} may do this, not ${caller}.`,
  NodeRegistry_NotUnbonding: ([id]) => `Nothing is leaving the collateral of node ${id}. Ask for it first: heurist collateral unbond.`,
  NodeRegistry_AlreadyExiting: ([id]) => `Node ${id} is exiting: its whole collateral leaves. Get it with heurist collateral withdraw.`,
  Slasher_WrongStage: ([id]) => `Case ${id} is at another step now. See: heurist collateral show.`,
  Compounder_NoPlan: ([id]) => `Node ${id} has no plan. Its owner sets one: heurist node restake.`,
  Compounder_SharesTooHigh: ([sum]) => `The shares add up to ${sum} basis points, at most 10000 are possible.`,
  PodRegistry_AlreadyRegistered: () => 'This deployer has a pod of this name. Publish a new version of it.',
  PodRegistry_NotDeployer: ([, caller]) => `Only the pod's deployer may do this, not ${caller}.`,
  PodRegistry_ShareTooHigh: ([share, max]) =>
    `The pod's deployer asks for ${share} basis points of each payment, at most ${max} are allowed. Lower revenueShareBps.`,
  FrontendRegistry_FeeTooHigh: ([fee, max]) => `The frontend's fee is ${fee} basis points, at most ${max} are allowed.`,
  FrontendRegistry_AlreadyRegistered: () => 'This owner has a frontend of this name. Update it instead.',
  JobSettlement_NotSequencer: ([caller]) => `${caller} is not the sequencer of the settlement contract. Check the sequencer key.`,
  JobSettlement_WrongNumber: ([number, expected]) => `Batch ${number} does not follow: the chain expects batch ${expected}.`,
  JobSettlement_WrongPredecessor: () => 'The batch was built on another history than the chain has.',
  JobSettlement_Frozen: ([account, jailed]) =>
    `${account} is paid nothing while a node of its is jailed, and ${jailed} ${Number(jailed) === 1 ? 'is' : 'are'}. What it earned is kept. See: heurist collateral show.`,
  JobSettlement_NothingToClaim: () => 'Nothing can be claimed yet: earnings wait for the challenge window.',
  GovernorInsufficientProposerVotes: ([account, votes, threshold]) =>
    `${account} has votes of ${heu(votes)}, a proposal needs ${heu(threshold)}. Wrap and delegate HEU: heurist gov enrol.`,
  GovernorUnexpectedProposalState: ([, state]) =>
    `The proposal is in the state ${PROPOSAL_STATES[Number(state)] ?? state}, in which this cannot be done. See: heurist gov show.`,
  GovernorAlreadyCastVote: ([account]) => `${account} has voted on this proposal already; a vote cannot be changed.`,
  GovernorNonexistentProposal: () => 'The governor knows no such proposal. See: heurist gov list.',
  TimelockUnexpectedOperationState: () => 'The delay of this proposal has not passed yet. See: heurist gov show.',
  OwnableUnauthorizedAccount: ([account]) => `Only governance may do this, not ${account}: propose it with heurist gov propose.`,
  Shared_OutOfBounds: ([value, min, max]) => `${value} is outside the bounds that the code sets: ${min} to ${max}.`,
  Buyback_NothingToSpend: () => "There is nothing to spend: no stablecoin waits in Buyback, or this week's limit is used up.",
  Buyback_PriceOffMean: ([deviation, max]) =>
    `The pool's price is ${deviation} ticks off its mean, at most ${max} are allowed. Somebody may be pushing it; try again later.`,
  Buyback_NotConfigured: () => 'No pool is named yet. Governance names one: Buyback.setPool, then Buyback.setGuards.',
  FeeVault_NothingRetained: () => 'Nothing is kept for the base layer now.',
  // Contracts of others that give their reason as text.
  Error: ([reason]) => (reason === 'old' ? 'The pool does not remember its prices long enough yet. Try again later.' : `${reason}.`),
  GuardedPause_Paused: ([until]) => `The guardian has paused this until ${at(until)} at the latest.`,
  JobSettlement_ShareTooHigh: ([, role]) => `The batch gives role ${role} more than its share allows.`,
}

function revertData(error: BaseError): ViemHex | undefined {
  const carrier = error.walk(inner => {
    const data = (inner as { data?: unknown }).data // cast: errors of the RPC client carry an untyped `data`
    return typeof data === 'string' || (typeof data === 'object' && data !== null && 'errorName' in data)
  })
  const data = (carrier as { data?: unknown; raw?: unknown } | null)?.data // cast: as above
  const raw = (carrier as { raw?: unknown } | null)?.raw // cast: contract errors keep the raw bytes here
  for (const candidate of [data, raw]) if (typeof candidate === 'string' && candidate.startsWith('0x')) return candidate as ViemHex // cast: checked
  return undefined
}

function plain(value: unknown): string | bigint | number | boolean {
  return typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean' ? value : String(value).toLowerCase()
}

/** The refusal behind `data` in words. */
export function revertError(data: ViemHex | undefined, doing: string, cause?: unknown): ChainError {
  const decoded = decodeRevert(data)
  const words = decoded ? (WORDS[decoded.error]?.(decoded.args) ?? `${decoded.error}(${decoded.args.join(', ')}).`) : undefined
  const reason = words ?? (cause === undefined ? 'The contract gave no reason.' : messageOf(cause).split('\n')[0])
  return new HeuristError<ChainErrorCode, RevertPayload>('CHAIN_REVERTED', `The chain refused ${doing}: ${reason}`, {
    payload: { error: decoded?.error ?? null, args: decoded?.args ?? [] },
    cause,
  })
}

function decodeRevert(data: ViemHex | undefined): { error: string; args: (string | bigint | number | boolean)[] } | null {
  if (data === undefined || data.length < 10) return null
  try {
    const { errorName, args } = decodeErrorResult({ abi: contractErrorsAbi, data })
    return { error: errorName, args: (args ?? []).map(plain) }
  } catch {
    return null // Not one of our errors: a panic, a plain string, another contract.
  }
}

const PATTERNS: readonly (readonly [RegExp, ChainErrorCode, boolean, string])[] = [
  [
    /underpriced|max fee per gas less than block base fee|fee cap (?:is )?(?:too low|less than)|gas price (?:is )?(?:too low|less than)/i,
    'CHAIN_UNDERPRICED',
    true,
    'The chain asks a higher gas price; try again.',
  ],
  [
    /insufficient funds|insufficient balance|exceeds (?:the )?balance|OutOfFunds|LackOfFund/i,
    'CHAIN_INSUFFICIENT_FUNDS',
    false,
    'The sender needs more HEU for value and gas.',
  ],
]

/** Any error of the RPC client as one of ours. `doing` completes "could not ...". */
export function toChainError(error: unknown, doing: string): ChainError {
  if (error instanceof HeuristError) return error as ChainError // cast: only this folder throws below this point
  const text = error instanceof BaseError ? `${error.message}\n${error.details}` : messageOf(error)
  for (const [pattern, code, retryable, advice] of PATTERNS) {
    if (pattern.test(text)) return new HeuristError(code, `Could not ${doing}. ${advice}`, { retryable, cause: error })
  }
  const data = error instanceof BaseError ? revertData(error) : undefined
  if (data !== undefined || /revert/i.test(text)) return revertError(data, `to ${doing}`, error)
  return new HeuristError(
    'CHAIN_UNAVAILABLE',
    `Could not ${doing}: the chain's RPC server did not answer properly (${text.split('\n')[0]}). It is tried again.`,
    { retryable: true, cause: error },
  )
}

/** Whether the chain refused a call with this custom error of a contract. */
export function isRefusal(error: unknown, name: string): boolean {
  if (!isHeuristError(error, 'CHAIN_REVERTED')) return false
  return (error as ChainError).payload?.error === name // cast: the code says so
}

/** Runs `work` and translates what it throws. */
export async function translating<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toChainError(error, doing)
  }
}
