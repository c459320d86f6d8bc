// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IGuardedPause} from "../interfaces/IGuardedPause.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";

/// @title GuardedPause
/// @notice Mixin: an owned contract whose guardian may stop the functions marked `whenNotPaused` for a bounded time.
abstract contract GuardedPause is IGuardedPause, Ownable2Step {
    /* STORAGE */

    /// @inheritdoc IGuardedPause
    address public guardian;

    /// @inheritdoc IGuardedPause
    uint48 public guardianExpiresAt;

    /// @inheritdoc IGuardedPause
    uint48 public pausedUntil;

    /// @dev The guardian may not pause before this time (unix seconds).
    uint48 private _nextPauseAt;

    /* MODIFIERS */

    modifier whenNotPaused() {
        // Not `require`: it would read `pausedUntil` once more for an error that is hardly ever thrown.
        if (paused()) revert Errors.GuardedPause_Paused(pausedUntil);
        _;
    }

    /* PAUSE */

    /// @inheritdoc IGuardedPause
    function pause() external {
        require(msg.sender == guardian, Errors.GuardedPause_NotGuardian(msg.sender));
        require(block.timestamp < guardianExpiresAt, Errors.GuardedPause_TermEnded(guardianExpiresAt));
        require(!paused(), Errors.GuardedPause_Paused(pausedUntil));
        require(block.timestamp >= _nextPauseAt, Errors.GuardedPause_TooSoon(_nextPauseAt));

        pausedUntil = uint48(block.timestamp) + Constants.PAUSE_SECONDS;
        _nextPauseAt = pausedUntil + Constants.PAUSE_COOLDOWN;

        emit Events.Paused(msg.sender, pausedUntil);
    }

    /// @inheritdoc IGuardedPause
    function unpause() external {
        require(msg.sender == owner() || msg.sender == guardian, Errors.GuardedPause_NotGuardian(msg.sender));
        require(paused(), Errors.GuardedPause_NotPaused());

        pausedUntil = uint48(block.timestamp);
        _nextPauseAt = pausedUntil + Constants.PAUSE_COOLDOWN;

        emit Events.Unpaused(msg.sender);
    }

    /// @inheritdoc IGuardedPause
    function setGuardian(address guardian_) external onlyOwner {
        guardian = guardian_;
        guardianExpiresAt = uint48(block.timestamp) + Constants.GUARDIAN_TERM;
        _nextPauseAt = 0;

        emit Events.GuardianChanged(guardian_, guardianExpiresAt);
    }

    /* VIEWS */

    /// @inheritdoc IGuardedPause
    function paused() public view returns (bool) {
        return block.timestamp < pausedUntil;
    }
}
