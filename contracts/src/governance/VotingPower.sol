// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IERC6372} from "@openzeppelin/contracts/interfaces/IERC6372.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";

import {Errors} from "../libraries/Errors.sol";

/// @title VotingPower
/// @notice What an account may vote with: its wrapped HEU and its stHEU, both as delegated on their tokens, one vote per
/// unit (ADR 0014). A view: it holds nothing and is owned by nobody.
/// @dev No unit counts twice: HEU under stHEU belongs to the vault, which never delegates it, so it votes by its stHEU
/// alone; an exit in progress has burned its stHEU and has no vote.
contract VotingPower is IERC5805 {
    /* IMMUTABLES */

    /// @notice Wrapped HEU, votes by `block.timestamp`.
    IERC5805 public immutable HEU;

    /// @notice stHEU, votes by `block.timestamp`.
    IERC5805 public immutable STAKED_HEU;

    /* CONSTRUCTOR */

    /// @dev Reverts unless both tokens count time as this contract does: else a snapshot would mean two moments.
    constructor(IERC5805 heu, IERC5805 stakedHeu) {
        _demandSameClock(heu);
        _demandSameClock(stakedHeu);

        HEU = heu;
        STAKED_HEU = stakedHeu;
    }

    function _demandSameClock(IERC5805 token) private view {
        require(keccak256(bytes(token.CLOCK_MODE())) == keccak256(bytes(CLOCK_MODE())), Errors.VotingPower_OtherClock());
    }

    /* VOTES */

    /// @inheritdoc IVotes
    function getVotes(address account) external view returns (uint256) {
        return HEU.getVotes(account) + STAKED_HEU.getVotes(account);
    }

    /// @inheritdoc IVotes
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        return HEU.getPastVotes(account, timepoint) + STAKED_HEU.getPastVotes(account, timepoint);
    }

    /// @inheritdoc IVotes
    /// @dev All wrapped HEU. It contains the HEU under stHEU, of which there is at least one per share, so it is never
    /// below the votes that exist.
    function getPastTotalSupply(uint256 timepoint) external view returns (uint256) {
        return HEU.getPastTotalSupply(timepoint);
    }

    /* DELEGATION */

    /// @inheritdoc IVotes
    /// @dev Always reverts: each token has its own delegate.
    function delegates(address) external pure returns (address) {
        revert Errors.VotingPower_DelegateOnTheTokens();
    }

    /// @inheritdoc IVotes
    /// @dev Always reverts: delegate on each token.
    function delegate(address) external pure {
        revert Errors.VotingPower_DelegateOnTheTokens();
    }

    /// @inheritdoc IVotes
    /// @dev Always reverts: delegate on each token.
    function delegateBySig(address, uint256, uint256, uint8, bytes32, bytes32) external pure {
        revert Errors.VotingPower_DelegateOnTheTokens();
    }

    /* CLOCK */

    /// @inheritdoc IERC6372
    function clock() external view returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @inheritdoc IERC6372
    // forge-lint: disable-next-line(mixed-case-function)
    function CLOCK_MODE() public pure returns (string memory) {
        return "mode=timestamp";
    }
}
