// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Reentrant} from "../../utils/Receivers.sol";
import {IOwnedRefunds} from "../../utils/Interfaces.sol";
import {Test} from "../../utils/Test.sol";

contract RefundPotTest is Test {
    IOwnedRefunds private refunds;
    address private owner;
    address private slasher;
    address private burn;
    address private alice;
    address private bob;

    function setUp() public {
        vm.warp(1_800_000_000);
        owner = makeAddr("owner");
        slasher = makeAddr("slasher");
        (alice, bob) = (makeAddr("alice"), makeAddr("bob"));
        burn = deploy("HeuBurn", "");
        refunds = IOwnedRefunds(deploy("RefundPot", abi.encode(owner, burn)));
        vm.prank(owner);
        refunds.setSlasher(slasher);
        fund(7, 100);
    }

    function test_RevertWhen_AStrangerFunds() public {
        vm.deal(owner, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_NotSlasher.selector, owner));
        vm.prank(owner);
        refunds.fund{value: 1}(7);
        (uint256 amount,,) = refunds.potOf(7);
        assertEq(amount, 100, "funded");
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", slasher));
        vm.prank(slasher);
        refunds.setSlasher(owner);
    }

    function test_RevertWhen_TheRootIsNotWelcome() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", slasher));
        vm.prank(slasher);
        refunds.setRoot(7, bytes32(uint256(1)));
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_NothingThere.selector, 8));
        refunds.setRoot(8, bytes32(uint256(1)));
        refunds.setRoot(7, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_RootAlreadySet.selector, 7));
        refunds.setRoot(7, bytes32(uint256(2)));
        vm.stopPrank();
    }

    function test_PaysTheCheatedOnce() public {
        setRoot(60, 40);
        refunds.claim(7, alice, 60, proofWith(bob, 40));
        refunds.claim(7, bob, 40, proofWith(alice, 60));
        assertEq(alice.balance, 60, "alice");
        assertEq(bob.balance, 40, "bob");
        assertTrue(refunds.claimed(7, alice), "claimed");
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_AlreadyClaimed.selector, 7, alice));
        refunds.claim(7, alice, 60, proofWith(bob, 40));
    }

    function testFuzz_RevertWhen_TheProofIsWrong(uint256 amount, address account, uint8 caseId) public {
        setRoot(60, 40);
        fund(caseId, 1000);
        if (caseId == 7 && account == alice && amount == 60) return;
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_BadProof.selector, caseId, account));
        refunds.claim(caseId, account, amount, proofWith(bob, 40));
    }

    function test_RevertWhen_ThePotIsEmpty() public {
        setRoot(90, 40);
        refunds.claim(7, alice, 90, proofWith(bob, 40));
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_Exhausted.selector, 7, 10, 40));
        refunds.claim(7, bob, 40, proofWith(alice, 90));
    }

    function test_ReentryIsPaidOnce() public {
        Reentrant thief = new Reentrant();
        alice = address(thief);
        setRoot(40, 40);
        bytes memory again = abi.encodeCall(refunds.claim, (7, alice, 40, proofWith(bob, 40)));
        thief.arm(address(refunds), again);
        assertTrue(thief.run(address(refunds), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(alice.balance, 40, "once");
    }

    function test_BurnsTheRestAfterAYear() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_NothingThere.selector, 7));
        refunds.burnRest(7);
        setRoot(60, 40);
        (,, uint64 until) = refunds.potOf(7);
        assertEq(until, block.timestamp + 365 days, "a year");
        refunds.claim(7, alice, 60, proofWith(bob, 40));
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_StillOpen.selector, 7, until));
        refunds.burnRest(7);
        vm.warp(until);
        refunds.burnRest(7);
        assertEq(burn.balance, 40, "burned");
        vm.expectRevert(abi.encodeWithSelector(Errors.RefundPot_NothingThere.selector, 7));
        refunds.burnRest(7);
    }

    /* HELPERS */

    function fund(uint256 caseId, uint256 amount) private {
        vm.deal(slasher, amount);
        vm.prank(slasher);
        refunds.fund{value: amount}(caseId);
    }

    function leaf(address account, uint256 amount) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account, amount))));
    }

    function setRoot(uint256 forAlice, uint256 forBob) private {
        (bytes32 a, bytes32 b) = (leaf(alice, forAlice), leaf(bob, forBob));
        bytes32 root = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        vm.prank(owner);
        refunds.setRoot(7, root);
    }

    function proofWith(address other, uint256 amount) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = leaf(other, amount);
    }
}
