// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The registry's view of a slasher, set by hand.
contract DisputeSwitch {
    mapping(uint256 nodeId => bool) public hasOpenDispute;
    mapping(address owner => bool) public isBarred;

    function setOpen(uint256 nodeId, bool open) external {
        hasOpenDispute[nodeId] = open;
    }

    function setBarred(address owner, bool barred) external {
        isBarred[owner] = barred;
    }

    receive() external payable {}
}
