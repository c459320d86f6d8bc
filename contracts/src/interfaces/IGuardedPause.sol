// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IGuardedPause
/// @notice A guardian who may stop the functions marked `whenNotPaused` of one contract, and nothing else (DESIGN §6.6).
/// @dev The power is small on purpose. It moves no funds and touches no parameter; ways out (withdrawals, claims, exits)
/// are never marked; a pause ends by itself after `Constants.PAUSE_SECONDS`, which is longer than a proposal takes; the
/// guardian must then wait `Constants.PAUSE_COOLDOWN`; and the appointment ends by itself after
/// `Constants.GUARDIAN_TERM`.
interface IGuardedPause {
    /// @notice Stops the marked functions for `Constants.PAUSE_SECONDS`. Only the guardian, during its term, not while a
    /// pause runs nor within `Constants.PAUSE_COOLDOWN` after one.
    function pause() external;

    /// @notice Ends a running pause at once. Only the owner, or the guardian (also after its term).
    function unpause() external;

    /// @notice Appoints `guardian` for `Constants.GUARDIAN_TERM` from now, in place of the present one; zero: nobody.
    /// A running pause goes on; the new guardian need not wait. Only the owner.
    function setGuardian(address guardian) external;

    /// @notice Whether the marked functions are stopped now.
    function paused() external view returns (bool);

    /// @notice The end of the running or of the last pause, unix seconds; 0 = never paused.
    function pausedUntil() external view returns (uint48);

    /// @notice Zero when nobody is appointed. The term is not looked at: see `guardianExpiresAt`.
    function guardian() external view returns (address);

    /// @notice The end of the guardian's term, unix seconds.
    function guardianExpiresAt() external view returns (uint48);
}
