// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EpochPhase} from "../../../src/interfaces/IEmissionController.sol";
import {GaugeKind} from "../../../src/interfaces/IGauge.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";

contract ClaimTest is EconomyFixture {
    uint256 private epoch;

    function setUp() public override {
        super.setUp();
        epoch = epochNow() + 1;
    }

    /* REFUSALS */

    function test_RevertWhen_TheEpochIsNotFinal() public {
        warpTo(epoch + 1);
        report(epoch, reports(reportOf(1, 10_000, 1, 0)));
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.EmissionController_WrongPhase.selector, epoch, EpochPhase.Reporting, EpochPhase.Final
            )
        );
        emission.claim(1, epoch);
    }

    function test_RevertWhen_ThereIsNothingToPay() public {
        close(epoch, reports(reportOf(1, 10_000, 1, 0), reportOf(3, 0, 1, 1)));
        uint256[4] memory unpaid = [uint256(0), 2, 3, 77];
        for (uint256 i; i < unpaid.length; ++i) {
            expectNothing(unpaid[i]);
            emission.claim(unpaid[i], epoch);
        }
    }

    function test_RevertWhen_ClaimedTwice() public {
        close(epoch, reports(reportOf(1, 10_000, 1, 0)));
        emission.claim(1, epoch);
        expectNothing(1);
        emission.claim(1, epoch);
        assertTrue(emission.isClaimed(1, epoch), "claimed");
    }

    /* NODES IN TROUBLE */

    function test_AJailedNodeWaits() public {
        close(epoch, reports(reportOf(1, 10_000, 1, 0), reportOf(2, 10_000, 1, 0)));
        address jailer = makeAddr("jailer");
        vm.prank(owner);
        nodes.setJailer(jailer);
        vm.prank(jailer);
        nodes.setJailed(1, true);

        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NodeJailed.selector, 1));
        emission.claim(1, epoch);
        emission.claim(2, epoch);
        vm.prank(jailer);
        nodes.setJailed(1, false);
        assertEq(emission.claim(1, epoch), emission.rewardOf(1, epoch), "free");
    }

    function test_ANodeThatLeftIsPaid() public {
        close(epoch, reports(reportOf(1, 10_000, 1, 0)));
        leave(1);
        uint256 amount = emission.claim(1, epoch);
        assertEq(payout.balance, amount, "paid");
        assertEq(amount, emission.emissionOf(epoch).basePart, "all of it");
    }

    function test_ANodeThatLeftCanBeReported() public {
        close(epoch, reports(reportOf(1, 10_000, 1, 1)));
        leave(1);
        close(epoch + 1, reports(reportOf(1, 10_000, 1, 5), reportOf(2, 10_000, 1, 0)));
        assertEq(emission.rewardOf(1, epoch + 1), emission.emissionOf(epoch + 1).dynamicPart, "its work, no base");
    }

    function test_ARefusingPayoutBlocksNobody() public {
        address refusing = address(new RevertingReceiver());
        vm.prank(nodeOwner);
        nodes.setPayout(1, refusing);
        close(epoch, reports(reportOf(1, 10_000, 1, 0), reportOf(2, 10_000, 1, 0)));

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        emission.claim(1, epoch);
        emission.claim(2, epoch);
        vm.prank(nodeOwner);
        nodes.setPayout(1, bob);
        assertEq(emission.claim(1, epoch), bob.balance, "to the new one");
    }

    function test_ReentryPaysOnce() public {
        Reentrant thief = new Reentrant();
        vm.prank(nodeOwner);
        nodes.setPayout(1, address(thief));
        close(epoch, reports(reportOf(1, 10_000, 1, 0), reportOf(2, 10_000, 1, 0)));
        bytes memory again = abi.encodeCall(emission.claim, (1, epoch));
        thief.arm(address(emission), again);

        assertTrue(thief.run(address(emission), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, emission.rewardOf(1, epoch), "its own");
    }

    /* PAYMENTS */

    function test_PaysByWeightAndMultiplier() public {
        hold(alice, 10_000e18);
        vote(nodeGauge, alice, bytes32(uint256(2)));
        // Node 2 has 10 % of the quorum, which is more than 5 %: multiplier 2.5.
        close(epoch, reports(reportOf(1, 10_000, 100, 0), reportOf(2, 5000, 80, 0)));
        uint256 base = emission.emissionOf(epoch).basePart;

        vm.prank(nodeOwner);
        nodes.setPayout(2, bob);
        vm.expectEmit();
        emit Events.EmissionClaimed(2, epoch, bob, base - base / 2, 0);
        vm.prank(stranger);
        emission.claim(2, epoch);
        emission.claim(1, epoch);
        assertEq(bob.balance, base - base / 2, "40 at 2.5");
        assertEq(payout.balance, base / 2, "100 at 1.0");
    }

    function testFuzz_EachIsWithinOneWeiOfItsShare(uint64 one, uint64 two) public {
        vm.assume(uint256(one) + two != 0);
        close(epoch, reports(reportOf(1, 10_000, one, 0), reportOf(2, 10_000, two, 0)));
        uint256 base = emission.emissionOf(epoch).basePart;
        uint256 total = uint256(one) + two;

        assertEq(emission.rewardOf(1, epoch) + emission.rewardOf(2, epoch), base, "exact sum");
        uint256 share = base * two / total;
        assertGe(emission.rewardOf(2, epoch), share, "rounded down at the least");
        assertLe(emission.rewardOf(2, epoch), share + 1, "and one wei more at most");
    }

    /* TIPS */

    function test_RevertWhen_AStrangerSetsTheTip() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NotNodeOwner.selector, 1, payout));
        vm.prank(payout);
        emission.setTipBps(1, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 9));
        emission.setTipBps(9, 1);
    }

    function testFuzz_RevertWhen_TheTipExceedsTheWhole(uint16 tipBps) public {
        vm.assume(tipBps > 10_000);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, tipBps, 0, 10_000));
        setTip(tipBps);
    }

    function test_TipsCountFromTheNextEpoch() public {
        vm.expectEmit();
        emit Events.TipChanged(1, 3000, epoch);
        setTip(3000);
        warpTo(epoch + 4);
        setTip(100);
        setTip(200);

        assertEq(emission.tipBpsAt(1, epoch - 1), 0, "before");
        assertEq(emission.tipBpsAt(1, epoch), 3000, "next");
        assertEq(emission.tipBpsAt(1, epoch + 4), 3000, "the present stays");
        assertEq(emission.tipBpsAt(1, epoch + 5), 200, "the last word");
    }

    function test_TheTipReachesTheVoters() public {
        hold(alice, 300e18);
        hold(bob, 100e18);
        vote(nodeGauge, alice, bytes32(uint256(1)));
        vote(nodeGauge, bob, bytes32(uint256(1)));
        setTip(2000);
        close(epoch, reports(reportOf(1, 10_000, 1, 0)));
        uint256 reward = emission.rewardOf(1, epoch);
        uint256 tip = reward / 5;

        assertEq(emission.claim(1, epoch), reward - tip, "80 % to the node");
        assertEq(payout.balance, reward - tip, "paid");
        assertEq(claimVotes(alice, GaugeKind.Node, bytes32(uint256(1)), epoch, address(heu)), tip * 3 / 4, "alice");
        assertEq(claimVotes(bob, GaugeKind.Node, bytes32(uint256(1)), epoch, address(heu)), tip / 4, "bob");
        assertEq(emission.owed(), 0, "nothing owed");
    }

    function test_WithoutVotersTheNodeKeepsTheTip() public {
        setTip(10_000);
        close(epoch, reports(reportOf(1, 10_000, 1, 0)));
        uint256 reward = emission.rewardOf(1, epoch);
        assertEq(emission.claim(1, epoch), reward, "all of it");
    }

    /* PARAMETERS */

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes[5] memory calls = [
            abi.encodeCall(emission.setSequencer, (stranger)),
            abi.encodeCall(emission.setReportWindow, (2 days)),
            abi.encodeCall(emission.setDisputeWindow, (2 days)),
            abi.encodeCall(emission.setChallengeBond, (2e18)),
            abi.encodeCall(emission.resolve, (epoch, true))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(emission).call(calls[i]);
            assertFalse(success, vm.toString(i));
            bytes memory expected = abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger);
            assertEq(keccak256(reason), keccak256(expected), vm.toString(i));
        }
    }

    function testFuzz_RevertWhen_AParameterIsOutOfBounds(uint32 window, uint128 bond) public {
        vm.startPrank(owner);
        if (window < 1 hours || window > 14 days) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, window, 1 hours, 14 days));
            emission.setReportWindow(window);
        }
        if (window < 10 minutes || window > 14 days) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, window, 10 minutes, 14 days));
            emission.setDisputeWindow(window);
        }
        if (bond < 1e18 || bond > 100_000e18) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, bond, 1e18, 100_000e18));
            emission.setChallengeBond(bond);
        }
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        emission.setSequencer(address(0));
        vm.stopPrank();
    }

    function test_TheOwnerSetsParameters() public {
        vm.startPrank(owner);
        emission.setReportWindow(2 hours);
        emission.setDisputeWindow(20 minutes);
        emission.setChallengeBond(5e18);
        emission.setSequencer(alice);
        vm.stopPrank();

        warpTo(epoch + 1);
        vm.prank(alice);
        emission.seal(epoch);
        vm.deal(bob, 5e18);
        vm.prank(bob);
        emission.challenge{value: 5e18}(epoch, "evidence");
        assertEq(emission.bondOf(epoch, 0, bob), 5e18, "bond");
        assertPhase(epoch - 1, EpochPhase.Ready, "two hours are long over");
    }

    /* HELPERS */

    function leave(uint256 nodeId) private {
        vm.startPrank(nodeOwner);
        nodes.requestExit(nodeId);
        vm.warp(block.timestamp + UNBONDING);
        nodes.withdraw(nodeId, nodeOwner);
        vm.stopPrank();
    }

    function setTip(uint16 tipBps) private {
        vm.prank(nodeOwner);
        emission.setTipBps(1, tipBps);
    }

    function expectNothing(uint256 nodeId) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NothingToClaim.selector, nodeId, epoch));
    }
}
