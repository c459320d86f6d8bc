// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Errors} from "../libraries/Errors.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title CompoundAccount
/// @notice One node's earnings on their way: takes native HEU and tokens, gives them to its compounder alone.
contract CompoundAccount {
    using SafeERC20 for IERC20;

    address public immutable compounder;

    constructor() {
        compounder = msg.sender;
    }

    receive() external payable {}

    /// @notice Sends all native HEU to the compounder. Only the compounder.
    /// @return amount Wei.
    function takeHeu() external returns (uint256 amount) {
        require(msg.sender == compounder, Errors.Compounder_NotCompounder(msg.sender));

        amount = address(this).balance;
        if (amount != 0) NativeTransfer.send(compounder, amount);
    }

    /// @notice Sends all of a token to `receiver`. Only the compounder.
    function takeToken(address token, address receiver) external {
        require(msg.sender == compounder, Errors.Compounder_NotCompounder(msg.sender));

        uint256 amount = IERC20(token).balanceOf(address(this));
        if (amount != 0) IERC20(token).safeTransfer(receiver, amount);
    }
}
