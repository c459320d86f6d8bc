// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title IWrappedHeu
/// @notice HEU is the gas coin of the chain; this is its ERC-20 form, one to one. Amounts in wei of HEU.
/// @dev Invariant: `totalSupply() <= address(this).balance`. Coins forced in without a call stay as surplus.
interface IWrappedHeu is IERC20 {
    /// @notice Wraps `msg.value` for the caller. Sending plain HEU does the same. Anyone may call.
    function deposit() external payable;

    /// @notice Wraps `msg.value` for `account`. Anyone may call.
    function depositFor(address account) external payable;

    /// @notice Burns `amount` of the caller's tokens and sends the same amount of HEU to the caller.
    function withdraw(uint256 amount) external;

    /// @notice Burns `amount` of the caller's tokens and sends the same amount of HEU to `receiver`.
    /// @dev Reverts with `Shared_NativeTransferFailed` when `receiver` refuses the coins.
    function withdrawTo(address receiver, uint256 amount) external;
}
