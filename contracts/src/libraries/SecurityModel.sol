// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Constants} from "./Constants.sol";

/// @notice What Appendix A knows about one task of a pod class, with the terms that it lacks. Money is wei of HEU.
/// @param rewardWei R: what a task pays a node, emission included.
/// @param honestCostWei C_h: what doing the task costs. `rewardWei >= honestCostWei >= cheatCostWei`.
/// @param cheatCostWei C_m: what faking it costs.
/// @param outsideGainWei B: most that a wrong result can bring in elsewhere.
/// @param identityCostWei K: cost of a fresh identity; 0 where anyone can register again.
/// @param speedupWad s: how much faster a cheat is than an honest node (WAD, at least one).
/// @param discountWad delta: patience (WAD, below one).
/// @param auditsToDetect n_aud: audited requests until the evidence is decisive.
/// @param latencyTasks L: tasks served between the decisive audit and the stop.
/// @param auditShareBps a: share of requests that is audited (basis points).
/// @param slashBps F: share of the collateral that a first offence costs (basis points).
/// @param heuHaircutBps How far the price of HEU falls when the fraud is public (basis points).
struct SecurityParameters {
    uint96 rewardWei;
    uint96 honestCostWei;
    uint96 cheatCostWei;
    uint96 outsideGainWei;
    uint96 identityCostWei;
    uint64 speedupWad;
    uint64 discountWad;
    uint32 auditsToDetect;
    uint32 latencyTasks;
    uint16 auditShareBps;
    uint16 slashBps;
    uint16 heuHaircutBps;
}

/// @title SecurityModel
/// @notice The condition under which cheating does not pay, wp Appendix A corrected:
///
///   F S + escrow + min(delta V_h, K) >= (g + B) (n_det + L)
///
/// with g = (C_h - C_m) + (1 - 1/s)(R - C_h), n_det = n_aud / a and V_h = (R - C_h) / (1 - delta).
/// @dev The paper's A.6 "simplifies" sum(delta^t E_h) > sum(delta^t E_m) to E_h / (1 - delta) > E_m. That is an algebra
/// slip: both sides carry the factor 1 / (1 - delta), so what is left is E_h > E_m, which is A.4 again. As printed, a
/// perpetuity is compared with one payoff, and for patient nodes it holds with no stake at all (R = 1, C_h = 0.6,
/// C_m = 0.2, P = 1 %, delta = 0.9, S = 0: printed 4 > 0.8, although cheating is worth 7.34 and honesty 4). The
/// repeated game enters here as the lost future of a caught node, min(delta V_h, K): capped by K, because a permissionless
/// node comes back under a new name. A.4 itself lacks the tasks that are served before detection (n_det + L), the
/// outside gain B and the speed of a cheat (s).
/// @dev What is asked for is rounded up, what is counted in the node's favour down.
/// Assumes parameters inside the bounds of `Constants` (every product below then fits 256 bits).
library SecurityModel {
    /// @notice g: what a cheat gains on one task (wei of HEU).
    function gainUp(SecurityParameters memory p) internal pure returns (uint256) {
        uint256 profit = p.rewardWei - p.honestCostWei;
        uint256 extraTasks = Math.ceilDiv(profit * (p.speedupWad - Constants.WAD), p.speedupWad);
        return p.honestCostWei - p.cheatCostWei + extraTasks;
    }

    /// @notice n_det: cheated tasks until the decisive audit.
    function tasksToDetectUp(SecurityParameters memory p) internal pure returns (uint256) {
        return Math.ceilDiv(p.auditsToDetect * Constants.BPS, p.auditShareBps);
    }

    /// @notice (g + B) (n_det + L): what a cheat gains before it is stopped (wei of HEU).
    function exposureUp(SecurityParameters memory p) internal pure returns (uint256) {
        return (gainUp(p) + p.outsideGainWei) * (tasksToDetectUp(p) + p.latencyTasks);
    }

    /// @notice min(delta V_h, K): the future that a caught node loses (wei of HEU).
    function lostFutureDown(SecurityParameters memory p) internal pure returns (uint256) {
        uint256 profit = p.rewardWei - p.honestCostWei;
        uint256 future = profit * p.discountWad / (Constants.WAD - p.discountWad);
        return Math.min(future, p.identityCostWei);
    }

    /// @notice S: the least collateral, at a stable price, that makes the condition hold (wei of HEU).
    /// @param escrowWei Payouts of the node that a slash can still take.
    function requiredUp(SecurityParameters memory p, uint256 escrowWei) internal pure returns (uint256) {
        uint256 uncovered = Math.saturatingSub(exposureUp(p), Math.saturatingAdd(escrowWei, lostFutureDown(p)));
        return Math.ceilDiv(uncovered * Constants.BPS, p.slashBps);
    }

    /// @notice The same in HEU that loses `heuHaircutBps` of its price (wei of HEU).
    function floorUp(SecurityParameters memory p, uint256 escrowWei) internal pure returns (uint256) {
        return Math.ceilDiv(requiredUp(p, escrowWei) * Constants.BPS, Constants.BPS - p.heuHaircutBps);
    }
}
