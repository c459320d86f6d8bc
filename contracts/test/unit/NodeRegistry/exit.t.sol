// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";
import {NodeFixture} from "./NodeFixture.sol";

contract ExitTest is NodeFixture {
    address private jailer;
    address private slasher;
    uint256 private nodeId;

    function setUp() public override {
        super.setUp();
        jailer = makeAddr("jailer");
        slasher = makeAddr("slasher");
        vm.startPrank(owner);
        nodes.setJailer(jailer);
        nodes.setSlasher(slasher);
        vm.stopPrank();
        nodeId = registerNode("hot", nodeOwner);
    }

    /* EXIT */

    function test_RequestTakesTheNodeOutOfService() public {
        uint64 exitableAt = uint64(block.timestamp + UNBONDING);

        vm.expectEmit();
        emit Events.ExitRequested(nodeId, exitableAt);
        requestExit();

        assertFalse(nodes.isActive(hotKey), "inactive");
        assertEq(nodes.getNode(nodeId).exitableAt, exitableAt, "time");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "still there");
    }

    function test_RevertWhen_ExitIsRequestedTwice() public {
        requestExit();
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_AlreadyExiting.selector, nodeId));
        requestExit();
    }

    function test_RevertWhen_WithdrawnWithoutRequest() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotExiting.selector, nodeId));
        withdraw(nodeOwner);
    }

    function test_RevertWhen_StillUnbonding() public {
        requestExit();
        uint64 exitableAt = uint64(block.timestamp + UNBONDING);
        vm.warp(exitableAt - 1);

        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_StillUnbonding.selector, nodeId, exitableAt));
        withdraw(nodeOwner);
    }

    function test_ALaterDelayDoesNotTouchARunningExit() public {
        requestExit();
        vm.prank(owner);
        nodes.setUnbondingDelay(60 days);
        vm.warp(block.timestamp + UNBONDING);

        withdraw(nodeOwner);
        assertEq(nodeOwner.balance, MIN_COLLATERAL, "paid");
    }

    function test_WithdrawPaysAndRemovesTheNode() public {
        requestExit();
        vm.warp(block.timestamp + UNBONDING);

        vm.expectEmit();
        emit Events.CollateralWithdrawn(nodeId, stranger, MIN_COLLATERAL);
        withdraw(stranger);

        assertEq(stranger.balance, MIN_COLLATERAL, "paid");
        assertEq(nodes.totalCollateral(), 0, "total");
        assertEq(nodes.nodeOf(hotKey), nodeId, "the key stays taken");
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeId));
        nodes.getNode(nodeId);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeId));
        withdraw(stranger);
    }

    function test_RevertWhen_ReceiverRefuses() public {
        address receiver = address(new RevertingReceiver());
        requestExit();
        vm.warp(block.timestamp + UNBONDING);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, receiver));
        withdraw(receiver);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "nothing lost");
    }

    function test_ReentryFindsNothing() public {
        Reentrant thief = new Reentrant();
        vm.deal(address(thief), MIN_COLLATERAL);
        uint256 thiefId = 2;
        bytes memory consent = consentOf("thief", address(thief));
        address key = makeAddr("thief");
        vm.prank(address(thief));
        nodes.register{value: MIN_COLLATERAL}(key, payout, deadline, consent);
        thief.run(address(nodes), abi.encodeCall(nodes.requestExit, (thiefId)));
        vm.warp(block.timestamp + UNBONDING);
        bytes memory again = abi.encodeCall(nodes.withdraw, (thiefId, address(thief)));
        thief.arm(address(nodes), again);

        assertTrue(thief.run(address(nodes), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, MIN_COLLATERAL, "only its own");
    }

    /* JAIL */

    function test_JailingIsReversible() public {
        vm.expectEmit();
        emit Events.NodeJailed(nodeId);
        jail(true);
        assertFalse(nodes.isActive(hotKey), "jailed");

        vm.expectEmit();
        emit Events.NodeUnjailed(nodeId);
        jail(false);
        assertTrue(nodes.isActive(hotKey), "free");
    }

    function test_RevertWhen_JailedByAnybodyElse() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotJailer.selector, owner));
        vm.prank(owner);
        nodes.setJailed(nodeId, true);
    }

    function test_RevertWhen_JailingAnUnknownNode() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 9));
        vm.prank(jailer);
        nodes.setJailed(9, true);
    }

    function test_RevertWhen_AJailedNodeWithdraws() public {
        requestExit();
        jail(true);
        uint64 exitableAt = nodes.getNode(nodeId).exitableAt;
        uint64 heldUntil = exitableAt + 30 days;

        vm.warp(heldUntil - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_Jailed.selector, nodeId, heldUntil));
        withdraw(nodeOwner);

        // A lost jailer key cannot hold the collateral for ever.
        vm.warp(heldUntil);
        withdraw(nodeOwner);
        assertEq(nodeOwner.balance, MIN_COLLATERAL, "paid");
    }

    /* SLASH */

    function testFuzz_SlashTakesAtMostTheCollateral(uint256 amount) public {
        uint256 expected = amount < MIN_COLLATERAL ? amount : MIN_COLLATERAL;

        vm.expectEmit();
        emit Events.NodeSlashed(nodeId, expected, MIN_COLLATERAL - expected);
        vm.prank(slasher);
        uint256 slashed = nodes.slash(nodeId, amount);

        assertEq(slashed, expected, "slashed (C4)");
        assertEq(slasher.balance, expected, "to the slasher");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL - expected, "left");
        assertEq(nodes.totalCollateral(), MIN_COLLATERAL - expected, "total");
    }

    function test_UnbondingCollateralIsSlashable() public {
        requestExit();
        vm.warp(block.timestamp + UNBONDING);
        vm.prank(slasher);
        nodes.slash(nodeId, MIN_COLLATERAL / 2);
        withdraw(nodeOwner);

        assertEq(nodeOwner.balance, MIN_COLLATERAL / 2, "what is left");
    }

    function test_ASlashedNodeBelowTheMinimumIsIdle() public {
        vm.prank(slasher);
        nodes.slash(nodeId, 1);

        assertFalse(nodes.isActive(hotKey), "idle");
    }

    function test_RevertWhen_SlashedByAnybodyElse() public {
        address[2] memory callers = [owner, jailer];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotSlasher.selector, callers[i]));
            vm.prank(callers[i]);
            nodes.slash(nodeId, 1);
        }
    }

    /* PARAMETERS */

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes[4] memory calls = [
            abi.encodeCall(nodes.setJailer, (stranger)),
            abi.encodeCall(nodes.setSlasher, (stranger)),
            abi.encodeCall(nodes.setMinCollateral, (0)),
            abi.encodeCall(nodes.setUnbondingDelay, (1 days))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(nodes).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger)),
                vm.toString(i)
            );
        }
    }

    function testFuzz_RevertWhen_MinimumIsOutOfBounds(uint128 minimum) public {
        vm.assume(minimum > 1_000_000e18);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, minimum, 0, 1_000_000e18));
        vm.prank(owner);
        nodes.setMinCollateral(minimum);
    }

    function testFuzz_RevertWhen_DelayIsOutOfBounds(uint32 delaySeconds) public {
        vm.assume(delaySeconds < 1 minutes || delaySeconds > 60 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, delaySeconds, 1 minutes, 60 days));
        vm.prank(owner);
        nodes.setUnbondingDelay(delaySeconds);
    }

    /* HELPERS */

    function requestExit() private {
        vm.prank(nodeOwner);
        nodes.requestExit(nodeId);
    }

    function withdraw(address receiver) private {
        vm.prank(nodeOwner);
        nodes.withdraw(nodeId, receiver);
    }

    function jail(bool jailed) private {
        vm.prank(jailer);
        nodes.setJailed(nodeId, jailed);
    }
}
