// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGauge} from "./IGauge.sol";

/// @title INodeGauge
/// @notice Votes for nodes: a node's share of them sets its emission multiplier (wp §3.2.2, ADR 0011).
interface INodeGauge is IGauge {
    /// @notice The node's emission multiplier in `epoch` (WAD, rounded down): 1.0 without votes, rising in a straight line to 2.5
    /// at `saturationBps` of the votes, and no further.
    function multiplierWad(uint256 nodeId, uint256 epoch) external view returns (uint256 multiplier);

    /// @notice Share of the votes (basis points) from which the multiplier is 2.5. Owner only, inside `Constants`'
    /// bounds, from the next epoch.
    function setSaturationBps(uint16 saturationBps) external;

    /// @notice The saturation of `epoch`; see `setSaturationBps`.
    function saturationBpsAt(uint256 epoch) external view returns (uint256 saturationBps);
}
