// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice An account's money in one asset, in one word: capExpiresAt (64 bits) | capRemaining (96) | balance (96). See
/// `Account` for the units.
type Money is uint256;

/// @title MoneyLib
/// @notice Balance and spending cap share a word, so that a debit row costs one cold SSTORE.
/// @dev A value type, because a struct costs about 1,500 gas more for every row of a batch.
library MoneyLib {
    uint256 private constant AMOUNT_MASK = type(uint96).max;

    function balance(Money money) internal pure returns (uint256) {
        return Money.unwrap(money) & AMOUNT_MASK;
    }

    function capRemaining(Money money) internal pure returns (uint256) {
        return (Money.unwrap(money) >> 96) & AMOUNT_MASK;
    }

    /// @dev Unix seconds.
    function capExpiresAt(Money money) internal pure returns (uint256) {
        return Money.unwrap(money) >> 192;
    }

    /// @dev Assumes that the amounts fit 96 bits and the time 64.
    function pack(uint256 balance_, uint256 capRemaining_, uint256 capExpiresAt_) internal pure returns (Money) {
        return Money.wrap((capExpiresAt_ << 192) | (capRemaining_ << 96) | balance_);
    }

    /// @dev Takes `amount` from balance and cap. Assumes that both have it.
    function spend(Money money, uint256 amount) internal pure returns (Money) {
        unchecked {
            return Money.wrap(Money.unwrap(money) - ((amount << 96) | amount));
        }
    }

    /// @dev Adds to the balance. Assumes that the sum fits 96 bits.
    function deposit(Money money, uint256 amount) internal pure returns (Money) {
        return pack(balance(money) + amount, capRemaining(money), capExpiresAt(money));
    }

    /// @dev Takes from the balance alone; reverts below zero.
    function withdraw(Money money, uint256 amount) internal pure returns (Money) {
        return pack(balance(money) - amount, capRemaining(money), capExpiresAt(money));
    }

    /// @dev Replaces the cap.
    function withCap(Money money, uint256 capRemaining_, uint256 capExpiresAt_) internal pure returns (Money) {
        return pack(balance(money), capRemaining_, capExpiresAt_);
    }
}
