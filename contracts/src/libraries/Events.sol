// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReservoirUse} from "../interfaces/IReservoir.sol";

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
}
