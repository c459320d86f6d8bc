// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Events} from "../libraries/Events.sol";

/// @title HeuBurn
/// @notice Where native HEU ends: it takes coins, and has no code that could send any. Its balance is what was burned.
contract HeuBurn {
    receive() external payable {
        emit Events.Burned(msg.sender, msg.value);
    }
}
