// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";

/// @title NativeTransfer
/// @notice Sends native HEU with all gas and says who refused it.
/// @dev Warning: hands control to `receiver`. Call it last, after every state change.
library NativeTransfer {
    function send(address receiver, uint256 amount) internal {
        require(receiver != address(0), Errors.Shared_ZeroAddress());

        (bool success,) = receiver.call{value: amount}("");
        require(success, Errors.Shared_NativeTransferFailed(receiver));
    }
}
