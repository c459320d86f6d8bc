// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReservoirUse} from "../interfaces/IReservoir.sol";
import {EpochPhase} from "../interfaces/IEmissionController.sol";
import {GaugeKind} from "../interfaces/IGauge.sol";

/// @title Errors
/// @notice Every custom error, `Component_Reason(values that explain it)`.
library Errors {
    /* SHARED */

    /// @dev An address that must not be zero was.
    error Shared_ZeroAddress();

    /// @dev `value` is outside `[min, max]`.
    error Shared_OutOfBounds(uint256 value, uint256 min, uint256 max);

    /// @dev `receiver` refused the native HEU sent to it.
    error Shared_NativeTransferFailed(address receiver);

    /// @dev A name must have 1 to `Constants.MAX_NAME_BYTES` bytes.
    error Shared_BadName(uint256 lengthBytes);

    /* GUARDED PAUSE */

    /// @dev Only the guardian pauses; it or the owner ends a pause.
    error GuardedPause_NotGuardian(address caller);

    /// @dev The guardian's term ended at `expiredAt` (unix seconds).
    error GuardedPause_TermEnded(uint48 expiredAt);

    /// @dev The guardian stopped this function until `until` (unix seconds) at the latest.
    error GuardedPause_Paused(uint48 until);
    error GuardedPause_NotPaused();

    /// @dev After a pause the guardian waits until `nextPauseAt` (unix seconds).
    error GuardedPause_TooSoon(uint48 nextPauseAt);

    /* VOTING POWER */

    /// @dev Both tokens must count votes by `block.timestamp`.
    error VotingPower_OtherClock();

    /// @dev Delegate wrapped HEU and stHEU each on its token.
    error VotingPower_DelegateOnTheTokens();

    /* RESERVOIR */

    error Reservoir_ZeroAmount();

    /// @dev A budget may be set to at most `free`: what it has and what is in none.
    error Reservoir_NotEnough(uint256 free, uint256 needed);
    error Reservoir_OverBudget(ReservoirUse use, uint256 budget, uint256 needed);
    error Reservoir_UnknownGrant(uint256 grantId);

    /// @dev The grant has flowed out; nothing is left to cancel.
    error Reservoir_GrantEnded(uint256 grantId, uint48 endedAt);
    error Reservoir_NothingToClaim(uint256 grantId);
    error Reservoir_NotReceiver(uint256 grantId, address caller);

    /* DEV USD */

    /// @dev `DevUsd` refuses to be deployed on a chain that is not for development.
    error DevUsd_NotADevChain(uint256 chainId);

    /// @dev One mint may create at most `max` micro-dollars.
    error DevUsd_MintTooLarge(uint256 amount, uint256 max);

    /// @dev The supply may not exceed `max` micro-dollars.
    error DevUsd_SupplyCapped(uint256 supply, uint256 max);

    /* VESTING */

    error Vesting_NothingToRelease();
    error Vesting_NotBeneficiary(address caller);
    error Vesting_NotOffered(address caller);
    error Vesting_NotFactory(address caller);
    error Vesting_UnknownWallet(address wallet);

    /// @dev The terms do not allow to revoke it.
    error Vesting_NotRevocable();
    error Vesting_AlreadyRevoked(uint64 revokedAt);

    /// @dev A wallet is created with exactly its total (wei of HEU), above zero.
    error Vesting_WrongFunding(uint256 amount, uint256 total);

    /* STAKED HEU */

    /// @dev `assets` wei are not worth one wei of stHEU, or no shares were asked for.
    error StakedHeu_ZeroShares(uint256 assets);
    error StakedHeu_ZeroAmount();

    /// @dev Only the controller of an exit, or an operator it set, may claim it.
    error StakedHeu_NotOperator(address controller, address caller);

    /// @dev The owner registered another account for this source (see `RewardSource`), or none.
    error StakedHeu_NotRewardSource(uint8 source, address caller);

    /// @dev What an exit gets is known when `requestRedeem` was called; there is nothing to preview (ERC-7540).
    error StakedHeu_ExitTakesARequest();

    /* NODE REGISTRY */

    error NodeRegistry_NotOwner(uint256 nodeId, address caller);
    error NodeRegistry_NotJailer(address caller);
    error NodeRegistry_NotSlasher(address caller);

    /// @dev No node has this id, or it has left.
    error NodeRegistry_UnknownNode(uint256 nodeId);

    /// @dev A hot key serves one node once; retired keys stay taken.
    error NodeRegistry_KeyTaken(address hotKey);

    /// @dev The hot key did not sign this consent.
    error NodeRegistry_BadConsent(address hotKey);
    error NodeRegistry_ConsentExpired(uint64 deadline);
    error NodeRegistry_CollateralTooLow(uint256 collateral, uint256 minimum);
    error NodeRegistry_AlreadyExiting(uint256 nodeId);
    error NodeRegistry_NotExiting(uint256 nodeId);

    /// @dev The unbonding delay runs until `exitableAt` (unix seconds).
    error NodeRegistry_StillUnbonding(uint256 nodeId, uint64 exitableAt);

    /// @dev A jailed node's collateral waits for the verdict, at most until `heldUntil` (unix seconds).
    error NodeRegistry_Jailed(uint256 nodeId, uint64 heldUntil);

    /// @dev The collateral stays until the open dispute ends.
    error NodeRegistry_OpenDispute(uint256 nodeId);

    /// @dev The owner has an open dispute or a fraud verdict: a new registration would wash it white.
    error NodeRegistry_Barred(address owner);
    error NodeRegistry_AlreadyUnbonding(uint256 nodeId);
    error NodeRegistry_NotUnbonding(uint256 nodeId);

    /// @dev `bonded` is what is there and does not leave yet (wei of HEU).
    error NodeRegistry_UnbondTooMuch(uint256 nodeId, uint256 amount, uint256 bonded);

    /* COLLATERAL FLOOR */

    /// @dev The model needs reward >= honest cost >= cheat cost (wei of HEU).
    error CollateralFloor_CostsOutOfOrder(uint256 rewardWei, uint256 honestCostWei, uint256 cheatCostWei);

    /* VALIDATOR REGISTRY */

    error ValidatorRegistry_NotSlasher(address caller);
    error ValidatorRegistry_AlreadyJoined(address validator);
    error ValidatorRegistry_NotValidator(address validator);
    error ValidatorRegistry_BondTooLow(uint256 bond, uint256 minimum);
    error ValidatorRegistry_Full(uint256 maximum);
    error ValidatorRegistry_NotExiting(address validator);
    error ValidatorRegistry_StillUnbonding(address validator, uint64 exitableAt);

    /// @dev The validator accuses or judges in `engagements` open cases.
    error ValidatorRegistry_Engaged(address validator, uint256 engagements);

    /// @dev `free` of the bond is not locked by other accusations (wei of HEU).
    error ValidatorRegistry_BondLocked(address validator, uint256 free, uint256 needed);

    /* SLASHER */

    error Slasher_UnknownCase(uint256 caseId);

    /// @dev The case is in another stage (numbers of `Stage`).
    error Slasher_WrongStage(uint256 caseId, uint256 stage, uint256 expected);

    /// @dev Too early, or too late, for this step: it is open from `opensAt` until before `closesAt` (unix seconds; blocks
    /// for a draw).
    error Slasher_OutsideWindow(uint256 caseId, uint256 opensAt, uint256 closesAt);
    error Slasher_NotValidator(address caller);
    error Slasher_AlreadyAccused(uint256 caseId, address validator);

    /// @dev The same validator may accuse this node again from `from` on (unix seconds).
    error Slasher_CoolingDown(uint256 nodeId, address validator, uint64 from);
    error Slasher_ZeroCommitment();

    /// @dev The caller committed to nothing, has opened it already, or opens something else.
    error Slasher_BadReveal(uint256 caseId, address caller);
    error Slasher_NotMember(uint256 caseId, address caller);
    error Slasher_AlreadyVoted(uint256 caseId, address caller);
    error Slasher_WrongBond(uint256 sent, uint256 expected);
    error Slasher_NothingOwed(address account);
    error Slasher_StillJailed(uint256 nodeId, uint64 until);
    error Slasher_UnexpectedCoins(address sender);
    error Slasher_EvenCommittee(uint8 size);

    /* REFUND POT */

    error RefundPot_NotSlasher(address caller);
    error RefundPot_RootAlreadySet(uint256 caseId);
    error RefundPot_NothingThere(uint256 caseId);
    error RefundPot_BadProof(uint256 caseId, address account);
    error RefundPot_AlreadyClaimed(uint256 caseId, address account);

    /// @dev The root's amounts add up to more than the case brought.
    error RefundPot_Exhausted(uint256 caseId, uint256 left, uint256 needed);
    error RefundPot_StillOpen(uint256 caseId, uint64 until);

    /* RESTAKE ADAPTER */

    error RestakeAdapter_NotAllocationManager(address caller);
    error RestakeAdapter_NotRegistry(address caller);
    error RestakeAdapter_NotSlasher(address caller);
    error RestakeAdapter_WrongSet(address avs);
    error RestakeAdapter_NotOperator(address operator);
    error RestakeAdapter_NotNodeOwner(uint256 nodeId, address operator);

    /// @dev One operator backs one node, and one node has one operator.
    error RestakeAdapter_AlreadyLinked(uint256 nodeId, address operator);
    error RestakeAdapter_OpenDispute(uint256 nodeId);

    /// @dev Strategies must be strictly ascending, and at least one.
    error RestakeAdapter_BadStrategies();
    error RestakeAdapter_NothingPending(uint256 nodeId);

    /* SIMULATED RESTAKING */

    error SimulatedRestaking_NotADevChain(uint256 chainId);
    error SimulatedRestaking_NotAuthorised(address caller);
    error SimulatedRestaking_NotMember(address operator);
    error SimulatedRestaking_NotSlashable(address operator);
    error SimulatedRestaking_Paused();
    error SimulatedRestaking_BadWad(uint256 wad);

    /* COMPOUNDER */

    error Compounder_NotNodeOwner(uint256 nodeId, address caller);
    error Compounder_SharesTooHigh(uint256 sumBps);
    error Compounder_NoPlan(uint256 nodeId);
    error Compounder_NotCompounder(address caller);

    /* POD REGISTRY */

    error PodRegistry_UnknownPod(bytes32 podId);
    error PodRegistry_AlreadyRegistered(bytes32 podId);
    error PodRegistry_NotDeployer(bytes32 podId, address caller);
    error PodRegistry_ZeroManifest();
    error PodRegistry_ShareTooHigh(uint16 deployerBps, uint16 maxDeployerBps);
    error PodRegistry_UnknownVersion(bytes32 podId, uint256 version);

    /* FRONTEND REGISTRY */

    error FrontendRegistry_UnknownFrontend(bytes32 frontendId);
    error FrontendRegistry_AlreadyRegistered(bytes32 frontendId);
    error FrontendRegistry_NotOwner(bytes32 frontendId, address caller);
    error FrontendRegistry_FeeTooHigh(uint16 feeBps, uint16 maxFeeBps);

    /* CREDIT VAULT */

    error CreditVault_UnknownAsset(address asset);
    error CreditVault_UnknownAssetId(uint256 assetId);
    error CreditVault_ZeroAmount();

    /// @dev The deposit is worth less than one nano-credit.
    error CreditVault_DepositTooSmall(address asset, uint256 amount);

    /// @dev Less arrived than was sent: the token takes a fee.
    error CreditVault_ShortDeposit(address asset, uint256 amount, uint256 arrived);
    error CreditVault_NotSettlement(address caller);
    error CreditVault_SettlementAlreadySet(address settlement);

    /// @dev Only the wrapped HEU contract may send plain native HEU here; others call `depositHeu`.
    error CreditVault_UseDepositHeu(address sender);
    error CreditVault_InsufficientBalance(address account, address asset, uint256 balance, uint256 needed);

    /// @dev The debit would pass the account's spending cap: `remaining` is what the cap still allows (asset units).
    error CreditVault_OverCap(address account, address asset, uint256 remaining, uint256 needed);

    /// @dev The account's spending cap ended at `expiresAt` (unix seconds); 0 = never set.
    error CreditVault_CapExpired(address account, address asset, uint64 expiresAt);

    /// @dev The account did not sign this cap for this chain and contract.
    error CreditVault_BadCapSignature(address account);

    /// @dev A cap's nonce must be above the last one used.
    error CreditVault_StaleCapNonce(uint256 nonce, uint256 lastNonce);

    /// @dev While a cap is live it can only be raised: running jobs rely on it. Revoke it to end it.
    error CreditVault_CapLowered(address account, address asset);
    error CreditVault_NoWithdrawal(address account, address asset);
    error CreditVault_WithdrawalNotReady(uint64 executableAt);

    /// @dev Rows must be strictly ascending by (account, asset): no duplicates.
    error CreditVault_UnsortedDebits(uint256 index);

    /// @dev The row names an asset that does not exist: `tag` is its byte 20.
    error CreditVault_BadRow(uint256 index, uint256 tag);

    /// @dev Settlement asked for more than was debited into its reserve.
    error CreditVault_ReserveExceeded(address asset, uint256 reserve, uint256 needed);

    /* FEE VAULT */

    error FeeVault_NothingRetained();

    /* BUYBACK */

    /// @dev No stablecoin is here, the epoch's limit is used up, or the pool gives nothing for it.
    error Buyback_NothingToSpend();

    /// @dev The pool's price is `deviation` ticks off its mean; somebody may be pushing it.
    error Buyback_PriceOffMean(uint256 deviation, uint256 max);

    /// @dev Only the pool asks to be paid for a swap.
    error Buyback_NotPool(address caller);

    /// @dev The pool trades other tokens than wrapped HEU and the stablecoin.
    error Buyback_WrongPool(address pool, address token0, address token1);

    /// @dev Above twice the pool's fee it would pay to trade before and after a buy.
    error Buyback_SlippageInvitesSandwich(uint256 slippageBps, uint256 maxBps);

    /// @dev `setPool` and `setGuards` were not called yet.
    error Buyback_NotConfigured();

    /* JOB SETTLEMENT */

    error JobSettlement_NotSequencer(address caller);

    /// @dev The next batch is `expected`: `number` was settled before, or skips one.
    error JobSettlement_WrongNumber(uint256 number, uint256 expected);

    /// @dev The batch was built on another history.
    error JobSettlement_WrongPredecessor(bytes32 previousHash, bytes32 expected);

    error JobSettlement_NoJobs();
    error JobSettlement_ZeroRoot();

    /// @dev Rows must be strictly ascending by (account, role, asset), from the first account above zero: no duplicates.
    error JobSettlement_UnsortedCredits(uint256 index);

    /// @dev The row names a role or an asset that does not exist: `tag` is its byte 20.
    error JobSettlement_BadRow(uint256 index, uint256 tag);

    /// @dev Per asset the credits must add up to the debits, exactly.
    error JobSettlement_Unbalanced(address asset, uint256 debits, uint256 credits);

    /// @dev A role's total is above its governed share. Role numbers: see `IJobSettlement`.
    error JobSettlement_ShareTooHigh(address asset, uint256 role, uint256 roleTotal, uint256 payments);

    /// @dev The four governed shares leave the node less than 50 %.
    error JobSettlement_SharesTooHigh(uint256 sumBps, uint256 maxBps);
    error JobSettlement_NothingToClaim(address account, address asset);

    /// @dev The account is paid again when none of its nodes is jailed any more.
    error JobSettlement_Frozen(address account, uint256 jailedNodes);

    /// @dev Payments of open jobs are part of all payments of the asset.
    error JobSettlement_OpenTooHigh(address asset, uint256 open, uint256 payments);

    /// @dev Only `voterRewards` takes what pods' voters have earned.
    error JobSettlement_NotVoterRewards(address caller);
    /* GAUGES */

    error Gauge_NotStakedHeu(address caller);

    /// @dev No vote in the last hour before the flip at `flipsAt` (unix seconds).
    error Gauge_Locked(uint256 flipsAt);

    /// @dev A ballot has as many weights as ids, and at most `maxIds`.
    error Gauge_BadBallotLength(uint256 ids, uint256 weights, uint256 maxIds);

    /// @dev Ids must ascend strictly, from above zero: no duplicates.
    error Gauge_UnsortedIds(uint256 index);
    error Gauge_ZeroWeight(uint256 index);

    /// @dev The weights of a ballot add up to more than the whole (basis points).
    error Gauge_OverWeight(uint256 sumBps, uint256 maxBps);

    /* VOTER REWARDS */

    /// @dev Plain coins are taken from the vault only; others call `fund`.
    error VoterRewards_UseFund(address sender);
    error VoterRewards_ZeroAmount();

    /// @dev Pots can be filled until the next epoch, `lastEpoch`.
    error VoterRewards_EpochTooFar(uint256 epoch, uint256 lastEpoch);

    /// @dev The votes of an epoch are final only when it has begun.
    error VoterRewards_EpochNotBegun(uint256 epoch, uint256 presentEpoch);

    /// @dev The pot has, or may still get, somebody to pay.
    error VoterRewards_HasVotes(GaugeKind kind, bytes32 id, uint256 epoch);
    error VoterRewards_NothingToClaim(address voter, address asset);

    /* EMISSION CONTROLLER */

    error EmissionController_NotSequencer(address caller);
    error EmissionController_NotNodeOwner(uint256 nodeId, address caller);

    /// @dev Emission ends after `Constants.EMISSION_EPOCHS` epochs.
    error EmissionController_NoSuchEpoch(uint256 epoch);
    error EmissionController_WrongPhase(uint256 epoch, EpochPhase phase, EpochPhase expected);

    /// @dev Reports must ascend strictly by node id, over all chunks of an epoch.
    error EmissionController_UnsortedReports(uint256 index);

    /// @dev More than 10,000 basis points.
    error EmissionController_BadAvailability(uint256 index);

    /// @dev The node is not registered and was never reported before.
    error EmissionController_UnknownNode(uint256 nodeId);
    error EmissionController_WrongBond(uint256 sent, uint256 bond);
    error EmissionController_NoBond(uint256 epoch, uint256 report, address challenger);

    /// @dev The vault has less left than the epoch lets out (wei of HEU).
    error EmissionController_Underfunded(uint256 free, uint256 budget);

    /// @dev The node was not reported in this epoch, earned nothing, or was paid.
    error EmissionController_NothingToClaim(uint256 nodeId, uint256 epoch);

    /// @dev What a jailed node earned waits until it is free or gone.
    error EmissionController_NodeJailed(uint256 nodeId);
}
