// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReservoirUse} from "../interfaces/IReservoir.sol";
import {GaugeKind} from "../interfaces/IGauge.sol";

/// @title Events
/// @notice Every event, past tense. Amounts are in asset units (wei of HEU, micro-dollars) unless named otherwise.
library Events {
    /* GUARDED PAUSE */

    event Paused(address indexed guardian, uint48 until);
    event Unpaused(address indexed account);
    event GuardianChanged(address indexed guardian, uint48 expiresAt);

    /* WRAPPED HEU */

    event Wrapped(address indexed account, uint256 amount);
    event Unwrapped(address indexed account, address indexed receiver, uint256 amount);

    /* GOVERNANCE */

    event QuorumFloorChanged(uint256 quorumFloor);

    /* RESERVOIR */

    event ReservoirFilled(address indexed from, uint256 amount);
    event ReservoirBudgetChanged(ReservoirUse indexed use, uint256 amount);
    event CapacityRented(address indexed receiver, uint256 amount, bytes32 indexed purpose);
    event GrantOpened(
        uint256 indexed grantId, address indexed receiver, uint128 amount, uint48 endsAt, bytes32 indexed purpose
    );
    event GrantCancelled(uint256 indexed grantId, uint256 returned);
    event GrantClaimed(uint256 indexed grantId, address indexed receiver, uint256 amount);
    event GrantReceiverChanged(uint256 indexed grantId, address indexed receiver);
    event StakingToppedUp(uint256 amount);

    /* VESTING */

    event VestingWalletCreated(
        address indexed wallet, address indexed beneficiary, string name, uint256 total, bool revocable
    );
    event VestingReleased(address indexed beneficiary, uint256 amount);
    event VestingOffered(address indexed beneficiary, address indexed offeredTo);
    event VestingBeneficiaryChanged(address indexed oldBeneficiary, address indexed newBeneficiary);
    event VestingRevoked(address indexed beneficiary, address indexed receiver, uint256 amount);

    /* STAKED HEU */

    /// @dev Beside the standard `RedeemRequest`, which names neither the amount nor the time (unix seconds).
    event StakeExitRequested(
        address indexed controller, address indexed owner, uint256 shares, uint256 assets, uint256 claimableAt
    );

    /// @dev `source` as in `RewardSource`; the stream ends at `streamEndsAt` (unix seconds).
    event StakersRewarded(uint8 indexed source, uint256 amount, uint64 streamEndsAt);
    event RewardSourceChanged(uint8 indexed source, address account);
    event GaugesChanged(address nodeGauge, address podGauge);
    event ExitDelayChanged(uint32 exitDelaySeconds);

    /* NODE REGISTRY */

    event NodeRegistered(
        uint256 indexed nodeId, address indexed owner, address indexed hotKey, address payout, uint256 collateral
    );
    event CollateralAdded(uint256 indexed nodeId, address indexed from, uint256 amount, uint256 collateral);
    event HotKeyRotated(uint256 indexed nodeId, address indexed oldKey, address indexed newKey);
    event PayoutChanged(uint256 indexed nodeId, address payout);
    event ExitRequested(uint256 indexed nodeId, uint64 exitableAt);
    event CollateralWithdrawn(uint256 indexed nodeId, address indexed receiver, uint256 amount);
    event NodeJailed(uint256 indexed nodeId);
    event NodeUnjailed(uint256 indexed nodeId);
    event NodeSlashed(uint256 indexed nodeId, uint256 amount, uint256 collateral);
    event JailerChanged(address jailer);
    event SlasherChanged(address slasher);
    event MinCollateralChanged(uint256 minCollateral);
    event UnbondingDelayChanged(uint32 unbondingDelaySeconds);
    event UnbondRequested(uint256 indexed nodeId, uint256 amount, uint64 releasableAt);
    event UnbondCancelled(uint256 indexed nodeId, uint256 amount);
    event Unbonded(uint256 indexed nodeId, address indexed receiver, uint256 amount, uint256 collateral);
    event FloorChanged(address floor);
    event RestakeChanged(address restake);

    /* COLLATERAL FLOOR */

    event SecurityParametersChanged(
        uint256 exposureWei, uint256 requiredCollateralWei, uint256 floorWei, uint256 tasksToDetect
    );

    /* VALIDATOR REGISTRY */

    event ValidatorJoined(address indexed validator, uint256 bond);
    event ValidatorBondAdded(address indexed validator, uint256 amount, uint256 bond);
    event ValidatorDropped(address indexed validator, uint256 bond);
    event ValidatorExitRequested(address indexed validator, uint64 exitableAt);
    event ValidatorWithdrew(address indexed validator, address indexed receiver, uint256 amount);
    event ValidatorSeized(address indexed validator, uint256 indexed caseId, uint256 amount, uint256 bond);
    event MinBondChanged(uint256 minBond);

    /* SLASHER */

    event CaseOpened(uint256 indexed caseId, uint256 indexed nodeId, address indexed nodeOwner);
    event Accused(uint256 indexed caseId, address indexed validator, bytes32 commitment);
    event ClaimRevealed(
        uint256 indexed caseId, address indexed validator, uint64 logE, bytes32 auditsRoot, bool objective
    );

    /// @dev `slashBps` 0: a jail, not a slash.
    event CaseAnswerable(uint256 indexed caseId, uint16 slashBps, uint64 deadline);
    event CaseDisputed(uint256 indexed caseId, address indexed disputer, uint256 bond);

    /// @dev The hash of `drawBlock` draws the committee of this round.
    event DrawScheduled(uint256 indexed caseId, uint8 round, uint64 drawBlock);
    event CommitteeDrawn(
        uint256 indexed caseId, uint8 round, address[] members, uint16 needed, uint64 commitEnds, uint64 deadline
    );
    event VoteCommitted(uint256 indexed caseId, uint8 round, address indexed member);
    event VoteRevealed(uint256 indexed caseId, uint8 round, address indexed member, uint64 logE);

    /// @dev Too few votes: the node is out of jail while another committee is drawn.
    event RoundStalled(uint256 indexed caseId, uint8 round, uint256 votes, uint256 seats);

    /// @dev `found` votes reach what was claimed, `needed` convict; `median` is the lower one of the opened votes.
    event VotesCounted(uint256 indexed caseId, uint8 round, uint256 found, uint16 needed, uint64 median);

    /// @dev `verdict` by number of `ISlasher.Verdict`.
    event CaseClosed(uint256 indexed caseId, uint256 indexed nodeId, uint8 verdict);
    event SlashSplit(uint256 indexed caseId, uint256 accusers, uint256 refunds, uint256 burned);
    event NodeFreed(uint256 indexed nodeId);
    event Owed(uint256 indexed caseId, address indexed account, uint256 amount);
    event OwedPaid(address indexed account, address indexed receiver, uint256 amount);
    event WindowsChanged(uint32 commit, uint32 vote, uint32 reveal, uint32 dispute, uint32 jail, uint32 cooldown);
    event StakesChanged(uint256 accusation, uint256 duty, uint256 dispute);
    event CommitteeSizeChanged(uint8 size);

    /* REFUND POT AND BURN */

    event RefundsFunded(uint256 indexed caseId, uint256 amount);
    event RefundRootSet(uint256 indexed caseId, bytes32 root, uint64 until);
    event Refunded(uint256 indexed caseId, address indexed account, uint256 amount);
    event RefundsBurned(uint256 indexed caseId, uint256 amount);
    event Burned(address indexed from, uint256 amount);

    /* RESTAKE ADAPTER */

    event OperatorRegistered(address indexed operator);
    event OperatorDeregistered(address indexed operator, uint256 nodeId);
    event OperatorLinked(address indexed operator, uint256 indexed nodeId);
    event RestakeSlashed(uint256 indexed nodeId, address indexed operator, uint16 slashBps);
    event RestakeSlashFailed(uint256 indexed nodeId, address indexed operator, uint16 pendingBps);
    event OperatorSetOpened(uint32 id, address[] strategies);
    event RestakeRatesChanged(uint256 heuPerEthWad, uint16 haircutBps, uint256 capWei);
    event RestakeHorizonChanged(uint32 horizonBlocks);

    /* SIMULATED RESTAKING */

    event SimulatedStakeChanged(address indexed operator, uint256 shares);

    /* COMPOUNDER */

    event CompoundPlanSet(
        uint256 indexed nodeId, address indexed account, uint16 collateralBps, uint16 stakeBps, address payout
    );
    event Compounded(uint256 indexed nodeId, uint256 collateral, uint256 staked, uint256 paid);

    /* POD REGISTRY */

    event PodRegistered(bytes32 indexed podId, address indexed deployer, string name);

    /// @dev Prices in nano-credits per 1,000,000 units.
    event PodVersionPublished(
        bytes32 indexed podId,
        uint256 indexed version,
        bytes32 manifestHash,
        uint128 inputNanoCreditsPerMillion,
        uint128 outputNanoCreditsPerMillion,
        uint16 deployerBps
    );
    event MaxDeployerShareChanged(uint16 maxDeployerBps);
    event PodActivityChanged(bytes32 indexed podId, bool active);

    /* FRONTEND REGISTRY */

    event FrontendRegistered(bytes32 indexed frontendId, address indexed owner, string name);
    event FrontendUpdated(bytes32 indexed frontendId, uint16 feeBps, address payout, bytes32 referralRoot);
    event FrontendOwnerChanged(bytes32 indexed frontendId, address indexed oldOwner, address indexed newOwner);
    event MaxFeeChanged(uint16 maxFeeBps);

    /* CREDIT VAULT */

    event Deposited(
        address indexed account, address indexed asset, uint256 amount, uint256 nanoCredits, uint256 indexed lotId
    );
    event SpendingCapSet(
        address indexed account, address indexed asset, uint256 cumulativeCap, uint64 expiresAt, uint256 nonce
    );
    event SpendingCapRevoked(address indexed account, address indexed asset, uint64 expiresAt, uint256 nonce);
    event WithdrawalRequested(address indexed account, address indexed asset, uint256 amount, uint64 executableAt);
    event WithdrawalCancelled(address indexed account, address indexed asset);
    event Withdrawn(address indexed account, address indexed asset, address indexed receiver, uint256 amount);
    event SettlementSet(address settlement);
    event HeuPriceChanged(uint256 heuPriceUsdWad);
    event HeuBonusChanged(uint16 bonusBps);
    event WithdrawalDelayChanged(uint32 withdrawalDelaySeconds);

    /* FEE VAULT */

    /// @dev `cost` was kept for the base layer.
    event FeesSwept(uint256 indexed epoch, uint256 fees, uint256 cost);
    event L1CostPaid(address indexed receiver, uint256 amount);
    event L1CostChanged(uint96 l1CostPerEpoch, address l1CostReceiver);

    /* BUYBACK */

    event HeuBoughtBack(uint256 indexed epoch, uint256 spentUsd, uint256 boughtHeu);
    event HeuGivenToStakers(uint256 amount);
    event PoolChanged(address pool);
    event BuyGuardsChanged(
        uint32 twapWindowSeconds, uint16 maxDeviationTicks, uint16 maxSlippageBps, uint96 epochLimitUsd
    );

    /* JOB SETTLEMENT */

    /// @dev `contentHash` and the predecessor's hash prove `receiptsRoot` against `batchHashOf`.
    event BatchSettled(
        uint64 indexed number, bytes32 batchHash, bytes32 receiptsRoot, bytes32 contentHash, uint32 jobCount
    );
    event Claimed(address indexed account, address indexed asset, address indexed receiver, uint256 amount);
    event SequencerChanged(address sequencer);
    event VoterRewardsChanged(address voterRewards);
    event SharesChanged(uint16 deployerBps, uint16 frontendBps, uint16 votersBps, uint16 protocolBps);
    event ChallengeWindowChanged(uint32 challengeWindowSeconds);

    /* GAUGES (the address says which) */

    /// @dev Replaces the voter's ballot from `fromEpoch` on; `counted` in wei of stHEU.
    event BallotCast(address indexed voter, bytes32[] ids, uint16[] weightsBps, uint256 counted, uint256 fromEpoch);

    /// @dev The voter's ballot counts with `counted` wei of stHEU from `fromEpoch` on.
    event BallotRecounted(address indexed voter, uint256 counted, uint256 fromEpoch);
    event QuorumWeightChanged(uint256 quorumWeight, uint256 fromEpoch);
    event SaturationChanged(uint16 saturationBps, uint256 fromEpoch);
    event GuaranteedReplicasChanged(uint16 guaranteedReplicas);
    event CeilingFactorChanged(uint32 ceilingFactorBps);

    /* VOTER REWARDS */

    event PotFunded(GaugeKind indexed kind, bytes32 indexed id, uint256 indexed epoch, address asset, uint256 amount);

    /// @dev Out of the pot of `epoch`; a `PotFunded` says where to.
    event PotRolledForward(
        GaugeKind indexed kind, bytes32 indexed id, uint256 indexed epoch, address asset, uint256 amount
    );
    event VoterRewardClaimed(
        GaugeKind indexed kind, bytes32 indexed id, address indexed voter, address asset, uint256 amount
    );

    /* EMISSION CONTROLLER */

    event EpochOpened(
        uint256 indexed epoch, uint256 revenueRateWad, uint256 basePart, uint256 dynamicPart, uint256 reservoirPart
    );
    event NodeReported(
        uint256 indexed epoch,
        uint256 indexed nodeId,
        uint256 report,
        uint256 availabilityBps,
        uint256 capacity,
        uint256 organicComputeUnits,
        uint256 baseWeight,
        uint256 dynamicWeight
    );
    event EpochSealed(uint256 indexed epoch, uint256 report, uint256 baseWeight, uint256 dynamicWeight);
    event EpochChallenged(
        uint256 indexed epoch, uint256 report, address indexed challenger, bytes32 evidence, uint256 bond
    );
    event ChallengeResolved(uint256 indexed epoch, uint256 report, bool upheld);
    event BondReclaimed(uint256 indexed epoch, uint256 report, address indexed challenger, uint256 amount);
    event EpochFinalised(uint256 indexed epoch, uint256 basePart, uint256 dynamicPart, uint256 reservoirPart);
    event EmissionClaimed(
        uint256 indexed nodeId, uint256 indexed epoch, address indexed payout, uint256 amount, uint256 tip
    );
    event TipChanged(uint256 indexed nodeId, uint16 tipBps, uint256 fromEpoch);
    event EmissionSequencerChanged(address sequencer);
    event ReportWindowChanged(uint32 reportWindowSeconds);
    event DisputeWindowChanged(uint32 disputeWindowSeconds);
    event ChallengeBondChanged(uint128 challengeBond);
}
