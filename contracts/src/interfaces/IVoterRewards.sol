// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GaugeKind} from "./IGauge.sol";

/// @title IVoterRewards
/// @notice Pays voters: the tips of the nodes they vote for, and 2 % of the revenue of the pods they vote for (wp §3.2.2,
/// §3.2.4). A pot is named by (kind, id, epoch, asset); a voter's part of it is its part of the id's weight in that epoch.
///
/// Assets are named by token address as in the vault: `wrappedHeu` for HEU, held and paid out as the native coin; `usd`.
///
/// @dev Rounded down: the parts of a pot never exceed it, and claims never exceed what was paid in. A pot may grow after
/// it was claimed from; what was paid counts against the larger part. Dust (under one unit a voter) stays.
/// @dev Nobody owns this contract; it has no parameter.
interface IVoterRewards {
    /* PAYING IN */

    /// @notice Adds `msg.value` wei of HEU to a pot. Anyone may call: nodes' tips come here, and so may anybody's.
    /// @param epoch The next epoch at the latest. An epoch that has begun and where nobody voted for `id` has nobody to
    /// pay: the amount goes to the next epoch from now.
    /// @return bookedEpoch Where it went.
    function fund(GaugeKind kind, bytes32 id, uint256 epoch) external payable returns (uint256 bookedEpoch);

    /// @notice Takes what settlement holds for the voters of `podId` and books it for the present epoch, or for the next
    /// when nobody votes for the pod in this one. Anyone may call.
    /// @return amount Asset units received.
    function collect(bytes32 podId, address asset) external returns (uint256 amount);

    /// @notice Moves a pot of an epoch that has begun and where nobody voted for `id` to the next epoch from now. Anyone
    /// may call.
    /// @return bookedEpoch Where it went.
    function rollForward(GaugeKind kind, bytes32 id, uint256 epoch, address asset)
        external
        returns (uint256 bookedEpoch);

    /* CLAIMING */

    /// @notice Pays the caller its parts of the pots of `epochs`, each of which must have begun. Repeating an epoch, or
    /// claiming again, pays nothing twice.
    /// @return amount Asset units paid; reverts with `VoterRewards_NothingToClaim` instead of paying zero.
    function claim(GaugeKind kind, bytes32 id, uint256[] calldata epochs, address asset)
        external
        returns (uint256 amount);

    /* VIEWS */

    /// @notice Asset units that `voter` could claim of one pot now.
    function claimableOf(GaugeKind kind, bytes32 id, uint256 epoch, address asset, address voter)
        external
        view
        returns (uint256 amount);

    /// @notice Asset units in a pot, what was claimed of it included.
    function potOf(GaugeKind kind, bytes32 id, uint256 epoch, address asset) external view returns (uint256 amount);

    /// @notice Asset units of all pots together that nobody has claimed yet.
    function heldOf(address asset) external view returns (uint256 amount);

    function gaugeOf(GaugeKind kind) external view returns (address);
    function settlement() external view returns (address);
    function wrappedHeu() external view returns (address);
    function usd() external view returns (address);
    function epochGenesis() external view returns (uint256);
}
