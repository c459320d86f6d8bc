// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Node} from "../../../src/interfaces/INodeRegistry.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {NodeFixture} from "./NodeFixture.sol";

contract RegisterTest is NodeFixture {
    /* REGISTER */

    function test_RegistersWithAHotKeyThatConsents() public {
        vm.deal(nodeOwner, MIN_COLLATERAL);

        vm.expectEmit();
        emit Events.NodeRegistered(1, nodeOwner, hotKey, payout, MIN_COLLATERAL);
        vm.prank(nodeOwner);
        uint256 nodeId = nodes.register{value: MIN_COLLATERAL}(hotKey, payout, deadline, consentOf("hot", nodeOwner));

        Node memory stored = nodes.getNode(nodeId);
        assertEq(nodeId, 1, "ids count from 1");
        assertEq(stored.owner, nodeOwner, "owner");
        assertEq(stored.hotKey, hotKey, "hot key");
        assertEq(stored.payout, payout, "payout");
        assertEq(stored.collateral, MIN_COLLATERAL, "collateral");
        assertEq(stored.registeredAt, block.timestamp, "time");
        assertEq(nodes.nodeOf(hotKey), 1, "by key");
        assertTrue(nodes.isActive(hotKey), "active");
        assertEq(nodes.totalCollateral(), MIN_COLLATERAL, "total");
        assertEq(address(nodes).balance, MIN_COLLATERAL, "held");
    }

    function test_AnyoneCanRegisterMoreThanOne() public {
        registerNode("one", nodeOwner);
        registerNode("two", nodeOwner);
        registerNode("three", stranger);

        assertEq(nodes.nodeCount(), 3, "nodes");
        assertEq(nodes.nodeOf(makeAddr("two")), 2, "second");
    }

    function testFuzz_RevertWhen_CollateralIsTooLow(uint128 amount) public {
        vm.assume(amount < MIN_COLLATERAL);
        vm.deal(nodeOwner, amount);

        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_CollateralTooLow.selector, amount, MIN_COLLATERAL));
        vm.prank(nodeOwner);
        nodes.register{value: amount}(hotKey, payout, deadline, consentOf("hot", nodeOwner));
    }

    function test_RevertWhen_KeyDidNotConsent() public {
        expectBadConsent(hotKey);
        register(nodeOwner, consentOf("another key", nodeOwner));
    }

    function test_RevertWhen_ConsentIsForAnotherOwner() public {
        expectBadConsent(hotKey);
        register(stranger, consentOf("hot", nodeOwner));
    }

    function test_RevertWhen_ConsentIsForAnotherChain() public {
        bytes memory consent = consentOf("hot", nodeOwner);
        vm.chainId(1);

        expectBadConsent(hotKey);
        register(nodeOwner, consent);
    }

    function testFuzz_RevertWhen_ConsentIsGarbage(bytes calldata consent) public {
        expectBadConsent(hotKey);
        register(nodeOwner, consent);
    }

    function test_RevertWhen_ConsentHasExpired() public {
        bytes memory consent = consentOf("hot", nodeOwner);
        vm.warp(deadline + 1);

        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_ConsentExpired.selector, deadline));
        register(nodeOwner, consent);
    }

    function test_RevertWhen_KeyIsTaken() public {
        register(nodeOwner, consentOf("hot", nodeOwner));

        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_KeyTaken.selector, hotKey));
        register(nodeOwner, consentOf("hot", nodeOwner));
    }

    function test_RevertWhen_KeyIsTheZeroAddress() public {
        vm.deal(nodeOwner, MIN_COLLATERAL);
        expectBadConsent(address(0));
        vm.prank(nodeOwner);
        nodes.register{value: MIN_COLLATERAL}(address(0), payout, deadline, new bytes(65));
    }

    function test_RevertWhen_PayoutIsTheZeroAddress() public {
        vm.deal(nodeOwner, MIN_COLLATERAL);
        bytes memory consent = consentOf("hot", nodeOwner);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        vm.prank(nodeOwner);
        nodes.register{value: MIN_COLLATERAL}(hotKey, address(0), deadline, consent);
    }

    /* COLLATERAL */

    function testFuzz_AnyoneCanAddCollateral(uint96 amount) public {
        uint256 nodeId = registerNode("hot", nodeOwner);
        vm.deal(stranger, amount);

        vm.expectEmit();
        emit Events.CollateralAdded(nodeId, stranger, amount, uint256(MIN_COLLATERAL) + amount);
        vm.prank(stranger);
        nodes.addCollateral{value: amount}(nodeId);

        assertEq(nodes.getNode(nodeId).collateral, uint256(MIN_COLLATERAL) + amount, "node");
        assertEq(nodes.totalCollateral(), uint256(MIN_COLLATERAL) + amount, "total");
    }

    function test_RevertWhen_AddingToAnUnknownNode() public {
        vm.deal(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 7));
        vm.prank(stranger);
        nodes.addCollateral{value: 1}(7);
    }

    function test_RaisedMinimumIdlesANodeUntilItAddsTheRest() public {
        uint256 nodeId = registerNode("hot", nodeOwner);
        vm.prank(owner);
        nodes.setMinCollateral(MIN_COLLATERAL + 1);
        assertFalse(nodes.isActive(hotKey), "below the minimum");

        vm.deal(nodeOwner, 1);
        vm.prank(nodeOwner);
        nodes.addCollateral{value: 1}(nodeId);
        assertTrue(nodes.isActive(hotKey), "at the minimum");
    }

    /* HOT KEY */

    function test_RotatesTheHotKeyAndKeepsTheId() public {
        uint256 nodeId = registerNode("hot", nodeOwner);
        address newKey = makeAddr("new");
        bytes memory consent = consentOf("new", nodeOwner);

        vm.expectEmit();
        emit Events.HotKeyRotated(nodeId, hotKey, newKey);
        vm.prank(nodeOwner);
        nodes.rotateHotKey(nodeId, newKey, deadline, consent);

        assertEq(nodes.getNode(nodeId).hotKey, newKey, "new key");
        assertEq(nodes.nodeOf(newKey), nodeId, "new resolves");
        assertEq(nodes.nodeOf(hotKey), nodeId, "old receipts still resolve");
        assertTrue(nodes.isActive(newKey), "new is active");
        assertFalse(nodes.isActive(hotKey), "old is not");
    }

    function test_RevertWhen_RotatingToARetiredKey() public {
        uint256 nodeId = registerNode("hot", nodeOwner);
        rotate(nodeId, "new");

        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_KeyTaken.selector, hotKey));
        rotate(nodeId, "hot");
    }

    function test_RevertWhen_AStrangerChangesTheNode() public {
        uint256 nodeId = registerNode("hot", nodeOwner);
        bytes memory consent = consentOf("new", stranger);
        address newKey = makeAddr("new");

        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotOwner.selector, nodeId, stranger));
        nodes.rotateHotKey(nodeId, newKey, deadline, consent);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotOwner.selector, nodeId, stranger));
        nodes.setPayout(nodeId, stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotOwner.selector, nodeId, stranger));
        nodes.requestExit(nodeId);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotOwner.selector, nodeId, stranger));
        nodes.withdraw(nodeId, stranger);
        vm.stopPrank();
    }

    function test_ChangesThePayout() public {
        uint256 nodeId = registerNode("hot", nodeOwner);

        vm.startPrank(nodeOwner);
        vm.expectEmit();
        emit Events.PayoutChanged(nodeId, stranger);
        nodes.setPayout(nodeId, stranger);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        nodes.setPayout(nodeId, address(0));
        vm.stopPrank();

        assertEq(nodes.getNode(nodeId).payout, stranger, "payout");
    }

    /* HELPERS */

    function register(address caller, bytes memory consent) private {
        vm.deal(caller, MIN_COLLATERAL);
        vm.prank(caller);
        nodes.register{value: MIN_COLLATERAL}(hotKey, payout, deadline, consent);
    }

    function rotate(uint256 nodeId, string memory keyName) private {
        bytes memory consent = consentOf(keyName, nodeOwner);
        address key = makeAddr(keyName);
        vm.prank(nodeOwner);
        nodes.rotateHotKey(nodeId, key, deadline, consent);
    }

    function expectBadConsent(address key) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_BadConsent.selector, key));
    }
}
