// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";

/// @title HeuristTimelock
/// @notice Owns every parameter and the treasury. What it does was proposed, voted on and known for its delay.
/// @dev It starts without a delay and with `deployer` as administrator, proposer and executor, so that a deployment can
/// hand the contracts over to it; the deployment's last step sets the delay, makes the governor the only proposer,
/// canceller and executor, and renounces the rest. Only the governor executes, so that its expiry of old proposals holds.
contract HeuristTimelock is TimelockController {
    constructor(address deployer) TimelockController(0, _only(deployer), _only(deployer), deployer) {}

    /// @inheritdoc TimelockController
    /// @dev Seconds, between `Constants.MIN_TIMELOCK_DELAY` and `Constants.MAX_TIMELOCK_DELAY`.
    function updateDelay(uint256 newDelay) public override {
        Bounds.check(newDelay, Constants.MIN_TIMELOCK_DELAY, Constants.MAX_TIMELOCK_DELAY);

        super.updateDelay(newDelay);
    }

    function _only(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
