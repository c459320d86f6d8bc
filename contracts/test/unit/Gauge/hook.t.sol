// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGauge} from "../../../src/interfaces/IGauge.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";

/// @notice Both gauges hear of stHEU the same way.
contract HookTest is EconomyFixture {
    function testFuzz_BothGaugesFollowTheBalance(uint96 first, uint96 second, address poker) public {
        bytes32 nodeId = bytes32(uint256(1));
        hold(alice, bound(first, 1, 1e27));
        vote(nodeGauge, alice, nodeId);
        vote(podGauge, alice, podId);
        hold(alice, bound(second, 1, 1e27));
        uint256 balance = stake.balanceOf(alice);
        uint256 next = epochNow() + 1;
        for (uint256 i; i < 2; ++i) {
            assertEq(nodeGauge.weightAt(nodeId, next), balance * 10_000, "nodes");
            assertEq(podGauge.weightAt(podId, next), balance * 10_000, "pods");
            // A poke says nothing new.
            vm.startPrank(poker);
            nodeGauge.poke(alice);
            podGauge.poke(alice);
            vm.stopPrank();
        }
        assertEq(nodeGauge.countedOf(alice), balance, "counted once");
        assertEq(podGauge.countedOf(alice), balance, "in each");
    }

    function testFuzz_RevertWhen_AnybodyElseReportsABalance(address caller, uint256 balance) public {
        vm.assume(caller != address(stake));
        bytes memory refused = abi.encodeWithSelector(Errors.Gauge_NotStakedHeu.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        nodeGauge.onBalanceChanged(alice, balance);
        vm.expectRevert(refused);
        podGauge.onBalanceChanged(alice, balance);
        vm.stopPrank();
    }

    function testFuzz_AQuorumCountsFromTheNextEpochOn(uint256 weight, bool ofPods, address caller) public {
        vm.assume(caller != owner);
        weight = bound(weight, 0, 100_000_000e18 * 10_000);
        uint256 now_ = epochNow();
        uint256 before = nodeGauge.quorumWeightAt(now_);
        vm.startPrank(caller);
        bytes memory refused = abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", caller);
        vm.expectRevert(refused);
        nodeGauge.setQuorumWeight(weight);
        vm.expectRevert(refused);
        podGauge.setQuorumWeight(weight);
        vm.stopPrank();
        IGauge gauge = ofPods ? IGauge(podGauge) : nodeGauge;
        vm.prank(owner);
        gauge.setQuorumWeight(weight);

        assertEq(gauge.quorumWeightAt(now_), before, "not in this one");
        assertEq(gauge.quorumWeightAt(now_ + 1), weight, "from the next");
    }
}
