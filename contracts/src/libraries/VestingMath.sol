// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "./Constants.sol";

/// @notice How an allocation becomes free.
/// @param total Wei of HEU.
/// @param startBps Free at the start (basis points of `total`, rounded down).
/// @param cliffSeconds Nothing more is free until then, counted from the start.
/// @param vestSeconds From the cliff on the rest becomes free evenly for so long; all at the cliff when it is zero.
struct VestingSchedule {
    uint128 total;
    uint16 startBps;
    uint32 cliffSeconds;
    uint32 vestSeconds;
}

/// @title VestingMath
/// @notice A part at the start, a cliff, then linear. The model is `src/economics/vesting.ts`, tied by a vector.
library VestingMath {
    /// @dev Wei free `elapsed` seconds after the start, rounded down.
    function vestedDown(VestingSchedule memory schedule, uint256 elapsed) internal pure returns (uint256) {
        uint256 atStart = (uint256(schedule.total) * schedule.startBps) / Constants.BPS;
        if (elapsed < schedule.cliffSeconds) return atStart;
        uint256 sinceCliff = elapsed - schedule.cliffSeconds;
        if (sinceCliff >= schedule.vestSeconds) return schedule.total;
        return atStart + ((schedule.total - atStart) * sinceCliff) / schedule.vestSeconds;
    }
}
