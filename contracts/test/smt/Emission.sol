// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../src/libraries/Constants.sol";
import {EmissionMath} from "../../src/libraries/EmissionMath.sol";

/// @notice Properties of `EmissionMath` (C2). Amounts are wei of HEU up to the whole supply.
contract EmissionProperties {
    /// @notice E is between 1.25 % and 5 % at any revenue up to a million times the supply a year.
    function rateStaysInItsBounds(uint256 revenueRateWad) external pure {
        require(revenueRateWad <= 1e24);
        uint256 rateWad = EmissionMath.rateWadDown(revenueRateWad);
        assert(rateWad >= Constants.BASE_EMISSION_RATE_WAD && rateWad <= Constants.MAX_EMISSION_RATE_WAD);
    }

    /// @notice More revenue never means less emission.
    function rateNeverFallsWithRevenue(uint256 lower, uint256 higher) external pure {
        require(lower <= higher && higher <= 1e24);
        assert(EmissionMath.rateWadDown(lower) <= EmissionMath.rateWadDown(higher));
    }

    /// @notice C2: base, dynamic and reservoir part of an epoch add up to its budget.
    function partsAddUpToTheBudget(uint256 budget, uint256 revenueRateWad) external pure {
        require(budget <= Constants.EMISSION_SUPPLY && revenueRateWad <= 1e24);
        (uint256 base, uint256 dynamicPart, uint256 reservoir) = EmissionMath.cut(budget, revenueRateWad);
        assert(base + dynamicPart + reservoir == budget);
    }

    /// @notice The base part is a quarter of the budget, rounded down.
    function basePartIsAQuarter(uint256 budget, uint256 revenueRateWad) external pure {
        require(budget <= Constants.EMISSION_SUPPLY && revenueRateWad <= 1e24);
        (uint256 base,,) = EmissionMath.cut(budget, revenueRateWad);
        assert(base * 4 <= budget && budget < base * 4 + 4);
    }

    /// @notice The budgets of any two neighbouring epochs differ by at most one wei.
    function budgetsAreLevel(uint256 epoch) external pure {
        require(epoch < Constants.EMISSION_EPOCHS - 1);
        uint256 one = EmissionMath.budgetOf(epoch);
        uint256 next = EmissionMath.budgetOf(epoch + 1);
        assert(one <= next + 1 && next <= one + 1);
    }

    /// @notice Up to any epoch exactly its share of the supply has left, rounded down; after the last, all of it.
    /// @dev Induction: what left before `epoch` is the first cut; with its budget it is the second.
    function budgetsDrainTheSupplyExactly(uint256 epoch) external pure {
        require(epoch < Constants.EMISSION_EPOCHS);
        uint256 before = Constants.EMISSION_SUPPLY * epoch / Constants.EMISSION_EPOCHS;
        uint256 afterwards = Constants.EMISSION_SUPPLY * (epoch + 1) / Constants.EMISSION_EPOCHS;
        assert(before + EmissionMath.budgetOf(epoch) == afterwards);
    }

    /// @notice Nothing leaves after the last epoch.
    function nothingLeavesAfterTheLastEpoch(uint256 epoch) external pure {
        require(epoch >= Constants.EMISSION_EPOCHS);
        assert(EmissionMath.budgetOf(epoch) == 0);
    }

    /// @notice Two pieces side by side are together what one piece over both is: nodes' rewards add up to the part.
    function piecesAddUp(uint256 whole, uint256 before, uint256 first, uint256 second, uint256 total) external pure {
        require(whole <= Constants.EMISSION_SUPPLY && total < 2 ** 128 && total > 0);
        require(before < 2 ** 128 && first < 2 ** 128 && second < 2 ** 128 && before + first + second <= total);
        assert(
            EmissionMath.cutDown(whole, before, first, total)
                    + EmissionMath.cutDown(whole, before + first, second, total)
                == EmissionMath.cutDown(whole, before, first + second, total)
        );
    }

    /// @notice The piece over the whole length is the whole.
    function wholePieceIsTheWhole(uint256 whole, uint256 total) external pure {
        require(whole <= Constants.EMISSION_SUPPLY && total < 2 ** 128 && total > 0);
        assert(EmissionMath.cutDown(whole, 0, total, total) == whole);
    }

    /// @notice No piece is above its fair part by one wei or more, nor below.
    function pieceIsFairWithinOneWei(uint256 whole, uint256 before, uint256 weight, uint256 total) external pure {
        require(whole <= Constants.EMISSION_SUPPLY && total < 2 ** 128 && total > 0);
        require(before < 2 ** 128 && weight < 2 ** 128 && before + weight <= total);
        uint256 piece = EmissionMath.cutDown(whole, before, weight, total);
        assert(piece * total < whole * weight + total && whole * weight < (piece + 1) * total);
    }
}
