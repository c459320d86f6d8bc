// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Case, Stage, Verdict} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract CommitteeTest is SlasherFixture {
    function disputed() private returns (uint256 caseId) {
        caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
    }

    /* DRAW */

    function testFuzz_NoAccuserSits(uint16 blocks) public {
        vm.roll(block.number + blocks);
        uint256 caseId = disputed();
        address[] memory members = draw(caseId);

        assertEq(members.length, SEATS, "seats");
        assertStage(caseId, Stage.Voting, "voting");
        for (uint256 i; i < members.length; ++i) {
            assertTrue(members[i] != v[0] && members[i] != v[1], "no accuser");
            assertTrue(validators.isActive(members[i]), "a validator");
            assertEq(lockedOf(members[i]), DUTY, "duty");
            for (uint256 j; j < i; ++j) {
                assertTrue(members[i] != members[j], "no seat twice");
            }
        }
        assertMoney();
    }

    function test_NobodyJoinsForACase() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        for (uint256 i; i < 50; ++i) {
            join(string.concat("latecomer", vm.toString(i)));
        }
        pass(COMMIT);
        reveal(caseId, v[0], claim(LOG_E_JAIL));
        pass(REVEAL);
        slasher.conclude(caseId);
        answer(caseId);
        address[] memory members = draw(caseId);
        assertEq(members.length, 8, "seats");
        for (uint256 i; i < members.length; ++i) {
            for (uint256 j = 9; j < v.length; ++j) {
                assertTrue(members[i] != v[j], "no latecomer");
            }
        }
    }

    function test_RevertWhen_DrawnEarly() public {
        uint256 caseId = disputed();
        uint64 drawBlock = slasher.getCase(caseId).deadline;
        vm.roll(drawBlock);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, drawBlock + 1, type(uint64).max)
        );
        slasher.draw(caseId);
    }

    function test_AForgottenBlockIsReplaced() public {
        uint256 caseId = disputed();
        uint64 drawBlock = slasher.getCase(caseId).deadline;
        vm.roll(drawBlock + 257);
        vm.expectEmit();
        emit Events.DrawScheduled(caseId, 1, drawBlock + 259);
        slasher.draw(caseId);

        assertStage(caseId, Stage.Drawing, "still drawing");
        assertEq(draw(caseId).length, SEATS, "then drawn");
    }

    function test_TooFewValidatorsDecideNothing() public {
        uint256 caseId = disputed();
        for (uint256 i = 4; i < v.length; ++i) {
            vm.prank(v[i]);
            validators.requestExit();
        }
        for (uint8 round = 1; round <= 3; ++round) {
            assertEq(slasher.getCase(caseId).round, round, "round");
            draw(caseId);
        }
        assertClosed(caseId, Verdict.Unresolved);
        assertEq(slasher.owedTo(nodeOwner), DISPUTE_BOND, "the bond comes back");
        assertTrue(nodes.isActive(hotKey), "free");
        assertEq(bondOf(v[0]), BOND, "no accuser pays");
    }

    /* VOTE */

    function test_RevertWhen_TheVoteIsNotWelcome() public {
        uint256 caseId = disputed();
        address[] memory members = draw(caseId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_NotMember.selector, caseId, v[0]));
        vm.prank(v[0]);
        slasher.commitVote(caseId, bytes32(uint256(1)));
        vm.expectRevert(Errors.Slasher_ZeroCommitment.selector);
        vm.prank(members[0]);
        slasher.commitVote(caseId, bytes32(0));

        commitVote(caseId, members[0], 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_AlreadyVoted.selector, caseId, members[0]));
        vm.prank(members[0]);
        slasher.commitVote(caseId, bytes32(uint256(1)));

        uint64 ends = slasher.getCase(caseId).commitEnds;
        vm.warp(ends);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, 0, ends));
        vm.prank(members[1]);
        slasher.commitVote(caseId, bytes32(uint256(1)));
    }

    function test_RevertWhen_TheVoteIsNotTheCommittedOne() public {
        uint256 caseId = disputed();
        address[] memory members = draw(caseId);
        commitVote(caseId, members[0], LOG_E_SLASH);
        bytes32 copied = keccak256(abi.encode(caseId, uint8(1), members[0], LOG_E_SLASH, saltOf(members[0])));
        vm.prank(members[1]);
        slasher.commitVote(caseId, copied);
        Case memory c = slasher.getCase(caseId);
        bytes memory outside =
            abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, c.commitEnds, c.deadline);

        vm.warp(c.commitEnds - 1);
        vm.expectRevert(outside);
        vm.prank(members[0]);
        slasher.revealVote(caseId, LOG_E_SLASH, saltOf(members[0]));

        vm.warp(c.commitEnds);
        vm.prank(members[0]);
        slasher.revealVote(caseId, LOG_E_SLASH, saltOf(members[0]));
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, members[0]));
        vm.prank(members[0]);
        slasher.revealVote(caseId, LOG_E_SLASH, saltOf(members[0]));
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, members[1]));
        vm.prank(members[1]);
        slasher.revealVote(caseId, LOG_E_SLASH, saltOf(members[0]));
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, members[2]));
        vm.prank(members[2]);
        slasher.revealVote(caseId, 0, bytes32(0));

        vm.warp(c.deadline);
        vm.expectRevert(outside);
        vm.prank(members[1]);
        slasher.revealVote(caseId, LOG_E_SLASH, saltOf(members[0]));
    }

    /* RESOLVE */

    function test_AMajorityConvicts() public {
        uint256 caseId = disputed();
        address[] memory members = judge(caseId, ballots(SEATS, 4, LOG_E_SLASH));

        assertClosed(caseId, Verdict.Guilty);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL * 9 / 10, "slashed");
        for (uint256 i; i < members.length; ++i) {
            assertEq(slasher.owedTo(members[i]), DISPUTE_BOND / 7, "the bond pays the committee");
            assertEq(lockedOf(members[i]), 0, "free");
        }
        assertEq(slasher.owedTo(nodeOwner), 0, "forfeited");
    }

    function test_HalfIsNotEnough() public {
        uint256 caseId = disputed();
        judge(caseId, ballots(6, 3, LOG_E_SLASH));
        assertClosed(caseId, Verdict.Acquitted);
    }

    function test_FalseAccusersPay() public {
        uint256 caseId = disputed();
        address[] memory members = judge(caseId, ballots(SEATS, 3, LOG_E_SLASH));

        assertClosed(caseId, Verdict.Acquitted);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertTrue(nodes.isActive(hotKey), "free");
        assertEq(slasher.offencesOf(nodeOwner), 0, "no record");
        assertFalse(slasher.isBarred(nodeOwner), "not barred");
        uint256 seized = 2 * ACCUSATION;
        assertEq(bondOf(v[0]) + bondOf(v[1]), 2 * BOND - seized, "both lose their stakes");
        assertEq(slasher.owedTo(nodeOwner), DISPUTE_BOND + seized / 2, "bond and half to the owner");
        uint256 each = seized / 5 / 7;
        assertEq(slasher.owedTo(members[0]), each, "a fifth to the committee");
        assertEq(burn.balance, seized - seized / 2 - 7 * each, "the rest is burned");
    }

    function test_EvidenceForAJailIsNoLie() public {
        uint256 caseId = disputed();
        judge(caseId, ballots(SEATS, 7, LOG_E_SLASH - 1));

        assertClosed(caseId, Verdict.Served);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertEq(bondOf(v[0]), BOND, "nobody lied");
        assertEq(slasher.owedTo(nodeOwner), DISPUTE_BOND, "the bond comes back");
        assertTrue(nodes.isActive(hotKey), "free");
    }

    function test_AJailCanBeAnswered() public {
        uint256 caseId = bring(1, claim(LOG_E_JAIL));
        answer(caseId);
        judge(caseId, ballots(8, 5, LOG_E_JAIL));
        assertClosed(caseId, Verdict.Served);
        assertTrue(nodes.getNode(nodeId).jailed, "upheld");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "not slashed");
        vm.warp(slasher.jailedUntil(nodeId));
        slasher.free(nodeId);
        assertTrue(nodes.isActive(hotKey), "served");

        pass(COOLDOWN);
        caseId = bring(1, claim(LOG_E_JAIL));
        answer(caseId);
        judge(caseId, ballots(8, 4, LOG_E_JAIL));
        assertClosed(caseId, Verdict.Acquitted);
        assertEq(bondOf(v[0]), BOND - ACCUSATION, "the accuser pays");
        assertTrue(nodes.isActive(hotKey), "free at once");
    }

    function test_WhoStaysAwayPays() public {
        uint256 caseId = disputed();
        address[] memory members = judge(caseId, ballots(5, 5, LOG_E_SLASH));

        assertClosed(caseId, Verdict.Guilty);
        assertEq(bondOf(members[4]), BOND, "voted");
        assertEq(bondOf(members[5]), BOND - DUTY, "stayed away");
        assertFalse(validators.isActive(members[5]), "below the least bond");
        assertEq(slasher.owedTo(members[5]), 0, "and earns nothing");
        assertEq(slasher.owedTo(members[0]), DISPUTE_BOND / 5, "the others share");
    }

    function test_ADeadCommitteeReopens() public {
        uint256 caseId = disputed();
        address[] memory dead = judge(caseId, ballots(3, 3, LOG_E_SLASH));

        assertStage(caseId, Stage.Drawing, "another round");
        assertEq(slasher.getCase(caseId).round, 2, "round");
        assertTrue(nodes.isActive(hotKey), "out of jail");
        assertTrue(slasher.hasOpenDispute(nodeId), "but its collateral stays");
        assertMoney();

        address[] memory members = judge(caseId, ballots(3, 3, LOG_E_SLASH));
        assertEq(members.length, 3, "seats");
        for (uint256 i = 3; i < dead.length; ++i) {
            for (uint256 j; j < members.length; ++j) {
                assertTrue(dead[i] != members[j], "who stayed away is not asked again");
            }
        }
        // Silence of the others does not make three of seven a majority.
        assertClosed(caseId, Verdict.Served);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertEq(bondOf(v[0]), BOND, "nobody lied");
    }

    function test_AnotherDrawnCommitteeConvicts() public {
        joinUpTo(90);
        uint256 caseId = disputed();
        address[] memory dead = judge(caseId, ballots(25, 25, LOG_E_SLASH));
        assertEq(dead.length, COMMITTEE, "drawn");
        assertStage(caseId, Stage.Drawing, "another round");

        address[] memory members = judge(caseId, ballots(COMMITTEE, 34, LOG_E_SLASH));
        assertEq(members.length, COMMITTEE, "drawn again");
        assertClosed(caseId, Verdict.Guilty);
        assertTrue(nodes.getNode(nodeId).jailed, "jailed again");
    }

    function test_ADrawnCommitteeNeedsTwoThirds() public {
        joinUpTo(54);
        uint256 caseId = disputed();
        judge(caseId, ballots(COMMITTEE, 33, LOG_E_SLASH));
        assertClosed(caseId, Verdict.Served);
        assertEq(slasher.getCase(caseId).needed, 34, "two thirds");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "one short of two thirds");
        assertEq(bondOf(v[0]), BOND, "most agreed: nobody lied");

        pass(COOLDOWN);
        caseId = disputed();
        judge(caseId, ballots(COMMITTEE, 34, LOG_E_SLASH));
        assertClosed(caseId, Verdict.Guilty);
    }

    function test_AnEmptySeatIsAVoteAgainst() public {
        uint256 caseId = disputed();
        // Three of the four opened votes, but only three of seven seats.
        judge(caseId, ballots(4, 3, LOG_E_SLASH));
        assertClosed(caseId, Verdict.Served);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
    }

    function test_DeadCommitteesEndForTheNode() public {
        uint256 caseId = disputed();
        judge(caseId, ballots(0, 0, 0));
        // Who stayed away lost its seat, and too few are left.
        draw(caseId);
        draw(caseId);

        assertClosed(caseId, Verdict.Unresolved);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertEq(slasher.owedTo(nodeOwner), DISPUTE_BOND, "the bond comes back");
        assertEq(bondOf(v[0]), BOND, "the accusers were never heard");
        assertEq(accuse(v[0], claim(LOG_E_SLASH)), 2, "and may come back at once");
    }

    function testFuzz_MoreThanHalfDecides(uint256 seed, uint8 count) public {
        count = uint8(bound(count, 4, 7));
        uint64[] memory votes = new uint64[](count);
        uint256 above;
        for (uint256 i; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            // Around both thresholds, and anywhere.
            uint64[4] memory choices = [LOG_E_SLASH, LOG_E_SLASH - 1, LOG_E_JAIL - 1, uint64(word)];
            votes[i] = choices[word >> 64 & 3];
            if (votes[i] >= LOG_E_SLASH) ++above;
        }
        uint256 caseId = disputed();
        judge(caseId, votes);

        assertTrue((slasher.getCase(caseId).verdict == Verdict.Guilty) == (above >= 4), "more than half of the seats");
        assertMoney();
    }

    function test_RevertWhen_ResolvedEarly() public {
        uint256 caseId = disputed();
        draw(caseId);
        uint64 deadline = slasher.getCase(caseId).deadline;
        vm.warp(deadline - 1);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Slasher_OutsideWindow.selector, caseId, deadline, type(uint64).max)
        );
        slasher.resolve(caseId);
    }
}
