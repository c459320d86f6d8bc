// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Stage, Verdict} from "../../../src/interfaces/ISlasher.sol";
import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {EvidenceLib} from "../../../src/libraries/EvidenceLib.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

/// @notice Law N2 against validators who lie together. Honest members vote what re-running the audits gives: nothing against
/// an honest node, 10^6 against a guilty one. Colluders vote the other way.
contract CollusionTest is SlasherFixture {
    uint256 private constant DRAWS = 2000;

    function test_AThirdOfAFullHouseCannotSlash() public {
        joinUpTo(12);
        // v0 to v3 collude; two of them accuse, so two of the ten that can sit do.
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        vote(caseId, 2, 4, LOG_E_SLASH, 0);

        assertClosed(caseId, Verdict.Acquitted);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
        assertEq(bondOf(v[0]) + bondOf(v[1]), 2 * (BOND - ACCUSATION), "and each try costs them their stakes");
    }

    function test_AThirdOfAFullHouseCannotSave() public {
        joinUpTo(12);
        // v8 to v11 collude; two honest validators accuse, so four of the ten that can sit do.
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        vote(caseId, 8, 12, 0, LOG_E_SLASH);
        assertClosed(caseId, Verdict.Guilty);
    }

    function test_AFullHouseIsSafeBothWays() public pure {
        for (uint256 n = 7; n <= uint256(Constants.MAX_COMMITTEE) + 2; ++n) {
            uint256 bad = n / 3;
            uint256 needed = EvidenceLib.votesNeeded(n - 2, n - 2);
            assertLe(bad - 1, needed, "two colluders accuse, the others can not convict");
            assertGe(n - 2 - bad, needed, "two honest ones accuse, the others convict");
        }
    }

    function test_ADrawnCommitteeHardlyEverSlashesAnHonestNode() public pure {
        uint256 size = Constants.MIN_COMMITTEE;
        for (uint256 n = size + 3; n <= Constants.MAX_VALIDATORS; ++n) {
            assertSafe(n, size);
        }
    }

    function testFuzz_LargerCommitteesAreNoWorse(uint256 n, uint256 size) public pure {
        size = bound(size, Constants.MIN_COMMITTEE / 2, Constants.MAX_COMMITTEE / 2) * 2 + 1;
        if (size > Constants.MAX_COMMITTEE) size -= 2;
        n = bound(n, size + 3, Constants.MAX_VALIDATORS);
        assertSafe(n, size);
    }

    function test_ADrawnCommitteeHardlyEverPunishesHonestAccusers() public pure {
        // Honest accusers pay when more than half of the seats deny; a third of 200 hold them by chance:
        (uint256 numerator, uint256 denominator) = tail(66, 132, 51, 26);
        assertEq(numerator * 100_000 / denominator, 195, "0.195 %");
        // and of the largest registry:
        (numerator, denominator) = tail(85, 169, 51, 26);
        assertLe(numerator * 1000, 4 * denominator, "at most 0.4 %");
        (numerator, denominator) = tail(66, 132, 101, 51);
        assertEq(numerator * 1_000_000_000 / denominator, 114, "with 101 seats 1.1 in 10^7");
    }

    function test_TheDrawIsFair() public {
        joinUpTo(28);
        // Eight of them hold four of seven seats as often as computed.
        (uint256 numerator, uint256 denominator) = tail(8, 20, 7, 4);
        assertEq(numerator * 10_000 / denominator, 768, "7.68 %");
        assertWithin(draws(20, 28, 4), numerator, denominator);
    }

    function test_SilenceMakesAMinorityNoMajority() public {
        joinUpTo(18);
        // v0 to v5 collude. Two accuse, four sit, and all honest members miss the first vote.
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        voteOnly(caseId, 2, 6);
        assertStage(caseId, Stage.Drawing, "a dead committee");
        address[] memory members = voteOnly(caseId, 2, 6);

        assertEq(members.length, 4, "only colluders are left");
        assertClosed(caseId, Verdict.Served);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "and they can not convict");
    }

    function testFuzz_LeavingMovesNobodyElse(bytes32 seed, uint256 leaver) public {
        leaver = bound(leaver, 0, 8);
        (address[] memory before,) = validators.draw(9, seed, SEATS, uint64(block.timestamp));
        vm.prank(v[leaver]);
        validators.requestExit();
        (address[] memory afterwards,) = validators.draw(9, seed, SEATS, uint64(block.timestamp));

        uint256 shift;
        for (uint256 i; i + shift < SEATS; ++i) {
            if (before[i] == v[leaver]) shift = 1;
            if (i + shift < SEATS) assertEq(afterwards[i], before[i + shift], vm.toString(i));
        }
    }

    function test_VotesCannotBeCopied() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        address[] memory members = draw(caseId);
        // A lazy member repeats the commitment that it saw, and later the opening.
        bytes32 seen = keccak256(abi.encode(caseId, uint8(1), members[0], LOG_E_SLASH, saltOf(members[0])));
        commitVote(caseId, members[0], LOG_E_SLASH);
        vm.prank(members[1]);
        slasher.commitVote(caseId, seen);
        pass(VOTE);
        revealVote(caseId, members[0], LOG_E_SLASH);
        vm.expectRevert(abi.encodeWithSelector(Errors.Slasher_BadReveal.selector, caseId, members[1]));
        vm.prank(members[1]);
        slasher.revealVote(caseId, LOG_E_SLASH, saltOf(members[0]));
    }

    /* HELPERS */

    /// @dev Members `v[first]` to before `v[end]` vote `theirs`, all others `honest`.
    function vote(uint256 caseId, uint256 first, uint256 end, uint64 theirs, uint64 honest) private {
        address[] memory members = draw(caseId);
        uint64[] memory votes = new uint64[](members.length);
        for (uint256 i; i < members.length; ++i) {
            votes[i] = honest;
            for (uint256 j = first; j < end; ++j) {
                if (members[i] == v[j]) votes[i] = theirs;
            }
            commitVote(caseId, members[i], votes[i]);
        }
        pass(VOTE);
        for (uint256 i; i < members.length; ++i) {
            revealVote(caseId, members[i], votes[i]);
        }
        pass(REVEAL);
        slasher.resolve(caseId);
    }

    /// @dev Only `v[first]` to before `v[end]` vote, and find what was claimed.
    function voteOnly(uint256 caseId, uint256 first, uint256 end) private returns (address[] memory members) {
        members = draw(caseId);
        for (uint256 j = first; j < end; ++j) {
            commitVote(caseId, v[j], LOG_E_SLASH);
        }
        pass(VOTE);
        for (uint256 j = first; j < end; ++j) {
            revealVote(caseId, v[j], LOG_E_SLASH);
        }
        pass(REVEAL);
        slasher.resolve(caseId);
    }

    /// @dev A third of `n` validators collude, two of them accuse: they hold the votes needed of `size` seats at most once
    /// in a million draws.
    function assertSafe(uint256 n, uint256 size) private pure {
        uint256 bad = n / 3 - 2;
        uint256 needed = EvidenceLib.votesNeeded(size, n - 2);
        (uint256 numerator, uint256 denominator) = tail(bad, n - 2 - bad, size, needed);
        assertLe(numerator, denominator / 1_000_000, vm.toString(n));
    }

    /// @dev How often `v[first]` to before `v[end]` hold at least `needed` of seven seats among the first 28 validators.
    function draws(uint256 first, uint256 end, uint256 needed) private view returns (uint256 won) {
        for (uint256 i; i < DRAWS; ++i) {
            (address[] memory members,) =
                validators.draw(9, keccak256(abi.encode("seed", i)), SEATS, uint64(block.timestamp));
            uint256 seats;
            for (uint256 j; j < members.length; ++j) {
                for (uint256 k = first; k < end; ++k) {
                    if (members[j] == v[k]) ++seats;
                }
            }
            if (seats >= needed) ++won;
        }
    }

    /// @dev Within five standard deviations of the exact probability, both ways: the draw is not only safe but fair.
    function assertWithin(uint256 won, uint256 numerator, uint256 denominator) private pure {
        uint256 expected = DRAWS * numerator / denominator;
        uint256 distance = won > expected ? won - expected : expected - won;
        assertLe(distance * distance, 25 * expected + 25, "as often as computed");
    }

    /// @dev Hypergeometric tail: at least `needed` of `seats` from `bad` and `good` without replacement, as a fraction.
    function tail(uint256 bad, uint256 good, uint256 seats, uint256 needed)
        private
        pure
        returns (uint256 numerator, uint256 denominator)
    {
        denominator = choose(bad + good, seats);
        for (uint256 i = needed; i <= seats && i <= bad; ++i) {
            numerator += choose(bad, i) * choose(good, seats - i);
        }
    }

    function choose(uint256 n, uint256 k) private pure returns (uint256 ways) {
        if (k > n) return 0;
        if (k > n - k) k = n - k;
        ways = 1;
        for (uint256 i; i < k; ++i) {
            ways = ways * (n - i) / (i + 1);
        }
    }
}
