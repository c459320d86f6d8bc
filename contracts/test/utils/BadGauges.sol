// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGaugeHook} from "../../src/interfaces/IGaugeHook.sol";

/// @notice Refuses every balance change.
contract RefusingGauge is IGaugeHook {
    error Refused();

    function onBalanceChanged(address, uint256) external pure {
        revert Refused();
    }
}

/// @notice Calls `target` with each of its calls while stHEU tells it of a change; remembers which succeeded.
contract ReentrantGauge is IGaugeHook {
    address private target;
    bytes[] private calls;
    uint256 public tries;
    uint256 public successes;
    bytes4 public lastError;

    constructor(address target_, bytes[] memory calls_) {
        target = target_;
        for (uint256 i; i < calls_.length; ++i) {
            calls.push(calls_[i]);
        }
    }

    function onBalanceChanged(address, uint256) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool success, bytes memory result) = target.call(calls[i]);
            tries += 1;
            if (success) successes += 1;
            else lastError = bytes4(result);
        }
    }
}
