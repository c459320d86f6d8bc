// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SecurityParameters} from "../../src/libraries/SecurityModel.sol";

/// @notice The launch parameters of the collateral floor.
library LaunchParameters {
    /// @dev A chat request of 500 tokens: reward 0.001 HEU, honest cost 60 % of it, faking it 15 %, four times as fast; a
    /// wrong answer is worth two rewards elsewhere; three audits decide, one request in twenty is audited, 600 more are
    /// served before the jail; a first offence costs 10 %; HEU may lose 30 %; names are free.
    function security() internal pure returns (SecurityParameters memory) {
        return SecurityParameters({
            rewardWei: 0.001e18,
            honestCostWei: 0.0006e18,
            cheatCostWei: 0.00015e18,
            outsideGainWei: 0.002e18,
            identityCostWei: 0,
            speedupWad: 4e18,
            discountWad: 0.99e18,
            auditsToDetect: 3,
            latencyTasks: 600,
            auditShareBps: 500,
            slashBps: 1000,
            heuHaircutBps: 3000
        });
    }
}
