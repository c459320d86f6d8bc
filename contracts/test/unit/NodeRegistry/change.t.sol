// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {NodeFixture} from "./NodeFixture.sol";

contract ChangeTest is NodeFixture {
    uint256 private nodeId;

    function setUp() public override {
        super.setUp();
        nodeId = registerNode("hot", nodeOwner);
    }

    function testFuzz_ThePayoutIsWhatTheOwnerSays(address first, address second) public {
        vm.assume(first != address(0) && second != address(0));
        vm.startPrank(nodeOwner);
        nodes.setPayout(nodeId, first);
        nodes.setPayout(nodeId, second);
        vm.stopPrank();

        assertEq(nodes.getNode(nodeId).payout, second, "payout");
        assertEq(nodes.getNode(nodeId).owner, nodeOwner, "nothing else");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "and no collateral");
    }

    function testFuzz_CancellingAnUnbondingMovesNothing(uint128 amount, uint32 later) public {
        amount = uint128(bound(amount, 1, MIN_COLLATERAL));
        vm.startPrank(nodeOwner);
        nodes.requestUnbond(nodeId, amount);
        assertEq(nodes.bondedOf(nodeId), MIN_COLLATERAL - amount, "counts less");
        vm.warp(block.timestamp + later);
        nodes.cancelUnbond(nodeId);

        assertEq(nodes.bondedOf(nodeId), MIN_COLLATERAL, "counts again");
        assertEq(nodes.totalCollateral(), MIN_COLLATERAL, "all there");
        assertEq(nodeOwner.balance, 0, "nothing paid");
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotUnbonding.selector, nodeId));
        nodes.completeUnbond(nodeId, nodeOwner);
        vm.stopPrank();
    }

    function testFuzz_RevertWhen_AnyoneElseCalls(address caller, address value) public {
        vm.assume(caller != nodeOwner);
        vm.prank(nodeOwner);
        nodes.requestUnbond(nodeId, 1);
        bytes memory refused = abi.encodeWithSelector(Errors.NodeRegistry_NotOwner.selector, nodeId, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        nodes.setPayout(nodeId, value);
        vm.expectRevert(refused);
        nodes.cancelUnbond(nodeId);
        vm.expectRevert(refused);
        nodes.requestExit(nodeId);
        vm.stopPrank();

        assertEq(nodes.getNode(nodeId).payout, payout, "the same");
        assertEq(nodes.unbondingOf(nodeId).amount, 1, "still unbonding");
    }
}
