// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Counts what it is filled with.
contract ReservoirLedger {
    uint256 public filled;

    function fill() external payable {
        filled += msg.value;
    }
}
