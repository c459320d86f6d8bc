// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAvsRegistrar} from "./external/IAvsRegistrar.sol";

/// @title IRestakeAdapter
/// @notice Makes restaked ETH collateral of compute nodes (wp §2.1.3): this contract is an actively validated service of
/// a restaking protocol and the registrar of its one operator set. One operator backs one node, and is its owner, so that
/// no stake counts twice.
/// @dev What the restaking protocol takes in a slash is burned or kept there; only HEU goes through the 40/20/40 split.
/// @dev Warning: assumes that the allocation manager is the genuine one, and that the governed rate of ETH in HEU is fresh.
interface IRestakeAdapter is IAvsRegistrar {
    /* BACKING */

    /// @notice Lets the caller's stake back a node that it owns. Only a registered operator, and once: the link ends with
    /// the node. An operator that registers with `abi.encode(nodeId)` as its data links at once.
    function link(uint256 nodeId) external;

    /// @notice The same at the registration of a node with too little HEU. Only the node registry.
    /// @return valueWei What the stake is worth, as in `valueOf`.
    function linkNew(uint256 nodeId, address operator) external returns (uint256 valueWei);

    /// @notice The node's restaked ETH as wei of HEU: what stays slashable for the whole horizon, at the governed rate,
    /// after the haircut, at most the cap. Rounded down. 0 when nothing backs it, or while a slash is pending.
    function valueOf(uint256 nodeId) external view returns (uint256 valueWei);

    function operatorOf(uint256 nodeId) external view returns (address operator);
    function nodeOf(address operator) external view returns (uint256 nodeId);

    /* DISCIPLINE */

    /// @notice Slashes this part of the stake that the operator has allocated to us. Only the slasher. Nothing happens
    /// when nothing backs the node. Never reverts for the restaking protocol's sake: what it refuses stays pending.
    /// @dev A caller that gives too little gas only makes it pending.
    /// @param slashBps Basis points, at most 10,000.
    function slash(uint256 nodeId, uint16 slashBps) external;

    /// @notice Tries again what is pending. Anyone may call; reverts while it fails.
    function retrySlash(uint256 nodeId) external;

    /// @notice Basis points still to be slashed.
    function pendingBps(uint256 nodeId) external view returns (uint16);

    /* PARAMETERS (owner only) */

    /// @notice Opens the operator set: once, with the strategies whose shares count, strictly ascending. Each one's
    /// underlying token must be worth one ETH.
    function open(string calldata metadataURI, address[] calldata strategies) external;

    /// @notice What counts.
    /// @param heuPerEthWad HEU for one ETH (WAD).
    /// @param haircutBps Taken off for the price (basis points).
    /// @param capWei Most that one operator's stake counts (wei of HEU).
    function setRates(uint128 heuPerEthWad, uint16 haircutBps, uint128 capWei) external;

    /// @notice Blocks from now for which stake must stay slashable to count: longer than a dispute can last.
    function setHorizon(uint32 horizonBlocks) external;
    function setSlasher(address slasher) external;

    /* VIEWS */

    function rates() external view returns (uint128 heuPerEthWad, uint16 haircutBps, uint128 capWei);
    /// @notice The strategies of the operator set; empty before `open`.
    function strategies() external view returns (address[] memory);
    function horizonBlocks() external view returns (uint32);
    function slasher() external view returns (address);
    function registry() external view returns (address);
    function allocationManager() external view returns (address);
}
