// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A group of operators of one service.
struct OperatorSet {
    address avs;
    uint32 id;
}

/// @notice One slash: `wadsToSlash[i]` of what `operator` has allocated of `strategies[i]` (ascending) to the set.
struct SlashingParams {
    address operator;
    uint32 operatorSetId;
    address[] strategies;
    uint256[] wadsToSlash;
    string description;
}

/// @notice A new operator set and the strategies whose shares it can slash.
struct CreateSetParams {
    uint32 operatorSetId;
    address[] strategies;
}

/// @title IAllocationManager
/// @notice The part of EigenLayer's AllocationManager that an actively validated service uses. Written from its published
/// function signatures; strategies are plain addresses here, which encode alike.
interface IAllocationManager {
    function updateAVSMetadataURI(address avs, string calldata metadataURI) external;
    function setAVSRegistrar(address avs, address registrar) external;
    function createOperatorSets(address avs, CreateSetParams[] calldata params) external;

    /// @notice Slashes an operator of the caller's set. The stake is gone from the operator's delegators.
    function slashOperator(address avs, SlashingParams calldata params) external;

    /// @notice Shares that will still be slashable in `futureBlock`, by operator and strategy.
    function getMinimumSlashableStake(
        OperatorSet memory operatorSet,
        address[] memory operators,
        address[] memory strategies,
        uint32 futureBlock
    ) external view returns (uint256[][] memory slashableStake);

    /// @notice True while the operator is registered, and for the deallocation delay after.
    function isOperatorSlashable(address operator, OperatorSet memory operatorSet) external view returns (bool);
    function isMemberOfOperatorSet(address operator, OperatorSet memory operatorSet) external view returns (bool);
}

/// @title IRestakeStrategy
/// @notice The part of an EigenLayer strategy that values its shares.
interface IRestakeStrategy {
    /// @notice Units of the underlying token (18 decimals for ETH and its liquid forms) that these shares are worth.
    function sharesToUnderlyingView(uint256 shares) external view returns (uint256);
}
