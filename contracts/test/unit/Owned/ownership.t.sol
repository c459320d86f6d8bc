// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {OwnedFixture} from "../../utils/OwnedFixture.sol";

/// @notice Every contract that has an owner; which one is drawn with the rest.
contract OwnershipTest is OwnedFixture {
    function testFuzz_MovesInTwoSteps(uint256 which, address next, address other) public {
        vm.assume(next != owner && other != next);
        IOwnable2Step target = pick(which);
        vm.prank(owner);
        target.transferOwnership(next);
        assertEq(target.owner(), owner, "not yet");
        assertEq(target.pendingOwner(), next, "offered");

        expectUnauthorized(other);
        vm.prank(other);
        target.acceptOwnership();
        vm.prank(next);
        target.acceptOwnership();
        assertEq(target.owner(), next, "taken");
        assertEq(target.pendingOwner(), address(0), "once");
        expectUnauthorized(owner);
        vm.prank(owner);
        target.transferOwnership(owner);
    }

    function testFuzz_RevertWhen_AnyoneElseMovesIt(uint256 which, address caller, address next) public {
        vm.assume(caller != owner);
        IOwnable2Step target = pick(which);
        vm.startPrank(caller);
        expectUnauthorized(caller);
        target.transferOwnership(next);
        expectUnauthorized(caller);
        target.renounceOwnership();
        vm.stopPrank();

        assertEq(target.owner(), owner, "the same");
        assertEq(target.pendingOwner(), address(0), "nobody is offered it");
    }

    function testFuzz_RenouncingLeavesItToNobody(uint256 which, address next) public {
        vm.assume(next != address(0));
        IOwnable2Step target = pick(which);
        vm.startPrank(owner);
        target.transferOwnership(next);
        target.renounceOwnership();
        expectUnauthorized(owner);
        target.transferOwnership(owner);
        vm.stopPrank();

        assertEq(target.owner(), address(0), "nobody");
        expectUnauthorized(next);
        vm.prank(next);
        target.acceptOwnership();
    }

    function pick(uint256 which) private view returns (IOwnable2Step) {
        return owned[which % owned.length];
    }

    function expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller));
    }
}
