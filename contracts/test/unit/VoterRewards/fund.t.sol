// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GaugeKind} from "../../../src/interfaces/IGauge.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";

contract FundTest is EconomyFixture {
    bytes32 private constant ONE = bytes32(uint256(1));
    bytes32 private constant TWO = bytes32(uint256(2));
    uint256 private epoch;

    function setUp() public override {
        super.setUp();
        hold(alice, 300e18);
        hold(bob, 100e18);
        vote(nodeGauge, alice, ONE);
        vote(nodeGauge, bob, ONE);
        epoch = epochNow() + 1;
        warpTo(epoch);
    }

    /* FUND */

    function test_RevertWhen_NothingIsSent() public {
        vm.expectRevert(Errors.VoterRewards_ZeroAmount.selector);
        voterRewards.fund(GaugeKind.Node, ONE, epoch);
    }

    function test_RevertWhen_TheEpochIsTooFar() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_EpochTooFar.selector, epoch + 2, epoch + 1));
        fund(ONE, epoch + 2, 1);
    }

    function test_FundsAnEpochWithVotes() public {
        vm.expectEmit();
        emit Events.PotFunded(GaugeKind.Node, ONE, epoch, address(heu), 10e18);
        uint256 booked = fund(ONE, epoch, 10e18);

        assertEq(booked, epoch, "booked");
        assertEq(potOf(ONE, epoch), 10e18, "pot");
        assertEq(voterRewards.heldOf(address(heu)), 10e18, "held");
    }

    function test_WithoutVotesItGoesToTheNextEpoch() public {
        assertEq(fund(TWO, epoch, 10e18), epoch + 1, "present");
        assertEq(fund(ONE, 0, 5e18), epoch + 1, "past");

        assertEq(potOf(TWO, epoch + 1), 10e18, "pot of two");
        assertEq(potOf(ONE, epoch + 1), 5e18, "pot of one");
        assertEq(potOf(TWO, epoch), 0, "nothing stays behind");
    }

    function test_TheNextEpochCanBeFilledBefore() public {
        assertEq(fund(TWO, epoch + 1, 10e18), epoch + 1, "booked");
        vm.prank(alice);
        nodeGauge.vote(list(1, 2), bps(1, 1));
        warpTo(epoch + 1);

        assertEq(claim(alice, TWO, epoch + 1), 10e18, "drew a vote");
    }

    /* ROLL FORWARD */

    function test_RevertWhen_ThePotHasOrMayGetVotes() public {
        fund(ONE, epoch, 10e18);
        fund(TWO, epoch + 1, 10e18);
        bytes4 reason = Errors.VoterRewards_HasVotes.selector;

        vm.expectRevert(abi.encodeWithSelector(reason, GaugeKind.Node, ONE, epoch));
        voterRewards.rollForward(GaugeKind.Node, ONE, epoch, address(heu));
        vm.expectRevert(abi.encodeWithSelector(reason, GaugeKind.Node, TWO, epoch + 1));
        voterRewards.rollForward(GaugeKind.Node, TWO, epoch + 1, address(heu));
    }

    function test_RevertWhen_ThereIsNothingToRoll() public {
        vm.expectRevert(Errors.VoterRewards_ZeroAmount.selector);
        voterRewards.rollForward(GaugeKind.Node, TWO, epoch, address(heu));
    }

    function test_APotWithoutVotesRollsForward() public {
        fund(TWO, epoch + 1, 10e18);
        warpTo(epoch + 5);
        fund(TWO, epoch + 6, 1e18);

        vm.expectEmit();
        emit Events.PotRolledForward(GaugeKind.Node, TWO, epoch + 1, address(heu), 10e18);
        vm.prank(stranger);
        uint256 booked = voterRewards.rollForward(GaugeKind.Node, TWO, epoch + 1, address(heu));

        assertEq(booked, epoch + 6, "the next from now");
        assertEq(potOf(TWO, epoch + 6), 11e18, "added");
        assertEq(potOf(TWO, epoch + 1), 0, "moved");
        assertEq(voterRewards.heldOf(address(heu)), 11e18, "held");
        vm.expectRevert(Errors.VoterRewards_ZeroAmount.selector);
        voterRewards.rollForward(GaugeKind.Node, TWO, epoch + 1, address(heu));
    }

    function test_RevertWhen_CoinsComeWithoutACall() public {
        vm.deal(alice, 1);
        vm.prank(alice);
        (bool success,) = address(voterRewards).call{value: 1}("");
        assertFalse(success, "refused");
    }

    /* CLAIM */

    function test_RevertWhen_TheEpochHasNotBegun() public {
        fund(ONE, epoch + 1, 10e18);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_EpochNotBegun.selector, epoch + 1, epoch));
        claim(alice, ONE, epoch + 1);
    }

    function test_RevertWhen_ThereIsNoPart() public {
        fund(ONE, epoch, 10e18);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_NothingToClaim.selector, stranger, address(heu)));
        claim(stranger, ONE, epoch);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_NothingToClaim.selector, alice, address(usd)));
        claimVotes(alice, GaugeKind.Node, ONE, epoch, address(usd));
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_NothingToClaim.selector, alice, address(heu)));
        claimVotes(alice, GaugeKind.Pod, ONE, epoch, address(heu));
    }

    function testFuzz_PartsNeverExceedThePot(uint96 aliceHas, uint96 bobHas, uint96 amount) public {
        amount = uint96(bound(amount, 1, 1e27));
        hold(alice, bound(aliceHas, 1, 1e27));
        hold(bob, bound(bobHas, 1, 1e27));
        warpTo(epoch + 1);
        fund(ONE, epoch + 1, amount);
        uint256 hers = voterRewards.claimableOf(GaugeKind.Node, ONE, epoch + 1, address(heu), alice);
        uint256 his = voterRewards.claimableOf(GaugeKind.Node, ONE, epoch + 1, address(heu), bob);

        assertLe(hers + his, amount, "never more than there is");
        assertGe(hers + his + 1, amount, "dust is under one wei a voter");
        if (hers != 0) assertEq(claim(alice, ONE, epoch + 1), hers, "hers");
        if (his != 0) assertEq(claim(bob, ONE, epoch + 1), his, "his");
        assertEq(alice.balance + bob.balance + voterRewards.heldOf(address(heu)), amount, "conserved");
    }

    function test_NothingIsPaidTwice() public {
        fund(ONE, epoch, 4e18);
        uint256[] memory twice = new uint256[](2);
        (twice[0], twice[1]) = (epoch, epoch);

        vm.expectEmit();
        emit Events.VoterRewardClaimed(GaugeKind.Node, ONE, alice, address(heu), 3e18);
        vm.prank(alice);
        assertEq(voterRewards.claim(GaugeKind.Node, ONE, twice, address(heu)), 3e18, "once");
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_NothingToClaim.selector, alice, address(heu)));
        claim(alice, ONE, epoch);
        assertEq(alice.balance, 3e18, "paid");
    }

    function test_AGrownPotPaysTheRest() public {
        fund(ONE, epoch, 4e18);
        claim(alice, ONE, epoch);
        fund(ONE, epoch, 4e18);

        assertEq(claim(alice, ONE, epoch), 3e18, "the rest");
        assertEq(claim(bob, ONE, epoch), 2e18, "both at once");
        assertEq(voterRewards.heldOf(address(heu)), 0, "all of it");
    }

    function test_PastEpochsStayClaimable() public {
        fund(ONE, epoch, 4e18);
        vote(nodeGauge, alice, TWO);
        hold(alice, 0);
        hold(stranger, 1e27);
        vote(nodeGauge, stranger, ONE);
        warpTo(epoch + 30);

        assertEq(claim(alice, ONE, epoch), 3e18, "by the votes of that epoch");
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_NothingToClaim.selector, stranger, address(heu)));
        claim(stranger, ONE, epoch);
    }

    function test_ManyEpochsAtOnce() public {
        uint256[] memory many = new uint256[](3);
        for (uint256 i; i < 3; ++i) {
            warpTo(epoch + i);
            fund(ONE, epoch + i, 4e18);
            many[i] = epoch + i;
        }
        vm.prank(bob);
        assertEq(voterRewards.claim(GaugeKind.Node, ONE, many, address(heu)), 3e18, "a quarter of each");
    }

    function test_ARefusingVoterBlocksNobody() public {
        address refusing = address(new RevertingReceiver());
        hold(refusing, 400e18);
        vote(nodeGauge, refusing, ONE);
        warpTo(epoch + 1);
        fund(ONE, epoch + 1, 8e18);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        claim(refusing, ONE, epoch + 1);
        assertEq(claim(alice, ONE, epoch + 1), 3e18, "others are paid");
    }

    function test_ReentryPaysOnce() public {
        Reentrant thief = new Reentrant();
        hold(address(thief), 400e18);
        vote(nodeGauge, address(thief), ONE);
        warpTo(epoch + 1);
        fund(ONE, epoch + 1, 8e18);
        bytes memory again = abi.encodeCall(voterRewards.claim, (GaugeKind.Node, ONE, epochs(epoch + 1), address(heu)));
        thief.arm(address(voterRewards), again);

        assertTrue(thief.run(address(voterRewards), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, 4e18, "its own part");
    }

    /* HELPERS */

    function fund(bytes32 id, uint256 epoch_, uint256 amount) private returns (uint256) {
        vm.deal(address(this), amount);
        return voterRewards.fund{value: amount}(GaugeKind.Node, id, epoch_);
    }

    function claim(address voter, bytes32 id, uint256 epoch_) private returns (uint256) {
        return claimVotes(voter, GaugeKind.Node, id, epoch_, address(heu));
    }

    function potOf(bytes32 id, uint256 epoch_) private view returns (uint256) {
        return voterRewards.potOf(GaugeKind.Node, id, epoch_, address(heu));
    }
}
