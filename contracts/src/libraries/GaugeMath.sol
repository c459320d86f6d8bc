// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Constants} from "./Constants.sol";

/// @title GaugeMath
/// @notice What votes are worth: the share of an id, a node's multiplier, a pod's replica ceiling. All rounded down.
library GaugeMath {
    /// @dev Share of the votes (WAD), against at least `quorumWeight`; none when nobody voted.
    function shareWadDown(uint256 weight, uint256 totalWeight, uint256 quorumWeight) internal pure returns (uint256) {
        uint256 whole = Math.max(totalWeight, quorumWeight);
        return whole == 0 ? 0 : Math.mulDiv(weight, Constants.WAD, whole);
    }

    /// @dev 1.0 + 1.5 * share / saturation, at most 2.5 (WAD, ADR 0011).
    function multiplierWadDown(uint256 shareWad, uint256 saturationBps) internal pure returns (uint256) {
        uint256 room = Constants.MAX_MULTIPLIER_WAD - Constants.MIN_MULTIPLIER_WAD;
        return Constants.MIN_MULTIPLIER_WAD
            + Math.min(room, Math.mulDiv(room, shareWad * Constants.BPS, saturationBps * Constants.WAD));
    }

    /// @dev max(guaranteed, share * slots * factor), in whole replicas.
    function replicaCeilingDown(uint256 shareWad, uint256 networkSlots, uint256 factorBps, uint256 guaranteedReplicas)
        internal
        pure
        returns (uint256)
    {
        return
            Math.max(guaranteedReplicas, Math.mulDiv(networkSlots, shareWad * factorBps, Constants.WAD * Constants.BPS));
    }

    /// @dev A voter's part of a pot. Rounded down, so that all parts together never exceed it.
    function voterPartDown(uint256 pot, uint256 voterWeight, uint256 weight) internal pure returns (uint256) {
        return weight == 0 ? 0 : Math.mulDiv(pot, voterWeight, weight);
    }
}
