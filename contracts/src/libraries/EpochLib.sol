// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title EpochLib
/// @notice Epochs of exactly one week, counted from 0 at `genesis` (unix seconds), which every contract is given alike.
library EpochLib {
    uint256 internal constant WEEK = 1 weeks;

    /// @dev The epoch at `timestamp`. A time before `genesis` counts as epoch 0, so that nothing reverts before it.
    function epochAt(uint256 genesis, uint256 timestamp) internal pure returns (uint256) {
        return timestamp <= genesis ? 0 : (timestamp - genesis) / WEEK;
    }

    /// @dev Unix seconds of the epoch's first second: the flip from the epoch before.
    function startOf(uint256 genesis, uint256 epoch) internal pure returns (uint256) {
        return genesis + epoch * WEEK;
    }

    /// @dev Unix seconds of the first second after the epoch.
    function endOf(uint256 genesis, uint256 epoch) internal pure returns (uint256) {
        return startOf(genesis, epoch + 1);
    }
}
