// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Node} from "../../src/interfaces/INodeRegistry.sol";
import {Consents} from "../utils/Consents.sol";
import {IOwnedNodes} from "../utils/Interfaces.sol";

/// @notice Plays node owners, the jailer, the slasher and time. Every call succeeds.
contract NodesHandler is Consents {
    IOwnedNodes private nodes;

    uint256 public putIn;
    uint256 public slashed;
    uint256 public withdrawn;
    mapping(uint256 nodeId => bool) public gone;
    address[] public keys;
    mapping(address key => uint256 nodeId) public firstNodeOf;

    constructor(IOwnedNodes nodes_) {
        nodes = nodes_;
    }

    receive() external payable {}

    function keyCount() external view returns (uint256) {
        return keys.length;
    }

    /* OWNERS */

    function register(uint256 who, uint256 extra) external {
        address nodeOwner = ownerOf(who);
        uint256 amount = nodes.minCollateral() + bound(extra, 0, 1e24);
        (address key, bytes memory consent) = newKey(nodeOwner);
        vm.deal(nodeOwner, amount);
        vm.prank(nodeOwner);
        uint256 nodeId = nodes.register{value: amount}(key, nodeOwner, type(uint64).max, consent);
        firstNodeOf[key] = nodeId;
        putIn += amount;
    }

    function addCollateral(uint256 which, uint256 amount) external {
        uint256 nodeId = pick(which);
        if (nodeId == 0) return;
        amount = bound(amount, 0, 1e24);
        vm.deal(address(this), amount);
        nodes.addCollateral{value: amount}(nodeId);
        putIn += amount;
    }

    function rotate(uint256 which) external {
        uint256 nodeId = pick(which);
        if (nodeId == 0) return;
        address nodeOwner = nodes.getNode(nodeId).owner;
        (address key, bytes memory consent) = newKey(nodeOwner);
        vm.prank(nodeOwner);
        nodes.rotateHotKey(nodeId, key, type(uint64).max, consent);
        firstNodeOf[key] = nodeId;
    }

    function requestExit(uint256 which) external {
        uint256 nodeId = pick(which);
        if (nodeId == 0 || nodes.getNode(nodeId).exitableAt != 0) return;
        vm.prank(nodes.getNode(nodeId).owner);
        nodes.requestExit(nodeId);
    }

    function withdraw(uint256 which) external {
        uint256 nodeId = pick(which);
        if (nodeId == 0) return;
        Node memory node = nodes.getNode(nodeId);
        if (node.exitableAt == 0 || block.timestamp < node.exitableAt + (node.jailed ? 30 days : 0)) return;
        vm.prank(node.owner);
        nodes.withdraw(nodeId, node.owner);
        withdrawn += node.collateral;
        gone[nodeId] = true;
    }

    /* THE SLASHER THAT THE REGISTRY ASKS: this handler is it, and has nobody before it */

    function hasOpenDispute(uint256) external pure returns (bool) {
        return false;
    }

    function isBarred(address) external pure returns (bool) {
        return false;
    }

    /* DISCIPLINE AND TIME */

    function jail(uint256 which, bool jailed) external {
        uint256 nodeId = pick(which);
        if (nodeId != 0) nodes.setJailed(nodeId, jailed);
    }

    function slash(uint256 which, uint256 amount) external {
        uint256 nodeId = pick(which);
        if (nodeId != 0) slashed += nodes.slash(nodeId, amount);
    }

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 20 days));
    }

    /// @dev Counted anew, node by node.
    function jailedOf(address nodeOwner) external view returns (uint256 count) {
        for (uint256 nodeId = 1; nodeId <= nodes.nodeCount(); ++nodeId) {
            if (gone[nodeId]) continue;
            Node memory node = nodes.getNode(nodeId);
            if (node.owner == nodeOwner && node.jailed) ++count;
        }
    }

    /* INTERNAL */

    function ownerOf(uint256 who) public pure returns (address) {
        return vm.addr(makeKey(string.concat("owner", vm.toString(who % 3))));
    }

    /// @dev A node that is still there; 0 when the one drawn has left.
    function pick(uint256 which) private view returns (uint256 nodeId) {
        nodeId = 1 + which % nodes.nodeCount();
        if (gone[nodeId]) return 0;
    }

    function newKey(address nodeOwner) private returns (address key, bytes memory consent) {
        uint256 privateKey = makeKey(string.concat("key", vm.toString(keys.length)));
        key = vm.addr(privateKey);
        keys.push(key);
        consent = signConsent(address(nodes), privateKey, nodeOwner, type(uint64).max);
    }
}
