// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "../utils/Test.sol";

/// @notice Fails on purpose. It runs only in the `canary` profile, where the runner demands a red result: a green run of
/// the other tests then means something.
contract ForgeCanaryTest is Test {
    function test_Canary() public pure {
        assertEq(uint256(1), uint256(2), "the canary must fail");
    }
}
