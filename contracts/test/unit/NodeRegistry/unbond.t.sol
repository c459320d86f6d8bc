// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Reentrant} from "../../utils/Receivers.sol";
import {DisputeSwitch} from "./DisputeSwitch.sol";
import {NodeFixture} from "./NodeFixture.sol";

contract UnbondTest is NodeFixture {
    uint128 private constant SURPLUS = 60e18;

    DisputeSwitch private disputes;
    uint256 private nodeId;

    function setUp() public override {
        super.setUp();
        disputes = new DisputeSwitch();
        vm.startPrank(owner);
        nodes.setJailer(address(disputes));
        nodes.setSlasher(address(disputes));
        vm.stopPrank();
        nodeId = registerNode("hot", nodeOwner);
        vm.deal(address(this), SURPLUS);
        nodes.addCollateral{value: SURPLUS}(nodeId);
    }

    /* REQUEST */

    function test_UnbondingStaysAndCoversNothing() public {
        uint64 releasableAt = uint64(block.timestamp + UNBONDING);

        vm.expectEmit();
        emit Events.UnbondRequested(nodeId, SURPLUS, releasableAt);
        requestUnbond(SURPLUS);

        assertEq(nodes.unbondingOf(nodeId).amount, SURPLUS, "amount");
        assertEq(nodes.unbondingOf(nodeId).releasableAt, releasableAt, "time");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL + SURPLUS, "still there");
        assertEq(nodes.bondedOf(nodeId), MIN_COLLATERAL, "counts no more");
        assertEq(nodes.coverageOf(nodeId).bonded, MIN_COLLATERAL, "coverage");
        assertTrue(nodes.isActive(hotKey), "the rest is enough");
    }

    function test_UnbondingBelowTheMinimumIdlesTheNode() public {
        requestUnbond(SURPLUS + 1);
        assertFalse(nodes.isActive(hotKey), "idle");
        assertFalse(nodes.coverageOf(nodeId).covered, "not covered");
    }

    function test_RevertWhen_UnbondingTwice() public {
        requestUnbond(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_AlreadyUnbonding.selector, nodeId));
        requestUnbond(1);
    }

    function test_RevertWhen_UnbondingAnExitingNode() public {
        requestExit();
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_AlreadyExiting.selector, nodeId));
        requestUnbond(1);
    }

    function testFuzz_RevertWhen_UnbondingTooMuch(uint128 amount) public {
        uint128 all = MIN_COLLATERAL + SURPLUS;
        if (amount <= all) amount = 0;
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnbondTooMuch.selector, nodeId, amount, all));
        requestUnbond(amount);
    }

    function test_RevertWhen_AStrangerUnbonds() public {
        requestUnbond(1);
        vm.warp(block.timestamp + UNBONDING);
        bytes[3] memory calls = [
            abi.encodeCall(nodes.requestUnbond, (nodeId, 1)),
            abi.encodeCall(nodes.cancelUnbond, (nodeId)),
            abi.encodeCall(nodes.completeUnbond, (nodeId, stranger))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(nodes).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSelector(Errors.NodeRegistry_NotOwner.selector, nodeId, stranger)),
                vm.toString(i)
            );
        }
    }

    /* CANCEL */

    function test_CancelPutsItBack() public {
        requestUnbond(SURPLUS + 1);

        vm.expectEmit();
        emit Events.UnbondCancelled(nodeId, SURPLUS + 1);
        vm.prank(nodeOwner);
        nodes.cancelUnbond(nodeId);

        assertTrue(nodes.isActive(hotKey), "active");
        assertEq(nodes.unbondingOf(nodeId).releasableAt, 0, "none");
        requestUnbond(1);
    }

    function test_RevertWhen_NothingIsUnbonding() public {
        bytes memory none = abi.encodeWithSelector(Errors.NodeRegistry_NotUnbonding.selector, nodeId);
        vm.expectRevert(none);
        vm.prank(nodeOwner);
        nodes.cancelUnbond(nodeId);
        vm.expectRevert(none);
        complete(nodeOwner);
    }

    /* COMPLETE */

    function testFuzz_CompletePaysAndKeepsTheNode(uint128 amount) public {
        uint256 all = MIN_COLLATERAL + SURPLUS;
        amount = uint128(bound(amount, 1, all));
        requestUnbond(amount);
        vm.warp(block.timestamp + UNBONDING);

        vm.expectEmit();
        emit Events.Unbonded(nodeId, stranger, amount, all - amount);
        assertEq(complete(stranger), amount, "returned");

        assertEq(stranger.balance, amount, "paid");
        assertEq(nodes.getNode(nodeId).collateral, all - amount, "rest");
        assertEq(nodes.totalCollateral(), all - amount, "total");
        assertEq(nodes.unbondingOf(nodeId).releasableAt, 0, "done");
        assertTrue(nodes.isActive(hotKey) == (all - amount >= MIN_COLLATERAL), "active");
    }

    function test_RevertWhen_CompletedEarly() public {
        requestUnbond(1);
        uint64 releasableAt = uint64(block.timestamp + UNBONDING);
        vm.warp(releasableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_StillUnbonding.selector, nodeId, releasableAt));
        complete(nodeOwner);
    }

    function test_ALaterDelayDoesNotTouchARunningUnbonding() public {
        requestUnbond(1);
        vm.prank(owner);
        nodes.setUnbondingDelay(60 days);
        vm.warp(block.timestamp + UNBONDING);
        assertEq(complete(nodeOwner), 1, "paid");
    }

    function test_RevertWhen_AJailedNodeCompletes() public {
        requestUnbond(1);
        uint64 heldUntil = nodes.unbondingOf(nodeId).releasableAt + 30 days;
        vm.prank(address(disputes));
        nodes.setJailed(nodeId, true);

        vm.warp(heldUntil - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_Jailed.selector, nodeId, heldUntil));
        complete(nodeOwner);
        vm.warp(heldUntil);
        assertEq(complete(nodeOwner), 1, "paid");
    }

    function test_RevertWhen_CompletedDuringADispute() public {
        requestUnbond(1);
        disputes.setOpen(nodeId, true);
        vm.warp(block.timestamp + 10_000 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_OpenDispute.selector, nodeId));
        complete(nodeOwner);
        disputes.setOpen(nodeId, false);
        assertEq(complete(nodeOwner), 1, "paid");
    }

    function test_ReentryFindsNoSecondUnbonding() public {
        Reentrant thief = new Reentrant();
        vm.deal(address(thief), MIN_COLLATERAL);
        bytes memory consent = consentOf("thief", address(thief));
        address key = makeAddr("thief");
        vm.prank(address(thief));
        uint256 thiefId = nodes.register{value: MIN_COLLATERAL}(key, payout, deadline, consent);
        thief.run(address(nodes), abi.encodeCall(nodes.requestUnbond, (thiefId, MIN_COLLATERAL / 2)));
        vm.warp(block.timestamp + UNBONDING);
        bytes memory again = abi.encodeCall(nodes.completeUnbond, (thiefId, address(thief)));
        thief.arm(address(nodes), again);

        assertTrue(thief.run(address(nodes), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, MIN_COLLATERAL / 2, "only once");
    }

    /* SLASH, EXIT, REGISTER */

    function testFuzz_SlashTakesItsShareOfWhatLeaves(uint128 amount, uint256 slashWei) public {
        uint256 all = MIN_COLLATERAL + SURPLUS;
        amount = uint128(bound(amount, 1, all));
        slashWei = bound(slashWei, 0, 2 * all);
        requestUnbond(amount);

        vm.prank(address(disputes));
        uint256 slashed = nodes.slash(nodeId, slashWei);

        assertEq(slashed, slashWei < all ? slashWei : all, "slashed");
        uint256 leaving = nodes.unbondingOf(nodeId).amount;
        assertEq(leaving, uint256(amount) * (all - slashed) / all, "in proportion");
        assertEq(nodes.bondedOf(nodeId) + leaving, all - slashed, "the rest");
        vm.warp(block.timestamp + UNBONDING);
        assertEq(complete(nodeOwner), leaving, "paid");
    }

    function test_ExitPaysTheUnbondingToo() public {
        requestUnbond(SURPLUS);
        requestExit();
        vm.warp(block.timestamp + UNBONDING);
        vm.prank(nodeOwner);
        nodes.withdraw(nodeId, nodeOwner);

        assertEq(nodeOwner.balance, MIN_COLLATERAL + SURPLUS, "paid");
        assertEq(nodes.unbondingOf(nodeId).amount, 0, "nothing is left to leave");
        assertEq(nodes.totalCollateral(), 0, "total");
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeId));
        complete(nodeOwner);
    }

    function test_RevertWhen_WithdrawnDuringADispute() public {
        requestExit();
        disputes.setOpen(nodeId, true);
        vm.warp(block.timestamp + 10_000 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_OpenDispute.selector, nodeId));
        vm.prank(nodeOwner);
        nodes.withdraw(nodeId, nodeOwner);

        disputes.setOpen(nodeId, false);
        vm.prank(nodeOwner);
        nodes.withdraw(nodeId, nodeOwner);
        assertEq(nodeOwner.balance, MIN_COLLATERAL + SURPLUS, "paid");
    }

    function test_RevertWhen_ABarredOwnerRegisters() public {
        disputes.setBarred(nodeOwner, true);
        bytes memory consent = consentOf("fresh", nodeOwner);
        address key = makeAddr("fresh");
        vm.deal(nodeOwner, MIN_COLLATERAL);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_Barred.selector, nodeOwner));
        vm.prank(nodeOwner);
        nodes.register{value: MIN_COLLATERAL}(key, payout, deadline, consent);

        disputes.setBarred(nodeOwner, false);
        vm.prank(nodeOwner);
        nodes.register{value: MIN_COLLATERAL}(key, payout, deadline, consent);
    }

    /* HELPERS */

    function requestUnbond(uint128 amount) private {
        vm.prank(nodeOwner);
        nodes.requestUnbond(nodeId, amount);
    }

    function complete(address receiver) private returns (uint256) {
        vm.prank(nodeOwner);
        return nodes.completeUnbond(nodeId, receiver);
    }

    function requestExit() private {
        vm.prank(nodeOwner);
        nodes.requestExit(nodeId);
    }
}
