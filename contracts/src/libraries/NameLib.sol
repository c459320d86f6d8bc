// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "./Constants.sol";
import {Errors} from "./Errors.sol";

/// @title NameLib
/// @notice Names of pods and frontends. Which characters are nice is for clients to say; here only the length counts.
library NameLib {
    /// @dev Reverts unless `name` has 1 to `Constants.MAX_NAME_BYTES` bytes.
    function check(string calldata name) internal pure {
        uint256 lengthBytes = bytes(name).length;
        require(lengthBytes != 0 && lengthBytes <= Constants.MAX_NAME_BYTES, Errors.Shared_BadName(lengthBytes));
    }
}
