// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";

contract VoteTest is EconomyFixture {
    bytes32 private constant ONE = bytes32(uint256(1));
    bytes32 private constant TWO = bytes32(uint256(2));

    function setUp() public override {
        super.setUp();
        hold(alice, 1000e18);
        hold(bob, 10e18);
    }

    /* REFUSALS */

    function test_RevertWhen_TheLastHourHasBegun() public {
        uint256 flip = startOf(epochNow() + 1);
        uint256[2] memory times = [flip - 1 hours, flip - 1];
        for (uint256 i; i < times.length; ++i) {
            vm.warp(times[i]);
            vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_Locked.selector, flip));
            vote(nodeGauge, alice, ONE);
            vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_Locked.selector, flip));
            nodeGauge.poke(alice);
        }
        vm.warp(flip - 1 hours - 1);
        vote(nodeGauge, alice, ONE);
    }

    function test_AtTheFlipSecondAVoteCountsFromTheNextEpoch() public {
        uint256 epoch = epochNow() + 1;
        warpTo(epoch);
        vote(nodeGauge, alice, ONE);

        assertEq(nodeGauge.weightAt(ONE, epoch), 0, "not in the epoch that just began");
        assertEq(nodeGauge.weightAt(ONE, epoch + 1), 1000e18 * 10_000, "in the next");
    }

    function test_RevertWhen_LengthsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_BadBallotLength.selector, 2, 1, 10));
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(1));
    }

    function test_RevertWhen_ThereAreElevenIds() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_BadBallotLength.selector, 11, 11, 10));
        vm.prank(alice);
        nodeGauge.vote(new bytes32[](11), new uint16[](11));
    }

    function test_RevertWhen_IdsAreNotStrictlyAscending() public {
        bytes32[][2] memory bad = [list(1, 1), list(2, 1)];
        for (uint256 i; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_UnsortedIds.selector, 1));
            vm.prank(alice);
            nodeGauge.vote(bad[i], bps(1, 1));
        }
        vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_UnsortedIds.selector, 0));
        vote(nodeGauge, alice, 0);
    }

    function test_RevertWhen_AWeightIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_ZeroWeight.selector, 1));
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(1, 0));
    }

    function testFuzz_RevertWhen_WeightsExceedTheWhole(uint16 a, uint16 b) public {
        uint256 sum = uint256(a) + b;
        vm.assume(a != 0 && b != 0 && sum > 10_000);
        vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_OverWeight.selector, sum, 10_000));
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(a, b));
    }

    function test_RevertWhen_TheIdIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 9));
        vote(nodeGauge, alice, bytes32(uint256(9)));
        vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_UnknownPod.selector, ONE));
        vote(podGauge, alice, ONE);
    }

    /* BALLOTS */

    function test_AVoteCountsFromTheNextEpoch() public {
        uint256 epoch = epochNow();

        vm.expectEmit();
        emit Events.BallotCast(alice, list(1, 2), bps(6000, 3000), 1000e18, epoch + 1);
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(6000, 3000));

        assertEq(nodeGauge.totalWeightAt(epoch), 0, "nothing now");
        assertEq(nodeGauge.weightAt(ONE, epoch + 1), 1000e18 * 6000, "first");
        assertEq(nodeGauge.weightAt(TWO, epoch + 1), 1000e18 * 3000, "second");
        assertEq(nodeGauge.totalWeightAt(epoch + 1), 1000e18 * 9000, "total");
        assertEq(nodeGauge.voterWeightAt(TWO, alice, epoch + 1), 1000e18 * 3000, "hers");
        assertEq(nodeGauge.weightAt(ONE, epoch + 400), 1000e18 * 6000, "until it is changed");
        (bytes32[] memory ids, uint16[] memory weights) = nodeGauge.ballotOf(alice);
        assertEq(keccak256(abi.encode(ids, weights)), keccak256(abi.encode(list(1, 2), bps(6000, 3000))), "ballot");
        assertEq(podGauge.totalWeightAt(epoch + 1), 0, "the other gauge is its own");
    }

    function test_AVoteReplacesTheBallotBefore() public {
        uint256 next = epochNow() + 1;
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(6000, 3000));
        vm.prank(alice);
        nodeGauge.vote(list(2, 3), bps(1000, 500));

        assertEq(nodeGauge.weightAt(ONE, next), 0, "dropped");
        assertEq(nodeGauge.voterWeightAt(ONE, alice, next), 0, "dropped for her too");
        assertEq(nodeGauge.weightAt(TWO, next), 1000e18 * 1000, "changed");
        assertEq(nodeGauge.totalWeightAt(next), 1000e18 * 1500, "total");
    }

    function test_TenIdsAndNone() public {
        for (uint256 i = 4; i <= 10; ++i) {
            registerNode(string.concat("hot", vm.toString(i)), nodeOwner);
        }
        bytes32[] memory ids = new bytes32[](10);
        uint16[] memory weights = new uint16[](10);
        for (uint256 i; i < 10; ++i) {
            (ids[i], weights[i]) = (bytes32(i + 1), 1000);
        }
        uint256 next = epochNow() + 1;
        vm.prank(alice);
        nodeGauge.vote(ids, weights);
        assertEq(nodeGauge.totalWeightAt(next), 1000e18 * 10_000, "all of it");

        vm.prank(alice);
        nodeGauge.vote(new bytes32[](0), new uint16[](0));
        assertEq(nodeGauge.totalWeightAt(next), 0, "none");
        assertEq(nodeGauge.weightAt(bytes32(uint256(7)), next), 0, "none each");
        hold(alice, 5000e18);
        assertEq(nodeGauge.totalWeightAt(next), 0, "an empty ballot weighs nothing");
    }

    function test_ThePastStays() public {
        uint256 epoch = epochNow();
        vote(nodeGauge, alice, ONE);
        warpTo(epoch + 1);
        vote(nodeGauge, alice, TWO);
        hold(alice, 1);
        warpTo(epoch + 3);
        hold(alice, 0);

        assertEq(nodeGauge.voterWeightAt(ONE, alice, epoch), 0, "before");
        assertEq(nodeGauge.voterWeightAt(ONE, alice, epoch + 1), 1000e18 * 10_000, "first");
        assertEq(nodeGauge.voterWeightAt(TWO, alice, epoch + 1), 0, "first, other");
        assertEq(nodeGauge.weightAt(TWO, epoch + 2), 10_000, "second");
        assertEq(nodeGauge.weightAt(TWO, epoch + 3), 10_000, "third");
        assertEq(nodeGauge.weightAt(TWO, epoch + 4), 0, "fourth");
    }

    function test_VotingTwiceCountsOnce() public {
        uint256 next = epochNow() + 1;
        vote(nodeGauge, alice, ONE);
        vote(nodeGauge, alice, ONE);
        warpTo(next);
        vote(nodeGauge, alice, ONE);

        assertEq(nodeGauge.weightAt(ONE, next), 1000e18 * 10_000, "this epoch");
        assertEq(nodeGauge.weightAt(ONE, next + 1), 1000e18 * 10_000, "next epoch");
    }

    function testFuzz_WeightsAddUp(uint96 aliceHas, uint96 bobHas, uint16 a, uint16 b) public {
        a = uint16(bound(a, 1, 9999));
        b = uint16(bound(b, 1, 10_000 - a));
        uint256 next = epochNow() + 1;
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(a, b));
        vm.prank(bob);
        nodeGauge.vote(list(2, 3), bps(b, a));
        hold(alice, aliceHas);
        hold(bob, bobHas);

        uint256 second = nodeGauge.voterWeightAt(TWO, alice, next) + nodeGauge.voterWeightAt(TWO, bob, next);
        assertEq(nodeGauge.weightAt(TWO, next), second, "an id is its voters");
        assertEq(second, (uint256(aliceHas) + bobHas) * b, "balance times basis points");
        assertEq(nodeGauge.totalWeightAt(next), (uint256(aliceHas) + bobHas) * (uint256(a) + b), "the total is all ids");
    }
}
