// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The part of an account's escrow that is not final, in one storage slot. See `Escrow` for the units.
struct Bucket {
    uint96 newest;
    uint96 maturing;
    uint64 openedAt;
}

/// @title EscrowLib
/// @notice Two buckets hold earnings through the challenge window. `newest` takes credits for one window after
/// `openedAt`; then it becomes `maturing` for one more. So every credit waits at least one window, at most two.
library EscrowLib {
    /// @dev Brings `bucket` forward to `timestamp` and returns what became final on the way.
    function advance(Bucket memory bucket, uint256 timestamp, uint256 window) internal pure returns (uint256 matured) {
        uint256 closesAt = bucket.openedAt + window;
        if (timestamp < closesAt) return 0;

        matured = bucket.maturing;
        if (timestamp < closesAt + window) {
            bucket.maturing = bucket.newest;
            bucket.openedAt = uint64(closesAt);
        } else {
            matured += bucket.newest;
            bucket.maturing = 0;
            bucket.openedAt = uint64(timestamp);
        }
        bucket.newest = 0;
    }
}
