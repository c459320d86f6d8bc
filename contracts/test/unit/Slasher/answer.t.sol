// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Case, Claim, Stage, Stakes, Verdict, Windows} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract AnswerTest is SlasherFixture {
    uint256 private constant SLASHED = 10e18;

    /* DISPUTE */

    function test_AnswerSchedulesADraw() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);

        Case memory c = slasher.getCase(caseId);
        assertStage(caseId, Stage.Drawing, "drawing");
        assertEq(c.deadline, block.number + 2, "a block that nobody knows");
        assertEq(c.disputer, nodeOwner, "disputer");
        assertEq(c.disputeBond, DISPUTE_BOND, "bond");
        assertEq(c.round, 1, "round");
        assertMoney();
    }

    function test_AnyoneMayAnswer() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        vm.deal(stranger, DISPUTE_BOND);
        vm.prank(stranger);
        slasher.dispute{value: DISPUTE_BOND}(caseId);
        judge(caseId, ballots(SEATS, 0, 0));
        assertClosed(caseId, Verdict.Acquitted);
        assertEq(slasher.owedTo(stranger), DISPUTE_BOND, "the bond comes back");
    }

    function testFuzz_RevertWhen_TheBondDiffers(uint96 sent) public {
        if (sent == DISPUTE_BOND) ++sent;
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        vm.deal(nodeOwner, sent);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_WrongBond.selector, sent, DISPUTE_BOND));
        vm.prank(nodeOwner);
        slasher.dispute{value: sent}(caseId);
    }

    function test_RevertWhen_AnsweredTooLate() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        uint64 deadline = slasher.getCase(caseId).deadline;
        vm.warp(deadline);
        vm.deal(nodeOwner, DISPUTE_BOND);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, 0, deadline));
        vm.prank(nodeOwner);
        slasher.dispute{value: DISPUTE_BOND}(caseId);

        slasher.expire(caseId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_WrongStage.selector, caseId, 3, 2));
        vm.prank(nodeOwner);
        slasher.dispute{value: DISPUTE_BOND}(caseId);
    }

    /* EXPIRE */

    function test_SilenceIsNotEvidence() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        vm.warp(block.timestamp + DISPUTE);
        slasher.expire(caseId);

        assertStage(caseId, Stage.Drawing, "a committee is asked for");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "nothing is slashed by time alone");
        judge(caseId, ballots(SEATS, 3, LOG_E_SLASH));
        assertClosed(caseId, Verdict.Acquitted);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertTrue(nodes.isActive(hotKey), "free");
        assertEq(bondOf(v[0]) + bondOf(v[1]), 2 * (BOND - ACCUSATION), "the accusers pay, answered or not");
        assertEq(slasher.owedTo(nodeOwner), ACCUSATION, "half of it to the sleeping owner");
    }

    function test_SilenceAndADeadCommitteeEndForTheNode() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        vm.warp(block.timestamp + DISPUTE);
        slasher.expire(caseId);
        judge(caseId, ballots(0, 0, 0));
        // Who stayed away lost its seat, and too few are left.
        draw(caseId);
        draw(caseId);

        assertClosed(caseId, Verdict.Unresolved);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertTrue(nodes.isActive(hotKey), "free");
    }

    function test_FirstOffenceCostsATenth() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);

        assertClosed(caseId, Verdict.Guilty);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL - SLASHED, "10 %");
        assertEq(slasher.owedTo(v[0]), SLASHED / 5, "20 % to each accuser");
        assertEq(slasher.owedTo(v[1]), SLASHED / 5, "40 % together");
        (uint256 pot,,) = refunds.potOf(caseId);
        assertEq(pot, SLASHED / 5, "20 % for the users");
        assertEq(burn.balance, SLASHED * 2 / 5, "40 % burned");
        assertEq(lockedOf(v[0]) + lockedOf(v[1]), 0, "the accusers are free");
        assertEq(bondOf(v[0]), BOND, "and whole");
        assertTrue(nodes.getNode(nodeId).jailed, "still jailed");
        assertEq(slasher.offencesOf(nodeOwner), 1, "record");
    }

    function test_SecondOffenceCostsHalf() public {
        uint256 second = registerNode("second", nodeOwner);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);

        nodeId = second;
        caseId = bring(2, claim(LOG_E_SLASH));
        assertEq(slasher.getCase(caseId).slashBps, 5000, "the owner's record counts");
        convictUnanswered(caseId);
        assertEq(nodes.getNode(second).collateral, MIN_COLLATERAL / 2, "half");
        assertClosed(caseId, Verdict.Guilty);
    }

    function test_AnObjectiveFaultCostsEverything() public {
        uint256 caseId = bring(2, fault());
        convictUnanswered(caseId);

        assertEq(nodes.getNode(nodeId).collateral, 0, "everything");
        assertEq(slasher.jailedUntil(nodeId), type(uint64).max, "for ever");
        vm.warp(block.timestamp + 10_000 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_StillJailed.selector, nodeId, type(uint64).max));
        slasher.free(nodeId);
        assertClosed(caseId, Verdict.Guilty);
    }

    function testFuzz_SlashSplitsToTheWei(uint96 extra, uint8 grade) public {
        vm.deal(address(this), extra);
        nodes.addCollateral{value: extra}(nodeId);
        uint256 collateral = uint256(MIN_COLLATERAL) + extra;
        uint256 caseId = bring(grade % 2 == 0 ? 2 : 3, grade % 3 == 0 ? fault() : claim(LOG_E_SLASH));
        convictUnanswered(caseId);

        uint256 slashed = collateral - nodes.getNode(nodeId).collateral;
        assertEq(slashed, grade % 3 == 0 ? collateral : collateral / 10, "slashed");
        (uint256 pot,,) = refunds.potOf(caseId);
        uint256 accusers = slasher.owedTo(v[0]) + slasher.owedTo(v[1]) + slasher.owedTo(v[2]);
        assertEq(accusers + pot + burn.balance, slashed, "no wei appears or disappears");
        assertEq(pot, slashed / 5, "20 %");
        assertLe(accusers, slashed * 2 / 5, "at most 40 %");
        assertGe(accusers + 4, slashed * 2 / 5, "40 % but for dust");
        assertClosed(caseId, Verdict.Guilty);
    }

    function test_AccusersArePaidByCappedEvidence() public {
        Claim memory loud = claim(type(uint64).max);
        uint256 caseId = accuse(v[0], loud);
        accuse(v[1], claim(LOG_E_SLASH));
        accuse(v[2], claim(LOG_E_JAIL));
        pass(COMMIT);
        reveal(caseId, v[0], loud);
        reveal(caseId, v[1], claim(LOG_E_SLASH));
        reveal(caseId, v[2], claim(LOG_E_JAIL));
        pass(REVEAL);
        slasher.conclude(caseId);
        convictUnanswered(caseId);

        assertEq(slasher.owedTo(v[0]), slasher.owedTo(v[1]), "shouting earns nothing");
        // Weights 2 : 2 : 1 of 4 HEU.
        assertEq(slasher.owedTo(v[2]), 0.8e18, "half the evidence, half the pay");
    }

    function test_WhatIsLeavingIsSlashed() public {
        vm.prank(nodeOwner);
        nodes.requestUnbond(nodeId, 60e18);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);
        assertEq(nodes.unbondingOf(nodeId).amount, 54e18, "leaving");
        assertEq(nodes.bondedOf(nodeId), 36e18, "staying");
    }

    function test_AJailEndsByItself() public {
        uint256 caseId = bring(1, claim(LOG_E_SLASH));
        vm.warp(block.timestamp + JAIL);
        slasher.expire(caseId);

        assertClosed(caseId, Verdict.Served);
        assertTrue(nodes.isActive(hotKey), "free");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertEq(bondOf(v[0]), BOND, "a single serious accuser loses nothing");
        assertEq(lockedOf(v[0]), 0, "free");
        assertEq(slasher.offencesOf(nodeOwner), 0, "no record");
    }

    function test_RevertWhen_ExpiredEarly() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        uint64 deadline = slasher.getCase(caseId).deadline;
        vm.warp(deadline - 1);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, deadline, type(uint64).max)
        );
        slasher.expire(caseId);
    }

    /* LEAVING AND COMING BACK */

    function test_NoExitBeforeTheCaseEnds() public {
        vm.startPrank(nodeOwner);
        nodes.requestUnbond(nodeId, 1e18);
        nodes.requestExit(nodeId);
        vm.stopPrank();
        vm.warp(block.timestamp + UNBONDING);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        // Longer than any delay and any jail of the registry: the open case alone holds it.
        vm.warp(block.timestamp + 400 days);
        bytes memory open = abi.encodeWithSelector(Errors.NodeRegistry_OpenDispute.selector, nodeId);
        vm.startPrank(nodeOwner);
        vm.expectRevert(open);
        nodes.withdraw(nodeId, nodeOwner);
        vm.expectRevert(open);
        nodes.completeUnbond(nodeId, nodeOwner);
        vm.stopPrank();

        convictUnanswered(caseId);
        vm.prank(nodeOwner);
        nodes.withdraw(nodeId, nodeOwner);
        assertEq(nodeOwner.balance, MIN_COLLATERAL - SLASHED, "what the slash left");
    }

    function test_AVerdictCannotBeWashedWhite() public {
        bytes memory consent = consentOf("fresh", nodeOwner);
        address key = makeAddr("fresh");
        vm.deal(nodeOwner, MIN_COLLATERAL);
        bytes memory barred = abi.encodeWithSelector(Errors.NodeRegistry_Barred.selector, nodeOwner);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        vm.expectRevert(barred);
        vm.prank(nodeOwner);
        nodes.register{value: MIN_COLLATERAL}(key, payout, FAR_FUTURE, consent);

        convictUnanswered(caseId);
        vm.expectRevert(barred);
        vm.prank(nodeOwner);
        nodes.register{value: MIN_COLLATERAL}(key, payout, FAR_FUTURE, consent);
        // Nor does the old key register with another owner.
        bytes memory old = consentOf("hot", stranger);
        vm.deal(stranger, MIN_COLLATERAL);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_KeyTaken.selector, hotKey));
        vm.prank(stranger);
        nodes.register{value: MIN_COLLATERAL}(hotKey, payout, FAR_FUTURE, old);
    }

    function test_AConvictServesItsTime() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);
        uint64 until = uint64(block.timestamp) + JAIL;
        assertEq(slasher.jailedUntil(nodeId), until, "time");

        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_StillJailed.selector, nodeId, until));
        slasher.free(nodeId);
        vm.warp(until);
        slasher.free(nodeId);
        assertFalse(nodes.getNode(nodeId).jailed, "free");
        assertFalse(nodes.isActive(hotKey), "but below the minimum");
        vm.deal(address(this), SLASHED);
        nodes.addCollateral{value: SLASHED}(nodeId);
        assertTrue(nodes.isActive(hotKey), "covered again");
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_StillJailed.selector, nodeId, 0));
        slasher.free(nodeId);
    }

    /* MONEY */

    function test_WithdrawPaysOnce() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);

        vm.prank(v[0]);
        assertEq(slasher.withdraw(stranger), SLASHED / 5, "returned");
        assertEq(stranger.balance, SLASHED / 5, "paid");
        assertMoney();
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_NothingOwed.selector, v[0]));
        vm.prank(v[0]);
        slasher.withdraw(stranger);
    }

    function test_ReentryFindsNothingOwed() public {
        Reentrant thief = new Reentrant();
        vm.deal(address(thief), BOND);
        thief.run(address(validators), abi.encodeCall(validators.topUp, ()));
        bytes memory joinCall = abi.encodeCall(validators.join, ());
        vm.prank(address(thief));
        (bool joined,) = address(validators).call{value: BOND}(joinCall);
        assertTrue(joined, "joined");
        v[0] = address(thief);
        pass(1);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);
        bytes memory again = abi.encodeCall(slasher.withdraw, (address(thief)));
        thief.arm(address(slasher), again);

        assertTrue(thief.run(address(slasher), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, SLASHED / 5, "only its own");
        assertMoney();
    }

    function test_RevertWhen_ReceiverRefuses() public {
        address refusing = address(new RevertingReceiver());
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        convictUnanswered(caseId);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        vm.prank(v[0]);
        slasher.withdraw(refusing);
        assertEq(slasher.owedTo(v[0]), SLASHED / 5, "still owed");
    }

    function test_RevertWhen_StrangersSendCoins() public {
        vm.deal(stranger, 1);
        vm.prank(stranger);
        (bool success, bytes memory reason) = address(slasher).call{value: 1}("");
        assertFalse(success, "refused");
        assertEq(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(Errors.Slasher_UnexpectedCoins.selector, stranger)),
            "reason"
        );
    }

    /* PARAMETERS */

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes[4] memory calls = [
            abi.encodeCall(slasher.setWindows, (launchWindows())),
            abi.encodeCall(slasher.setStakes, (launchStakes())),
            abi.encodeCall(slasher.setCommitteeSize, (99)),
            abi.encodeCall(slasher.setRestake, (stranger))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(slasher).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger)),
                vm.toString(i)
            );
            vm.prank(owner);
            (success,) = address(slasher).call(calls[i]);
            assertTrue(success, vm.toString(i));
        }
    }

    function test_RevertWhen_AParameterIsOutOfBounds() public {
        bytes[10] memory calls;
        Windows[6] memory windows;
        for (uint256 i; i < windows.length; ++i) {
            windows[i] = launchWindows();
        }
        windows[0].commit = 59;
        windows[1].vote = 59;
        windows[2].reveal = 7 days + 1;
        windows[3].dispute = 7 days + 1;
        windows[4].jail = 59;
        windows[5].cooldown = 30 days + 1;
        for (uint256 i; i < windows.length; ++i) {
            calls[i] = abi.encodeCall(slasher.setWindows, (windows[i]));
        }
        Stakes memory stakes = launchStakes();
        stakes.duty = 0;
        calls[6] = abi.encodeCall(slasher.setStakes, (stakes));
        calls[7] = abi.encodeCall(slasher.setCommitteeSize, (103));
        calls[8] = abi.encodeCall(slasher.setCommitteeSize, (52));
        calls[9] = abi.encodeCall(slasher.setCommitteeSize, (49));
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(owner);
            (bool success, bytes memory reason) = address(slasher).call(calls[i]);
            assertFalse(success, vm.toString(i));
            bytes4 expected = i == 8 ? Errors.Slasher_EvenCommittee.selector : Errors.Shared_OutOfBounds.selector;
            assertEq(bytes32(bytes4(reason)), bytes32(expected), vm.toString(i));
        }
    }
}
