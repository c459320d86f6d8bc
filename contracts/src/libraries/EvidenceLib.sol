// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "./Constants.sol";

/// @title EvidenceLib
/// @notice The pure rules of a case: what evidence is worth and what a verdict costs. Evidence is the natural logarithm of
/// an e-value, times 2^32.
library EvidenceLib {
    /// @notice What a committee must find: for a slash 10^6, for a jail 10^3.
    function threshold(uint16 slashBps) internal pure returns (uint64) {
        return slashBps == 0 ? Constants.LOG_E_JAIL : Constants.LOG_E_SLASH;
    }

    /// @notice What a guilty verdict costs (basis points of the collateral).
    /// @param offences Earlier guilty verdicts against the owner's nodes.
    function penalty(bool objective, uint256 offences) internal pure returns (uint16) {
        if (objective) return Constants.OBJECTIVE_FAULT_BPS;
        return offences == 0 ? Constants.FIRST_OFFENCE_BPS : Constants.REPEATED_OFFENCE_BPS;
    }

    /// @notice The accuser's weight in its part of a slash. Capped at what a slash needs: a higher claim costs nothing to
    /// make, so it earns nothing.
    function weight(uint64 logE) internal pure returns (uint256) {
        return logE < Constants.LOG_E_SLASH ? logE : Constants.LOG_E_SLASH;
    }

    /// @notice The lower median: at or above a threshold exactly when more than half of the votes are (half is not enough).
    /// @dev Sorts `votes` in place by insertion; a committee has at most `Constants.MAX_COMMITTEE` members. Assumes at least
    /// one vote.
    function lowerMedian(uint64[] memory votes) internal pure returns (uint64) {
        for (uint256 i = 1; i < votes.length; ++i) {
            uint64 vote = votes[i];
            uint256 place = i;
            for (; place > 0 && votes[place - 1] > vote; --place) {
                votes[place] = votes[place - 1];
            }
            votes[place] = vote;
        }
        return votes[(votes.length - 1) / 2];
    }

    /// @notice How many votes convict. A committee of everyone that can sit is as honest as the validators are: more than
    /// half. A drawn one may be worse by chance: two thirds, rounded up.
    /// @param eligible Validators that could sit, `seats` of whom do.
    function votesNeeded(uint256 seats, uint256 eligible) internal pure returns (uint16) {
        // Safe casts: a committee has at most `Constants.MAX_COMMITTEE` seats.
        if (seats >= eligible) return uint16(seats / 2 + 1);
        return uint16((2 * seats + 2) / 3);
    }

    /// @notice How many votes reach `threshold_`.
    function countAtLeast(uint64[] memory votes, uint64 threshold_) internal pure returns (uint256 count) {
        for (uint256 i; i < votes.length; ++i) {
            if (votes[i] >= threshold_) ++count;
        }
    }

    /// @notice Whether enough seats voted: more than half.
    function isQuorum(uint256 votes, uint256 seats) internal pure returns (bool) {
        return 2 * votes > seats;
    }
}
