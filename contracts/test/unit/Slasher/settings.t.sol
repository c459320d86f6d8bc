// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Stakes, Windows} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract SettingsTest is SlasherFixture {
    function testFuzz_WindowsAreTakenWholeOrNotAtAll(uint32[6] memory seconds_, uint8 good) public {
        // Each bit brings one of them within its bounds.
        for (uint256 i; i < 6; ++i) {
            if (good & (1 << i) != 0) seconds_[i] = uint32(bound(seconds_[i], i == 5 ? 0 : 1 minutes, 7 days));
        }
        bool fits = seconds_[5] <= 30 days;
        for (uint256 i; i < 5; ++i) {
            if (seconds_[i] < 1 minutes || seconds_[i] > 7 days) fits = false;
        }
        Windows memory asked = Windows(seconds_[0], seconds_[1], seconds_[2], seconds_[3], seconds_[4], seconds_[5]);
        vm.prank(owner);
        (bool success, bytes memory reason) = address(slasher).call(abi.encodeCall(slasher.setWindows, (asked)));

        assertTrue(success == fits, "exactly what fits");
        if (!success) assertEq(bytes32(bytes4(reason)), bytes32(Errors.Shared_OutOfBounds.selector), "why");
        bytes32 expected = keccak256(abi.encode(success ? asked : launchWindows()));
        assertEq(keccak256(abi.encode(slasher.windows())), expected, "all of them, or none");
    }

    function testFuzz_StakesAreTakenWholeOrNotAtAll(uint128[3] memory amounts, uint8 good) public {
        bool fits = true;
        for (uint256 i; i < 3; ++i) {
            if (good & (1 << i) != 0) amounts[i] = uint128(bound(amounts[i], 1, 1_000_000e18));
            if (amounts[i] < 1 || amounts[i] > 1_000_000e18) fits = false;
        }
        Stakes memory asked = Stakes(amounts[0], amounts[1], amounts[2]);
        vm.prank(owner);
        (bool success, bytes memory reason) = address(slasher).call(abi.encodeCall(slasher.setStakes, (asked)));

        assertTrue(success == fits, "exactly what fits");
        if (!success) assertEq(bytes32(bytes4(reason)), bytes32(Errors.Shared_OutOfBounds.selector), "why");
        bytes32 expected = keccak256(abi.encode(success ? asked : launchStakes()));
        assertEq(keccak256(abi.encode(slasher.stakes())), expected, "all of them, or none");
    }

    function testFuzz_ACommitteeIsOddAndWithinItsBounds(uint8 size) public {
        vm.prank(owner);
        (bool success,) = address(slasher).call(abi.encodeCall(slasher.setCommitteeSize, (size)));

        assertTrue(success == (size >= 51 && size <= 101 && size % 2 == 1), "exactly these");
        assertEq(slasher.committeeSize(), success ? size : COMMITTEE, "set, or the same");
    }

    function testFuzz_RevertWhen_AnyoneElseSetsThem(address caller) public {
        vm.assume(caller != owner);
        bytes memory refused = abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        slasher.setWindows(launchWindows());
        vm.expectRevert(refused);
        slasher.setStakes(launchStakes());
        vm.expectRevert(refused);
        slasher.setCommitteeSize(99);
        vm.stopPrank();
    }

    function testFuzz_AnyoneFreesANodeWhenItsTimeIsServed(uint32 later, address caller, bool objective) public {
        uint256 caseId = bring(2, objective ? fault() : claim(LOG_E_SLASH));
        convictUnanswered(caseId);
        uint64 until = slasher.jailedUntil(nodeId);
        vm.warp(block.timestamp + later);
        vm.prank(caller);
        (bool success, bytes memory reason) = address(slasher).call(abi.encodeCall(slasher.free, (nodeId)));

        assertTrue(success == (!objective && later >= JAIL), "served, and not for ever");
        assertTrue(nodes.getNode(nodeId).jailed == !success, "free, or still in jail");
        bytes memory expected = abi.encodeWithSelector(Errors.Slasher_StillJailed.selector, nodeId, until);
        if (!success) assertEq(keccak256(reason), keccak256(expected), "why");
    }
}
