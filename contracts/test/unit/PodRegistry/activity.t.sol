// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Fixture} from "../../utils/Fixture.sol";

contract ActivityTest is Fixture {
    function testFuzz_IsWhatTheDeployerSaysLast(address deployer, bool[4] memory states, address caller) public {
        vm.assume(caller != deployer && deployer != address(0));
        vm.startPrank(deployer);
        bytes32 podId = pods.register("chat", "manifest", 1, 1, 0);
        bytes32 other = pods.register("code", "manifest", 1, 1, 0);
        for (uint256 i; i < states.length; ++i) {
            pods.setActive(podId, states[i]);
            assertTrue(pods.getPod(podId).active == states[i], "as said");
        }
        vm.stopPrank();

        vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_NotDeployer.selector, podId, caller));
        vm.prank(caller);
        pods.setActive(podId, !states[3]);
        assertTrue(pods.getPod(podId).active == states[3], "nobody else's to say");
        assertTrue(pods.getPod(other).active, "one pod alone");
        assertEq(pods.getPod(podId).versionCount, 1, "its versions stay");
    }
}
