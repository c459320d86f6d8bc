// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Constants} from "./Constants.sol";

/// @title StakeMath
/// @notice The rate between HEU and stHEU: `(totalAssets + VIRTUAL_STAKE) / (totalShares + VIRTUAL_STAKE)`.
/// @dev Why the rate never falls (C1). Write A and S for the totals with the virtual stake, a and s for what moves.
/// Deposit: s <= a * S / A, so a * S >= s * A, so (A + a) / (S + s) >= A / S. Mint asks a >= s * A / S: the same.
/// Exit: a <= s * A / S, so (A - a) / (S - s) >= A / S. A reward raises A alone. Nothing else moves A or S.
library StakeMath {
    /// @dev stHEU for `assets`, rounded down: what a deposit gets.
    function toSharesDown(uint256 assets, uint256 totalAssets, uint256 totalShares) internal pure returns (uint256) {
        return Math.mulDiv(assets, totalShares + Constants.VIRTUAL_STAKE, totalAssets + Constants.VIRTUAL_STAKE);
    }

    /// @dev HEU for `shares`. Down: what an exit gets. Up: what a mint asks.
    function toAssets(uint256 shares, uint256 totalAssets, uint256 totalShares, Math.Rounding rounding)
        internal
        pure
        returns (uint256)
    {
        return Math.mulDiv({
            x: shares,
            y: totalAssets + Constants.VIRTUAL_STAKE,
            denominator: totalShares + Constants.VIRTUAL_STAKE,
            rounding: rounding
        });
    }
}
