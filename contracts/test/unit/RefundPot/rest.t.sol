// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {IOwnedRefunds} from "../../utils/Interfaces.sol";
import {Test} from "../../utils/Test.sol";

contract RestTest is Test {
    IOwnedRefunds private refunds;
    address private burn;
    address private alice = makeAddr("alice");

    function setUp() public {
        vm.warp(1_800_000_000);
        burn = deploy("HeuBurn", "");
        refunds = IOwnedRefunds(deploy("RefundPot", abi.encode(address(this), burn)));
        refunds.setSlasher(address(this));
    }

    function testFuzz_WhatIsNotClaimedIsBurnedAfterAYear(uint96 funded, uint96 due, uint32 later, address caller)
        public
    {
        funded = uint96(bound(funded, 1, type(uint96).max));
        due = uint96(bound(due, 0, funded));
        // The last second of the year, and the one after it.
        if (later % 2 == 0) later = 365 days - 1 + later / 2 % 2;
        fund(7, funded);
        fund(8, 5);
        // A list of one: its leaf is the root.
        refunds.setRoot(7, keccak256(bytes.concat(keccak256(abi.encode(alice, uint256(due))))));
        refunds.claim(7, alice, due, new bytes32[](0));
        vm.warp(block.timestamp + later);
        vm.prank(caller);
        (bool success,) = address(refunds).call(abi.encodeCall(refunds.burnRest, (7)));

        assertTrue(success == (later >= 365 days && due < funded), "after a year, when something is left");
        assertEq(burn.balance, success ? funded - due : 0, "burned");
        assertEq(alice.balance, due, "paid");
        assertEq(address(refunds).balance, success ? 5 : 5 + uint256(funded) - due, "the other case stays");
    }

    function testFuzz_RevertWhen_NoRootWasSet(uint256 caseId, uint96 amount, uint64 later) public {
        fund(caseId, amount);
        vm.warp(block.timestamp + later);
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_NothingThere.selector, caseId));
        refunds.burnRest(caseId);
    }

    function fund(uint256 caseId, uint256 amount) private {
        vm.deal(address(this), amount);
        refunds.fund{value: amount}(caseId);
    }
}
