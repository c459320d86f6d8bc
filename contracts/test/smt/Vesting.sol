// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../src/libraries/Constants.sol";
import {VestingMath, VestingSchedule} from "../../src/libraries/VestingMath.sol";

/// @notice Properties of `VestingMath`, for every schedule and any time up to 2^64 seconds.
contract VestingProperties {
    function _assume(VestingSchedule memory schedule) private pure {
        require(schedule.startBps <= Constants.BPS);
    }

    /// @notice Never more vests than was allocated.
    function vestedIsAtMostTheTotal(VestingSchedule memory schedule, uint256 elapsed) external pure {
        _assume(schedule);
        require(elapsed < 2 ** 64);
        assert(VestingMath.vestedDown(schedule, elapsed) <= schedule.total);
    }

    /// @notice What has vested never falls with time.
    function vestedNeverFalls(VestingSchedule memory schedule, uint256 earlier, uint256 later) external pure {
        _assume(schedule);
        require(earlier <= later && later < 2 ** 64);
        assert(VestingMath.vestedDown(schedule, earlier) <= VestingMath.vestedDown(schedule, later));
    }

    /// @notice All has vested after cliff and vesting time.
    function allVestsAtTheEnd(VestingSchedule memory schedule, uint256 elapsed) external pure {
        _assume(schedule);
        require(elapsed < 2 ** 64 && elapsed >= uint256(schedule.cliffSeconds) + schedule.vestSeconds);
        assert(VestingMath.vestedDown(schedule, elapsed) == schedule.total);
    }
}
