// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../../src/libraries/Constants.sol";
import {SplitMath} from "../../../src/libraries/SplitMath.sol";

/// @notice False on purpose: a checker that calls this proved proves nothing.
contract CanaryProperties {
    /// @notice A share is never below its part of the payment. (It is rounded down.)
    function shareIsRoundedUp(uint256 payment, uint256 bps) external pure {
        require(payment < 2 ** 96 && bps <= Constants.BPS);
        assert(SplitMath.shareDown(payment, bps) * Constants.BPS >= payment * bps);
    }
}
