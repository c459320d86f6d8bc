// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Constants} from "./Constants.sol";

/// @title EmissionMath
/// @notice How much HEU an epoch lets out, and to whom (wp §3.4.4): E = min(5 %, 1.25 % + 0.5 R).
/// @dev Whole amounts are cut by cumulative rounding: a part ends where the next begins, so parts add up to the whole.
library EmissionMath {
    /// @dev Wei of HEU that leave the emission supply with `epoch`: 5 % of the supply a year. The difference of two
    /// cumulative amounts, each rounded down; all `Constants.EMISSION_EPOCHS` together are the supply exactly, later ones
    /// zero.
    function budgetOf(uint256 epoch) internal pure returns (uint256) {
        if (epoch >= Constants.EMISSION_EPOCHS) return 0;
        return cutDown(Constants.EMISSION_SUPPLY, epoch, 1, Constants.EMISSION_EPOCHS);
    }

    /// @dev R (WAD): revenue of `Constants.REVENUE_EPOCHS` epochs in wei of HEU, made yearly, over the supply. Rounded down.
    function revenueRateWadDown(uint256 revenue) internal pure returns (uint256) {
        return Math.mulDiv(
            revenue, Constants.EPOCHS_PER_YEAR * Constants.WAD, Constants.REVENUE_EPOCHS * Constants.HEU_SUPPLY
        );
    }

    /// @dev Wei of HEU for micro-dollars at a price (USD per HEU, WAD). Rounded down.
    function heuForUsdDown(uint256 usd, uint256 heuPriceUsdWad) internal pure returns (uint256) {
        return Math.mulDiv(usd, Constants.WAD * 1e12, heuPriceUsdWad);
    }

    /// @dev E (WAD): the yearly emission to nodes. Rounded down.
    function rateWadDown(uint256 revenueRateWad) internal pure returns (uint256) {
        uint256 dynamicRateWad = Math.mulDiv(revenueRateWad, Constants.REVENUE_SLOPE_WAD, Constants.WAD);
        uint256 room = Constants.MAX_EMISSION_RATE_WAD - Constants.BASE_EMISSION_RATE_WAD;

        return Constants.BASE_EMISSION_RATE_WAD + (dynamicRateWad < room ? dynamicRateWad : room);
    }

    /// @dev Cuts an epoch's budget at revenue R. `basePart` is rounded down, and so is `basePart + dynamicPart`, which is
    /// E; the reservoir gets the rest, so the three add up to the budget.
    function cut(uint256 budget, uint256 revenueRateWad)
        internal
        pure
        returns (uint256 basePart, uint256 dynamicPart, uint256 reservoirPart)
    {
        basePart = Math.mulDiv(budget, Constants.BASE_EMISSION_RATE_WAD, Constants.MAX_EMISSION_RATE_WAD);
        uint256 nodes = Math.mulDiv(budget, rateWadDown(revenueRateWad), Constants.MAX_EMISSION_RATE_WAD);
        dynamicPart = nodes - basePart;
        reservoirPart = budget - nodes;
    }

    /// @dev The piece of `whole` between `before` and `before + weight` out of `total`: the difference of the two cuts,
    /// each rounded down. Pieces side by side add up to the whole. Assumes `before + weight <= total` and `total > 0`.
    function cutDown(uint256 whole, uint256 before, uint256 weight, uint256 total) internal pure returns (uint256) {
        return Math.mulDiv(whole, before + weight, total) - Math.mulDiv(whole, before, total);
    }
}
