// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IGaugeHook
/// @notice What stHEU tells a gauge: every change of an account's balance, in the transaction that makes it.
/// @dev A gauge's power is the account's own stHEU balance; delegation counts for governance only (ADR 0010).
interface IGaugeHook {
    /// @notice `account` holds `newBalance` stHEU from now on. Only stHEU calls this: after a mint, a burn and a
    /// transfer (once for each side), when its books are done.
    /// @dev Warning: a revert refuses the balance change, an exit included. A vote that kept its weight while the stHEU
    /// moved on would count twice (C5), so stHEU does not swallow it. The owner can unset a gauge that fails.
    /// @param newBalance stHEU with 18 decimals.
    function onBalanceChanged(address account, uint256 newBalance) external;
}
