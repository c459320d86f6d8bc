// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {IGuardedPause} from "../../../src/interfaces/IGuardedPause.sol";
import {OwnedFixture} from "../../utils/OwnedFixture.sol";

/// @notice The contracts with a guardian; the mixin itself is tested in `GuardedPause`.
contract PauseTest is OwnedFixture {
    function testFuzz_TheGuardianPausesForABoundedTime(uint256 which, address guardian, uint48 later) public {
        vm.assume(guardian != owner);
        IGuardedPause target = appoint(which, guardian);
        later = uint48(bound(later, 0, Constants.GUARDIAN_TERM - 1));
        vm.warp(block.timestamp + later);
        vm.prank(guardian);
        target.pause();

        assertTrue(target.paused(), "paused");
        assertEq(target.pausedUntil(), block.timestamp + Constants.PAUSE_SECONDS, "until");
        vm.warp(target.pausedUntil());
        assertFalse(target.paused(), "ended by itself");
    }

    function testFuzz_TheOwnerEndsAPause(uint256 which, address guardian, uint48 later, bool byOwner) public {
        IGuardedPause target = appoint(which, guardian);
        vm.prank(guardian);
        target.pause();
        vm.warp(block.timestamp + bound(later, 0, Constants.PAUSE_SECONDS - 1));
        vm.prank(byOwner ? owner : guardian);
        target.unpause();

        assertFalse(target.paused(), "ended");
        uint256 next = block.timestamp + Constants.PAUSE_COOLDOWN;
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_TooSoon.selector, next));
        vm.prank(guardian);
        target.pause();
    }

    function testFuzz_RevertWhen_AStrangerPausesOrUnpauses(uint256 which, address guardian, address caller) public {
        vm.assume(caller != guardian && caller != owner);
        IGuardedPause target = appoint(which, guardian);
        bytes memory refused = abi.encodeWithSelector(Errors.GuardedPause_NotGuardian.selector, caller);
        vm.expectRevert(refused);
        vm.prank(caller);
        target.pause();
        vm.prank(guardian);
        target.pause();
        vm.expectRevert(refused);
        vm.prank(caller);
        target.unpause();

        assertTrue(target.paused(), "still");
    }

    function appoint(uint256 which, address guardian) private returns (IGuardedPause target) {
        target = [IGuardedPause(address(vault)), settlement, staked, IGuardedPause(buyback)][which % 4];
        vm.prank(owner);
        target.setGuardian(guardian);
    }
}
