// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ChallengeOutcome, EpochPhase} from "../../../src/interfaces/IEmissionController.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";

contract DisputeTest is EconomyFixture {
    uint256 private constant BOND = 1000e18;
    uint256 private epoch;

    function setUp() public override {
        super.setUp();
        epoch = epochNow();
        warpTo(epoch + 1);
        report(epoch, reports(reportOf(1, 10_000, 1, 0)));
        seal(epoch);
    }

    /* CHALLENGE */

    function test_RevertWhen_ThereIsNothingToChallenge() public {
        expectWrongPhase(epoch + 1, EpochPhase.Running, EpochPhase.Disputing);
        challenge(alice, epoch + 1);
        vm.warp(block.timestamp + 1 days);
        expectWrongPhase(epoch, EpochPhase.Ready, EpochPhase.Disputing);
        challenge(alice, epoch);
        emission.finalise(epoch);
        expectWrongPhase(epoch, EpochPhase.Final, EpochPhase.Disputing);
        challenge(alice, epoch);
        warpTo(epoch + 2);
        expectWrongPhase(epoch + 1, EpochPhase.Reporting, EpochPhase.Disputing);
        challenge(alice, epoch + 1);
    }

    function testFuzz_RevertWhen_TheBondIsWrong(uint96 sent) public {
        vm.assume(sent != BOND);
        vm.deal(alice, sent);
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_WrongBond.selector, sent, BOND));
        vm.prank(alice);
        emission.challenge{value: sent}(epoch, "evidence");
    }

    function test_AChallengeHoldsTheEpoch() public {
        vm.expectEmit();
        emit Events.EpochChallenged(epoch, 0, alice, "evidence", BOND);
        challenge(alice, epoch);

        assertPhase(epoch, EpochPhase.Challenged, "challenged");
        assertEq(emission.owed(), BOND, "held apart");
        vm.warp(block.timestamp + 29 days);
        expectWrongPhase(epoch, EpochPhase.Challenged, EpochPhase.Ready);
        emission.finalise(epoch);
    }

    function test_OthersMayJoin() public {
        challenge(alice, epoch);
        vm.warp(block.timestamp + 2 days);
        challenge(bob, epoch);
        resolve(true);

        emission.reclaimBond(epoch, 0, bob);
        vm.prank(stranger);
        emission.reclaimBond(epoch, 0, alice);
        assertEq(alice.balance, BOND, "alice");
        assertEq(bob.balance, BOND, "bob");
        assertEq(emission.owed(), 0, "nothing owed");
    }

    /* RESOLVE */

    function test_RevertWhen_AStrangerResolves() public {
        challenge(alice, epoch);
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", sequencer));
        vm.prank(sequencer);
        emission.resolve(epoch, false);
    }

    function test_RevertWhen_NothingIsOpen() public {
        expectWrongPhase(epoch, EpochPhase.Disputing, EpochPhase.Challenged);
        resolve(true);
    }

    function test_UpheldVoidsTheReport() public {
        challenge(alice, epoch);
        vm.warp(block.timestamp + 20 days);
        vm.expectEmit();
        emit Events.ChallengeResolved(epoch, 0, true);
        resolve(true);

        assertPhase(epoch, EpochPhase.Reporting, "reporting again, in a window of its own");
        assertEq(emission.emissionOf(epoch).report, 1, "the second report");
        assertEq(emission.emissionOf(epoch).baseWeight, 0, "emptied");
        report(epoch, reports(reportOf(2, 10_000, 1, 0)));
        seal(epoch);
        vm.warp(block.timestamp + 1 days);
        emission.finalise(epoch);
        assertEq(emission.rewardOf(1, epoch), 0, "the void report pays nothing");
        assertEq(emission.rewardOf(2, epoch), emission.emissionOf(epoch).basePart, "the second does");
        emission.claim(2, epoch);
        emission.reclaimBond(epoch, 0, alice);
        assertEq(emission.owed(), 0, "all paid");
    }

    function test_TheThirdVoidReportEndsIt() public {
        for (uint256 i; i < 3; ++i) {
            challenge(alice, epoch);
            resolve(true);
            emission.reclaimBond(epoch, i, alice);
            if (i == 2) break;
            report(epoch, reports(reportOf(1, 10_000, 1, 0)));
            seal(epoch);
        }
        expectWrongPhase(epoch, EpochPhase.Ready, EpochPhase.Reporting);
        report(epoch, reports(reportOf(1, 10_000, 1, 0)));
        emission.finalise(epoch);
        assertEq(emission.emissionOf(epoch).basePart, 0, "nobody gets it");
        assertEq(reservoir.filled(), emission.emissionOf(epoch).reservoirPart, "but the reservoir");
    }

    function test_RejectedTheReportStands() public {
        challenge(alice, epoch);
        resolve(false);

        assertEq(reservoir.filled(), BOND, "forfeited");
        assertEq(uint256(emission.outcomeOf(epoch, 0)), uint256(ChallengeOutcome.Rejected), "outcome");
        assertPhase(epoch, EpochPhase.Ready, "not to be challenged again");
        emission.finalise(epoch);
        assertEq(emission.rewardOf(1, epoch), emission.emissionOf(epoch).basePart, "stands");
        expectNoBond(0, alice);
        emission.reclaimBond(epoch, 0, alice);
    }

    /* BONDS */

    function test_AReenteringChallengerIsPaidOnce() public {
        Reentrant thief = new Reentrant();
        vm.deal(address(this), BOND);
        thief.run{value: BOND}(address(emission), abi.encodeCall(emission.challenge, (epoch, "evidence")));
        challenge(bob, epoch);
        resolve(true);
        thief.arm(address(emission), abi.encodeCall(emission.reclaimBond, (epoch, 0, address(thief))));
        emission.reclaimBond(epoch, 0, address(thief));

        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, BOND, "only its own");
        assertEq(emission.owed(), BOND, "bob's is there");
    }

    function test_RevertWhen_ThereIsNoBondToReclaim() public {
        challenge(alice, epoch);
        expectNoBond(0, alice);
        emission.reclaimBond(epoch, 0, alice);
        resolve(true);
        expectNoBond(0, bob);
        emission.reclaimBond(epoch, 0, bob);
        emission.reclaimBond(epoch, 0, alice);
        expectNoBond(0, alice);
        emission.reclaimBond(epoch, 0, alice);
        expectNoBond(1, alice);
        emission.reclaimBond(epoch, 1, alice);
    }

    function test_ARefusingChallengerBlocksNobody() public {
        address refusing = address(new RevertingReceiver());
        challenge(refusing, epoch);
        challenge(alice, epoch);
        resolve(true);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        emission.reclaimBond(epoch, 0, refusing);
        emission.reclaimBond(epoch, 0, alice);
        assertEq(alice.balance, BOND, "paid");
    }

    function test_AnUnansweredChallengeLapses() public {
        challenge(alice, epoch);
        vm.warp(block.timestamp + 30 days);
        expectWrongPhase(epoch, EpochPhase.Ready, EpochPhase.Challenged);
        resolve(true);
        vm.prank(stranger);
        emission.finalise(epoch);

        assertEq(uint256(emission.outcomeOf(epoch, 0)), uint256(ChallengeOutcome.Lapsed), "lapsed");
        emission.reclaimBond(epoch, 0, alice);
        assertEq(alice.balance, BOND, "back");
        assertEq(emission.rewardOf(1, epoch), emission.emissionOf(epoch).basePart, "the report stands");
    }

    /* HELPERS */

    function challenge(address challenger, uint256 epoch_) private {
        vm.deal(challenger, BOND);
        vm.prank(challenger);
        emission.challenge{value: BOND}(epoch_, "evidence");
    }

    function resolve(bool upheld) private {
        vm.prank(owner);
        emission.resolve(epoch, upheld);
    }

    function expectNoBond(uint256 number, address challenger) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NoBond.selector, epoch, number, challenger));
    }

    function expectWrongPhase(uint256 epoch_, EpochPhase phase, EpochPhase expected) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_WrongPhase.selector, epoch_, phase, expected));
    }
}
