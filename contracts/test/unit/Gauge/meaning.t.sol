// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";

contract MeaningTest is EconomyFixture {
    bytes32 private constant ONE = bytes32(uint256(1));
    uint256 private next;

    function setUp() public override {
        super.setUp();
        next = epochNow() + 1;
    }

    /* MULTIPLIER */

    function test_MultiplierIsOneWithoutVotes() public view {
        assertEq(nodeGauge.multiplierWad(1, next), 1e18, "known");
        assertEq(nodeGauge.multiplierWad(99, next), 1e18, "unknown");
    }

    function test_MultiplierReachesTwoAndAHalf() public {
        hold(alice, 1_000_000e18);
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(250, 9750));
        assertEq(nodeGauge.multiplierWad(1, next), 1.75e18, "half of 5 %");
        assertEq(nodeGauge.multiplierWad(2, next), 2.5e18, "far beyond");

        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(500, 9500));
        assertEq(nodeGauge.multiplierWad(1, next), 2.5e18, "5 %");
    }

    function testFuzz_MultiplierIsBoundedAndRises(uint96 aliceHas, uint96 bobHas, uint96 more) public {
        hold(alice, aliceHas);
        hold(bob, bobHas);
        vote(nodeGauge, alice, ONE);
        vote(nodeGauge, bob, bytes32(uint256(2)));
        uint256 before = nodeGauge.multiplierWad(1, next);
        hold(alice, uint256(aliceHas) + more);
        uint256 afterwards = nodeGauge.multiplierWad(1, next);

        assertGe(before, 1e18, "at least 1");
        assertLe(afterwards, 2.5e18, "at most 2.5");
        assertGe(afterwards, before, "rises");
    }

    function test_AHandfulOfStakeDecidesNothing() public {
        hold(alice, 1);
        vote(nodeGauge, alice, ONE);
        vote(podGauge, alice, podId);
        assertEq(nodeGauge.multiplierWad(1, next), 1e18, "no boost for one wei");
        assertEq(podGauge.replicaCeilingOf(podId, next, 1000), 1, "no replicas for one wei");

        hold(alice, 1000e18);
        assertEq(nodeGauge.shareWadAt(ONE, next), 0.01e18, "1,000 of 100,000");
        assertEq(nodeGauge.multiplierWad(1, next), 1.3e18, "1 % of the quorum");
    }

    /* CEILING */

    function test_CeilingWithoutVotesIsTheMinimum() public {
        assertEq(podGauge.replicaCeilingOf(podId, next, 1000), 1, "at launch");
        vm.prank(owner);
        podGauge.setGuaranteedReplicas(0);
        assertEq(podGauge.replicaCeilingOf(podId, next, 1000), 0, "governed");
    }

    function test_CeilingFollowsTheVotes() public {
        hold(alice, 200_000e18);
        vm.prank(alice);
        podGauge.vote(list(podId), bps(1234));
        hold(bob, 1_000_000e18);
        vm.prank(developer);
        bytes32 other = pods.register("other", keccak256("manifest"), 1, 1, 0);
        vote(podGauge, bob, other);
        // 24,680 of 1,024,680 votes, 100 slots, factor 2: 4.81.
        assertEq(podGauge.replicaCeilingOf(podId, next, 100), 4, "rounded down");
        assertEq(podGauge.replicaCeilingOf(podId, next - 1, 100), 1, "not in this epoch");

        vm.prank(owner);
        podGauge.setCeilingFactorBps(100_000);
        assertEq(podGauge.replicaCeilingOf(podId, next, 100), 24, "factor 10");
    }

    function testFuzz_CeilingIsNeverBelowTheMinimum(uint96 amount, uint32 slots, uint16 minimum) public {
        minimum = uint16(bound(minimum, 0, 1000));
        hold(alice, amount);
        vote(podGauge, alice, podId);
        vm.prank(owner);
        podGauge.setGuaranteedReplicas(minimum);
        uint256 ceiling = podGauge.replicaCeilingOf(podId, next, slots);

        assertGe(ceiling, minimum, "guaranteed");
        uint256 most = uint256(slots) * 2;
        assertLe(ceiling, most > minimum ? most : minimum, "slots times factor");
    }

    /* PARAMETERS */

    function test_ParametersCountFromTheNextEpoch() public {
        hold(alice, 1000e18);
        vote(nodeGauge, alice, ONE);
        warpTo(next);
        vm.startPrank(owner);
        nodeGauge.setQuorumWeight(0);
        nodeGauge.setSaturationBps(10_000);
        vm.stopPrank();

        assertEq(nodeGauge.multiplierWad(1, next), 1.3e18, "present");
        assertEq(nodeGauge.multiplierWad(1, next + 1), 2.5e18, "all votes there are");
        assertEq(nodeGauge.saturationBpsAt(next), 500, "saturation now");
        assertEq(nodeGauge.quorumWeightAt(next + 1), 0, "quorum next");
    }

    function test_RevertWhen_AStrangerSetsAParameter() public {
        address[4] memory targets = [address(nodeGauge), address(nodeGauge), address(podGauge), address(podGauge)];
        bytes[4] memory calls = [
            abi.encodeCall(nodeGauge.setQuorumWeight, (0)),
            abi.encodeCall(nodeGauge.setSaturationBps, (100)),
            abi.encodeCall(podGauge.setGuaranteedReplicas, (1)),
            abi.encodeCall(podGauge.setCeilingFactorBps, (10_000))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = targets[i].call(calls[i]);
            assertFalse(success, vm.toString(i));
            bytes memory expected = abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger);
            assertEq(keccak256(reason), keccak256(expected), vm.toString(i));
        }
    }

    function testFuzz_RevertWhen_AParameterIsOutOfBounds(uint256 quorum, uint16 saturation, uint16 least, uint32 factor)
        public
    {
        quorum = bound(quorum, 100_000_000e18 * 10_000 + 1, type(uint256).max);
        vm.startPrank(owner);
        expectOutOfBounds(quorum, 0, 100_000_000e18 * 10_000);
        nodeGauge.setQuorumWeight(quorum);
        if (saturation < 10 || saturation > 10_000) {
            expectOutOfBounds(saturation, 10, 10_000);
            nodeGauge.setSaturationBps(saturation);
        }
        if (least > 1000) {
            expectOutOfBounds(least, 0, 1000);
            podGauge.setGuaranteedReplicas(least);
        }
        if (factor < 1000 || factor > 100_000) {
            expectOutOfBounds(factor, 1000, 100_000);
            podGauge.setCeilingFactorBps(factor);
        }
        vm.stopPrank();
    }

    function expectOutOfBounds(uint256 value, uint256 min, uint256 max) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, value, min, max));
    }
}
