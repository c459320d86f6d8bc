// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Node} from "../../src/interfaces/INodeRegistry.sol";
import {Fixture} from "../utils/Fixture.sol";
import {NodesHandler} from "./NodesHandler.sol";

/// @notice Invariants 10 to 13 and 19 of `README.md`.
contract NodesInvariantTest is Fixture {
    NodesHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new NodesHandler(nodes);
        vm.startPrank(owner);
        nodes.setJailer(address(handler));
        nodes.setSlasher(address(handler));
        vm.stopPrank();
        handler.register(0, 0);
        handler.register(1, 1e18);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public view {
        uint256 sum;
        for (uint256 nodeId = 1; nodeId <= nodes.nodeCount(); ++nodeId) {
            if (handler.gone(nodeId)) continue;
            Node memory stored = nodes.getNode(nodeId);
            sum += stored.collateral;
            bool idle = stored.jailed || stored.exitableAt != 0 || stored.collateral < nodes.minCollateral();
            assertEq(nodes.isActive(stored.hotKey) ? 1 : 0, idle ? 0 : 1, "13: idle nodes are not active");
        }
        for (uint256 who; who < 3; ++who) {
            address nodeOwner = handler.ownerOf(who);
            assertEq(nodes.jailedNodesOf(nodeOwner), handler.jailedOf(nodeOwner), "19: jailed nodes are counted");
        }
        assertEq(nodes.totalCollateral(), sum, "10: the total is the sum");
        assertGe(address(nodes).balance, sum, "10: the registry holds it");
        assertEq(handler.putIn(), sum + handler.slashed() + handler.withdrawn(), "11: conservation");
        for (uint256 i; i < handler.keyCount(); ++i) {
            address key = handler.keys(i);
            assertEq(nodes.nodeOf(key), handler.firstNodeOf(key), "12: a key keeps its node");
        }
    }

    function test_EveryHandlerActionCanHappen() public {
        handler.rotate(0);
        handler.jail(0, true);
        handler.slash(0, 5e18);
        handler.requestExit(0);
        handler.jail(0, false);
        handler.pass(2 days);
        handler.addCollateral(1, 3e18);
        handler.withdraw(0);

        assertTrue(handler.gone(1), "withdrawn");
        assertEq(handler.slashed(), 5e18, "slashed");
        assertEq(handler.keyCount(), 3, "keys");
        invariant_AllLawsHold();
    }
}
