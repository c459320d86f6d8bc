// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";

/// @title Bounds
/// @notice Every governed parameter passes here with the bounds that the code fixes.
library Bounds {
    /// @dev Reverts unless `min <= value <= max`.
    function check(uint256 value, uint256 min, uint256 max) internal pure {
        require(value >= min && value <= max, Errors.Shared_OutOfBounds(value, min, max));
    }
}
