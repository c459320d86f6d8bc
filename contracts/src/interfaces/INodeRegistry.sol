// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Coverage} from "./ICollateralFloor.sol";

/// @notice One registered compute node.
/// @param owner Controls the node and its collateral; usually a cold key. Jobs are paid to it, in `IJobSettlement`.
/// @param registeredAt Unix seconds.
/// @param jailed No routing, no payouts, and no exit for now.
/// @param payout Receives what the node gets of the emission.
/// @param exitableAt Unix seconds from which the collateral can leave; 0 = not exiting.
/// @param hotKey The key the node process signs with.
/// @param collateral Wei of HEU that the node can lose, the part that is unbonding included.
struct Node {
    address owner;
    uint64 registeredAt;
    bool jailed;
    address payout;
    uint64 exitableAt;
    address hotKey;
    uint128 collateral;
}

/// @notice Collateral on its way out; slashable until it is paid.
/// @param amount Wei of HEU; a slash makes it smaller in proportion.
/// @param releasableAt Unix seconds; 0 = nothing is leaving.
struct Unbonding {
    uint128 amount;
    uint64 releasableAt;
}

/// @title INodeRegistry
/// @notice Who may serve jobs, with which key, and what it can lose. Anyone can register.
/// @dev Ids count from 1 and survive a change of the hot key. A hot key serves one node once: retired keys still
/// resolve through `nodeOf`, so that old receipts stay attributable, and can never be registered again.
interface INodeRegistry {
    /* REGISTRATION */

    /// @notice Registers a node for the caller, with `msg.value` wei of HEU as collateral: at least `minCollateral`, or with
    /// the caller's restaked ETH at least that, which then backs the node. Refused to owners that `ISlasher.isBarred`.
    /// @param payout Receives what the node gets of the emission.
    /// @param deadline Unix seconds until which the consent is good.
    /// @param consent `hotKey`'s EIP-712 signature over `NodeConsent(address owner,address hotKey,uint64 deadline)`, so
    /// that nobody can claim another's key. It cannot be replayed: a key is taken once.
    /// @return nodeId The new node's id.
    function register(address hotKey, address payout, uint64 deadline, bytes calldata consent)
        external
        payable
        returns (uint256 nodeId);

    /// @notice Adds `msg.value` wei of HEU to a node's collateral. Anyone may call.
    function addCollateral(uint256 nodeId) external payable;

    /// @notice Replaces the hot key; the new one consents as in `register`. Only the owner.
    function rotateHotKey(uint256 nodeId, address newKey, uint64 deadline, bytes calldata consent) external;

    /// @notice Changes where the node's emission goes. Only the owner.
    function setPayout(uint256 nodeId, address payout) external;

    /* PARTIAL UNBONDING */

    /// @notice Starts to take `amount` wei of HEU out of the collateral; the node works on with the rest, if that covers
    /// it. Only the owner, one at a time, not while the node exits.
    /// @dev What is leaving is slashable until it is paid, and covers nothing any more.
    function requestUnbond(uint256 nodeId, uint128 amount) external;

    /// @notice Puts what is leaving back. Only the owner.
    function cancelUnbond(uint256 nodeId) external;

    /// @notice Pays what is leaving, less what was slashed of it, to `receiver`. Only the owner, after the delay, and under
    /// the conditions of `withdraw`.
    function completeUnbond(uint256 nodeId, address receiver) external returns (uint256 amount);

    /* EXIT */

    /// @notice Takes the node out of service and starts the unbonding delay. Only the owner.
    /// @dev The collateral stays slashable until it is withdrawn.
    function requestExit(uint256 nodeId) external;

    /// @notice Sends the collateral that is left to `receiver` and removes the node. Only the owner, after the delay.
    /// @dev A jailed node waits, at most `Constants.MAX_JAIL_HOLD` beyond the delay; a node with an open dispute until it
    /// ends, and disputes end by timeout.
    function withdraw(uint256 nodeId, address receiver) external;

    /* DISCIPLINE */

    /// @notice Jails or frees a node. Only the jailer. Freeing is always possible; jailing is reversible by design.
    /// @dev While it is jailed, its emission cannot be claimed and settlement pays its owner nothing (ADR 0021).
    function setJailed(uint256 nodeId, bool jailed) external;

    /// @notice Takes up to `amount` wei of the node's collateral and sends it to the caller. Only the slasher.
    /// @return slashed Wei taken: `amount`, or all there was when that is less.
    function slash(uint256 nodeId, uint256 amount) external returns (uint256 slashed);

    /* PARAMETERS (owner only) */

    function setJailer(address jailer) external;
    function setSlasher(address slasher) external;

    /// @notice Wei of HEU asked of nodes from now on; nodes below it are not active until they add the rest.
    function setMinCollateral(uint128 minCollateral) external;

    /// @notice The collateral floor; zero = the minimum collateral alone.
    function setFloor(address floor) external;

    /// @notice The adapter for restaked ETH; zero = HEU alone.
    function setRestake(address restake) external;

    /// @notice Seconds between `requestExit` and `withdraw`, and of unbonding; running ones keep theirs.
    function setUnbondingDelay(uint32 unbondingDelaySeconds) external;

    /* VIEWS */

    /// @notice The node that this key serves or served; 0 when it never served one.
    function nodeOf(address hotKey) external view returns (uint256 nodeId);

    /// @notice Reverts with `NodeRegistry_UnknownNode` for an id that is not there.
    function getNode(uint256 nodeId) external view returns (Node memory);

    /// @notice What is on its way out of the node's collateral.
    function unbondingOf(uint256 nodeId) external view returns (Unbonding memory);

    /// @notice Wei of HEU of the node's collateral that is not leaving. Reverts for an unknown node.
    function bondedOf(uint256 nodeId) external view returns (uint256);

    /// @notice Both sides of the node's floor; without a floor contract, the minimum and the bonded HEU. Reverts for an
    /// unknown node.
    function coverageOf(uint256 nodeId) external view returns (Coverage memory);

    /// @notice Whether jobs may be routed to this key now: current key, not jailed, not exiting, covered.
    function isActive(address hotKey) external view returns (bool);

    /// @notice How many nodes of this owner are jailed now. Settlement pays the account only when there is none.
    /// @dev Only who registered a node is its owner, so nobody can be frozen by what others register. A jailed node that
    /// leaves, at most `Constants.MAX_JAIL_HOLD` after its exit was due, no longer counts.
    function jailedNodesOf(address owner) external view returns (uint256);

    /// @notice Nodes ever registered; ids are 1 to this.
    function nodeCount() external view returns (uint256);

    /// @notice Wei of HEU held for all nodes together.
    function totalCollateral() external view returns (uint256);

    function jailer() external view returns (address);
    function slasher() external view returns (address);
    function floor() external view returns (address);
    function restake() external view returns (address);
    function minCollateral() external view returns (uint128);
    function unbondingDelaySeconds() external view returns (uint32);
}
