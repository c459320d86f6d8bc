// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Constants} from "./Constants.sol";

/// @title CreditMath
/// @notice What a deposit is worth in nano-credits, always rounded down.
library CreditMath {
    /// @dev Micro-dollars: 1e6 = 1 USD = 100 credits.
    function fromUsd(uint256 amount) internal pure returns (uint256 nanoCredits) {
        return amount * (Constants.NANO_CREDITS_PER_USD / 1e6);
    }

    /// @dev Wei of HEU at a price (USD per HEU, WAD), with the bonus in basis points.
    function fromHeuDown(uint256 amount, uint256 heuPriceUsdWad, uint256 bonusBps)
        internal
        pure
        returns (uint256 nanoCredits)
    {
        return Math.mulDiv(
            amount,
            heuPriceUsdWad * Constants.NANO_CREDITS_PER_USD * (Constants.BPS + bonusBps),
            Constants.WAD * Constants.WAD * Constants.BPS
        );
    }
}
