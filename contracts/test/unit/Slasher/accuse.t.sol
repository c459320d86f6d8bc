// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Case, Claim, Stage, Stakes, Verdict} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract AccuseTest is SlasherFixture {
    /* ACCUSE */

    function test_AccusationJailsAtOnce() public {
        vm.expectEmit();
        emit Events.CaseOpened(1, nodeId, nodeOwner);
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));

        Case memory c = slasher.getCase(caseId);
        assertEq(caseId, 1, "ids count from 1");
        assertEq(c.nodeId, nodeId, "node");
        assertEq(c.nodeOwner, nodeOwner, "owner");
        assertEq(c.commitEnds, block.timestamp + COMMIT, "commitments");
        assertEq(c.deadline, block.timestamp + COMMIT + REVEAL, "openings");
        assertStage(caseId, Stage.Gathering, "gathering");
        assertTrue(nodes.getNode(nodeId).jailed, "jailed");
        assertFalse(nodes.isActive(hotKey), "no jobs");
        assertTrue(slasher.hasOpenDispute(nodeId), "open");
        assertTrue(slasher.isBarred(nodeOwner), "no second name");
        assertEq(lockedOf(v[0]), ACCUSATION, "stake");
        assertMoney();
    }

    function test_OthersJoinTheCase() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        pass(COMMIT - 1);
        assertEq(accuse(v[1], claim(LOG_E_SLASH)), caseId, "same case");
        assertEq(slasher.accusersOf(caseId).length, 2, "accusers");
        assertEq(slasher.caseCount(), 1, "cases");
    }

    function test_RevertWhen_AStrangerAccuses() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_NotValidator.selector, stranger));
        vm.prank(stranger);
        slasher.accuse(nodeId, bytes32(uint256(1)));

        vm.prank(v[0]);
        validators.requestExit();
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_NotValidator.selector, v[0]));
        vm.prank(v[0]);
        slasher.accuse(nodeId, bytes32(uint256(1)));
    }

    function test_RevertWhen_AccusingAgainTooSoon() public {
        uint64 from = uint64(block.timestamp) + COOLDOWN;
        uint256 caseId = bring(1, claim(LOG_E_JAIL));
        vm.warp(from - 1);
        slasher.expire(caseId);
        assertFalse(slasher.hasOpenDispute(nodeId), "closed");
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_CoolingDown.selector, nodeId, v[0], from));
        vm.prank(v[0]);
        slasher.accuse(nodeId, bytes32(uint256(1)));
        assertEq(accuse(v[1], claim(LOG_E_JAIL)), 2, "others may");
        vm.warp(from + COMMIT + REVEAL);
        slasher.conclude(2);
        assertEq(accuse(v[0], claim(LOG_E_JAIL)), 3, "later");
    }

    function test_RevertWhen_TheNodeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 9));
        vm.prank(v[0]);
        slasher.accuse(9, bytes32(uint256(1)));
    }

    function test_RevertWhen_TheCommitmentIsEmpty() public {
        vm.expectRevert(Errors.Slasher_ZeroCommitment.selector);
        vm.prank(v[0]);
        slasher.accuse(nodeId, bytes32(0));
    }

    function test_RevertWhen_TheBondIsLockedElsewhere() public {
        Stakes memory stakes = launchStakes();
        stakes.accusation = BOND;
        vm.prank(owner);
        slasher.setStakes(stakes);
        accuse(v[0], claim(LOG_E_JAIL));
        uint256 second = registerNode("second", stranger);

        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_BondLocked.selector, v[0], 0, BOND));
        vm.prank(v[0]);
        slasher.accuse(second, bytes32(uint256(1)));
    }

    function test_RevertWhen_JoiningTooLate() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        uint64 ends = slasher.getCase(caseId).commitEnds;
        pass(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, 0, ends));
        vm.prank(v[1]);
        slasher.accuse(nodeId, bytes32(uint256(1)));

        reveal(caseId, v[0], claim(LOG_E_JAIL));
        pass(REVEAL);
        slasher.conclude(caseId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_WrongStage.selector, caseId, 2, 1));
        vm.prank(v[1]);
        slasher.accuse(nodeId, bytes32(uint256(1)));
    }

    /* REVEAL */

    function test_RevealKeepsTheClaim() public {
        uint256 caseId = accuse(v[0], fault());
        bytes32 before = slasher.getCase(caseId).entropy;
        pass(COMMIT);

        vm.expectEmit();
        emit Events.ClaimRevealed(caseId, v[0], LOG_E_SLASH, fault().auditsRoot, true);
        reveal(caseId, v[0], fault());

        Claim memory kept = slasher.claimOf(caseId, v[0]);
        assertEq(keccak256(abi.encode(kept)), keccak256(abi.encode(fault())), "claim");
        assertEq(slasher.getCase(caseId).entropy, keccak256(abi.encode(before, v[0], saltOf(v[0]))), "entropy");
    }

    function test_RevertWhen_RevealedOutsideTheWindow() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        Case memory c = slasher.getCase(caseId);
        bytes memory outside =
            abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, c.commitEnds, c.deadline);

        vm.warp(c.commitEnds - 1);
        vm.expectRevert(outside);
        reveal(caseId, v[0], claim(LOG_E_JAIL));
        vm.warp(c.deadline);
        vm.expectRevert(outside);
        reveal(caseId, v[0], claim(LOG_E_JAIL));
        vm.warp(c.deadline - 1);
        reveal(caseId, v[0], claim(LOG_E_JAIL));
    }

    function testFuzz_RevertWhen_TheClaimDiffers(uint64 logE, bytes32 root, bool objective, bytes32 salt) public {
        Claim memory real = claim(LOG_E_JAIL);
        Claim memory other = Claim(logE, root, objective);
        if (keccak256(abi.encode(other)) == keccak256(abi.encode(real)) && salt == saltOf(v[0])) return;
        uint256 caseId = accuse(v[0], real);
        pass(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, v[0]));
        vm.prank(v[0]);
        slasher.reveal(caseId, other, salt);
    }

    function test_RevertWhen_ACommitmentIsCopied() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_SLASH));
        // The copy is a good commitment of another, and nothing that the copier could open.
        bytes32 copied = keccak256(abi.encode(caseId, v[0], claim(LOG_E_SLASH), saltOf(v[0])));
        vm.prank(v[1]);
        slasher.accuse(nodeId, copied);
        pass(COMMIT);
        reveal(caseId, v[0], claim(LOG_E_SLASH));

        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, v[1]));
        vm.prank(v[1]);
        slasher.reveal(caseId, claim(LOG_E_SLASH), saltOf(v[0]));

        // The same commitment in another case opens nothing either.
        pass(REVEAL);
        slasher.conclude(caseId);
        pass(JAIL);
        slasher.expire(caseId);
        pass(COOLDOWN);
        vm.prank(v[0]);
        slasher.accuse(nodeId, copied);
        pass(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, 2, v[0]));
        reveal(2, v[0], claim(LOG_E_SLASH));
    }

    function test_RevertWhen_RevealedTwice() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        pass(COMMIT);
        reveal(caseId, v[0], claim(LOG_E_JAIL));
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, v[0]));
        reveal(caseId, v[0], claim(LOG_E_JAIL));
    }

    /* CONCLUDE */

    function test_TwoClaimsMakeAProposal() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        Case memory c = slasher.getCase(caseId);
        assertStage(caseId, Stage.Answerable, "answerable");
        assertEq(c.slashBps, 1000, "10 %");
        assertEq(c.deadline, block.timestamp + DISPUTE, "24 hours");
        assertTrue(nodes.getNode(nodeId).jailed, "jailed");
        assertEq(lockedOf(v[0]), ACCUSATION, "the accusers stand by it");
        assertMoney();
    }

    function test_TwoFaultsProposeEverything() public {
        uint256 caseId = bring(2, fault());
        assertEq(slasher.getCase(caseId).slashBps, 10_000, "100 %");
    }

    function testFuzz_LessMakesAJail(uint64 first, uint64 second) public {
        first = uint64(bound(first, LOG_E_JAIL, type(uint64).max));
        second = uint64(bound(second, LOG_E_JAIL, LOG_E_SLASH - 1));
        uint256 caseId = accuse(v[0], claim(first));
        accuse(v[1], claim(second));
        pass(COMMIT);
        reveal(caseId, v[0], claim(first));
        reveal(caseId, v[1], claim(second));
        pass(REVEAL);
        slasher.conclude(caseId);

        Case memory c = slasher.getCase(caseId);
        assertStage(caseId, Stage.Answerable, "answerable");
        assertEq(c.slashBps, 0, "no slash");
        assertEq(c.deadline, block.timestamp + JAIL, "the jail's length");
    }

    function test_FrivolousAccusersPay() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL - 1));
        accuse(v[1], claim(LOG_E_SLASH));
        pass(COMMIT);
        reveal(caseId, v[0], claim(LOG_E_JAIL - 1));
        // The second one opens nothing.
        pass(REVEAL);
        slasher.conclude(caseId);

        assertClosed(caseId, Verdict.Dropped);
        assertFalse(nodes.getNode(nodeId).jailed, "free");
        assertTrue(nodes.isActive(hotKey), "active");
        assertFalse(slasher.isBarred(nodeOwner), "clean");
        assertEq(bondOf(v[0]), BOND - ACCUSATION, "too little even by its own claim");
        assertEq(bondOf(v[1]), BOND - ACCUSATION, "opened nothing");
        assertEq(lockedOf(v[0]) + lockedOf(v[1]), 0, "nothing locked");
        assertFalse(validators.isActive(v[0]), "below the least bond");
        assertEq(slasher.owedTo(nodeOwner), ACCUSATION, "half of both to the owner");
        assertEq(burn.balance, ACCUSATION, "half of both burned");
    }

    function test_OnlyTheFrivolousPay() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_SLASH));
        accuse(v[1], claim(LOG_E_SLASH));
        accuse(v[2], claim(LOG_E_SLASH));
        pass(COMMIT);
        reveal(caseId, v[0], claim(LOG_E_SLASH));
        reveal(caseId, v[1], claim(LOG_E_SLASH));
        pass(REVEAL);
        slasher.conclude(caseId);

        assertStage(caseId, Stage.Answerable, "goes on");
        assertEq(bondOf(v[0]), BOND, "serious");
        assertEq(bondOf(v[2]), BOND - ACCUSATION, "silent");
        assertEq(slasher.owedTo(nodeOwner), ACCUSATION / 2, "owner");
        assertMoney();
        convictUnanswered(caseId);
        assertEq(slasher.owedTo(v[2]), 0, "no part of the slash");
        assertClosed(caseId, Verdict.Guilty);
    }

    function test_RevertWhen_ConcludedEarlyOrTwice() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        uint64 deadline = slasher.getCase(caseId).deadline;
        vm.warp(deadline - 1);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, deadline, type(uint64).max)
        );
        slasher.conclude(caseId);
        vm.warp(deadline);
        slasher.conclude(caseId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_WrongStage.selector, caseId, 5, 1));
        slasher.conclude(caseId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_UnknownCase.selector, 2));
        slasher.conclude(2);
    }
}
