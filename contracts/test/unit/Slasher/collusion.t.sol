// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Verdict} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

/// @notice Law N2 against validators who lie together. Honest members vote what re-running the audits gives: nothing against
/// an honest node, 10^6 against a guilty one. Colluders vote the other way.
contract CollusionTest is SlasherFixture {
    uint256 private constant DRAWS = 2000;

    function test_AThirdOfAFullHouseCannotSlash() public {
        vm.prank(owner);
        slasher.setCommitteeSize(11);
        // v0 to v3 collude; two of them accuse, so two of the ten that can sit do.
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        vote(caseId, 2, 4, LOG_E_SLASH, 0);

        assertClosed(caseId, Verdict.Acquitted);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL, "whole");
    }

    function test_AThirdOfAFullHouseCannotSave() public {
        vm.prank(owner);
        slasher.setCommitteeSize(11);
        // v8 to v11 collude; two honest validators accuse, so four of the ten that can sit do.
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        vote(caseId, 8, 12, 0, LOG_E_SLASH);
        assertClosed(caseId, Verdict.Guilty);
    }

    function test_DrawnCommitteesSlashWithinTheBound() public {
        manyValidators();
        // Ten of thirty collude; two accuse: eight of twenty-eight can sit. More than half of seven is four.
        (uint256 numerator, uint256 denominator) = tail(8, 20, 7, 4);
        assertEq(numerator * 10_000 / denominator, 768, "7.68 % for a committee of seven of thirty");
        assertWithin(draws(20, 28, 4), numerator, denominator);
    }

    function test_DrawnCommitteesSaveWithinTheBound() public {
        manyValidators();
        // Ten of twenty-eight that can sit; the accusers are honest.
        (uint256 numerator, uint256 denominator) = tail(10, 18, 7, 4);
        assertEq(numerator * 10_000 / denominator, 1805, "18.05 % for a committee of seven of thirty");
        assertWithin(draws(18, 28, 4), numerator, denominator);
        // What a real network should ask for: the same third, a committee of 51 of 200.
        (numerator, denominator) = tail(67, 131, 51, 26);
        assertLe(numerator * 1_000_000 / denominator, 2700, "at most 0.27 %");
        (numerator, denominator) = tail(65, 133, 51, 26);
        assertLe(numerator * 1_000_000 / denominator, 1500, "an honest node: at most 0.15 %");
    }

    function test_EachTryCostsTheColludersTheirStakes() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        vote(caseId, 2, 4, LOG_E_SLASH, 0);
        uint256 lost = 2 * BOND - bondOf(v[0]) - bondOf(v[1]);
        assertEq(lost, 2 * ACCUSATION, "lost");
        // Their part of a first slash would be 40 % of 10 %, and they win it at most at the bound above.
        (uint256 numerator, uint256 denominator) = tail(8, 20, 7, 4);
        uint256 wonWei = uint256(MIN_COLLATERAL) * 4 / 100;
        assertLe(wonWei * numerator, lost * (denominator - numerator), "a losing bet");
    }

    function testFuzz_LeavingMovesNobodyElse(bytes32 seed, uint256 leaver) public {
        leaver = bound(leaver, 0, 11);
        address[] memory before = validators.draw(9, seed, COMMITTEE, uint64(block.timestamp));
        vm.prank(v[leaver]);
        validators.requestExit();
        address[] memory afterwards = validators.draw(9, seed, COMMITTEE, uint64(block.timestamp));

        uint256 shift;
        for (uint256 i; i + shift < COMMITTEE; ++i) {
            if (before[i] == v[leaver]) shift = 1;
            if (i + shift < COMMITTEE) assertEq(afterwards[i], before[i + shift], vm.toString(i));
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

    function manyValidators() private {
        for (uint256 i = 12; i < 28; ++i) {
            join(string.concat("validator", vm.toString(i)));
        }
        pass(1);
    }

    /// @dev How often `v[first]` to before `v[end]` hold at least `needed` of seven seats among the first 28 validators.
    function draws(uint256 first, uint256 end, uint256 needed) private view returns (uint256 won) {
        for (uint256 i; i < DRAWS; ++i) {
            address[] memory members =
                validators.draw(9, keccak256(abi.encode("seed", i)), COMMITTEE, uint64(block.timestamp));
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
