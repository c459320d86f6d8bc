// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The part of an account's escrow that is not final, in one word: openedAt (64 bits) | maturing (96) | newest
/// (96). See `Escrow` for the units.
type Bucket is uint256;

/// @title EscrowLib
/// @notice Two amounts hold earnings through the challenge window. `newest` takes credits for one window after
/// `openedAt`; then it becomes `maturing` for one more. So every credit waits at least one window, at most two.
/// @dev A value type, because a struct costs about 500 gas more for every row of a batch.
library EscrowLib {
    uint256 private constant AMOUNT_MASK = type(uint96).max;

    function newest(Bucket bucket) internal pure returns (uint256) {
        return Bucket.unwrap(bucket) & AMOUNT_MASK;
    }

    function maturing(Bucket bucket) internal pure returns (uint256) {
        return (Bucket.unwrap(bucket) >> 96) & AMOUNT_MASK;
    }

    /// @dev Unix seconds.
    function openedAt(Bucket bucket) internal pure returns (uint256) {
        return Bucket.unwrap(bucket) >> 192;
    }

    /// @dev Assumes that the amounts fit 96 bits and the time 64.
    function pack(uint256 newest_, uint256 maturing_, uint256 openedAt_) internal pure returns (Bucket) {
        return Bucket.wrap((openedAt_ << 192) | (maturing_ << 96) | newest_);
    }

    /// @dev Adds to `newest`. Assumes that the sum fits 96 bits.
    function add(Bucket bucket, uint256 amount) internal pure returns (Bucket) {
        unchecked {
            return Bucket.wrap(Bucket.unwrap(bucket) + amount);
        }
    }

    /// @dev Brings `bucket` forward to `timestamp`; `matured` is what became final on the way.
    function advance(Bucket bucket, uint256 timestamp, uint256 window)
        internal
        pure
        returns (Bucket advanced, uint256 matured)
    {
        uint256 closesAt = openedAt(bucket) + window;
        if (timestamp < closesAt) return (bucket, 0);
        if (timestamp < closesAt + window) return (pack(0, newest(bucket), closesAt), maturing(bucket));

        return (pack(0, 0, timestamp), maturing(bucket) + newest(bucket));
    }
}
