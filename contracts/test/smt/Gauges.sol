// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../src/libraries/Constants.sol";
import {GaugeMath} from "../../src/libraries/GaugeMath.sol";

/// @notice Properties of `GaugeMath` for weights up to the supply of HEU times 10,000 basis points.
contract GaugeProperties {
    /// @notice No share of the votes is above one.
    function shareIsAtMostOne(uint256 weight, uint256 totalWeight, uint256 quorumWeight) external pure {
        require(weight <= totalWeight && totalWeight < 2 ** 104 && quorumWeight < 2 ** 104);
        assert(GaugeMath.shareWadDown(weight, totalWeight, quorumWeight) <= Constants.WAD);
    }

    /// @notice The multiplier is between 1.0 and 2.5.
    function multiplierStaysInItsBounds(uint256 shareWad, uint256 saturationBps) external pure {
        require(shareWad <= Constants.WAD && saturationBps > 0 && saturationBps <= Constants.BPS);
        uint256 multiplierWad = GaugeMath.multiplierWadDown(shareWad, saturationBps);
        assert(multiplierWad >= Constants.MIN_MULTIPLIER_WAD && multiplierWad <= Constants.MAX_MULTIPLIER_WAD);
    }

    /// @notice More votes never lower the multiplier.
    function multiplierNeverFallsWithVotes(uint256 lower, uint256 higher, uint256 saturationBps) external pure {
        require(lower <= higher && higher <= Constants.WAD && saturationBps > 0 && saturationBps <= Constants.BPS);
        assert(GaugeMath.multiplierWadDown(lower, saturationBps) <= GaugeMath.multiplierWadDown(higher, saturationBps));
    }

    /// @notice Two voters together never get more than the pot.
    function partsStayWithinThePot(uint256 pot, uint256 one, uint256 other, uint256 weight) external pure {
        require(pot < 2 ** 96 && weight < 2 ** 104 && one <= weight && other <= weight - one);
        assert(GaugeMath.voterPartDown(pot, one, weight) + GaugeMath.voterPartDown(pot, other, weight) <= pot);
    }
}
