// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Constants} from "../../src/libraries/Constants.sol";
import {StakeMath} from "../../src/libraries/StakeMath.sol";

/// @notice Properties of `StakeMath` (C1) for totals up to the supply of HEU and as many shares. A rate is compared as
/// a fraction: `a / b >= c / d` is written `a * d >= c * b`.
contract StakeProperties {
    function _assume(uint256 moved, uint256 totalAssets, uint256 totalShares) private pure {
        require(moved < 2 ** 90 && totalAssets < 2 ** 90 && totalShares < 2 ** 90);
    }

    /// @notice C1: a deposit never lowers the rate.
    function depositNeverLowersTheRate(uint256 assets, uint256 totalAssets, uint256 totalShares) external pure {
        _assume(assets, totalAssets, totalShares);
        uint256 shares = StakeMath.toSharesDown(assets, totalAssets, totalShares);
        uint256 a = totalAssets + Constants.VIRTUAL_STAKE;
        uint256 s = totalShares + Constants.VIRTUAL_STAKE;
        assert((a + assets) * s >= a * (s + shares));
    }

    /// @notice C1: a mint never lowers the rate: it asks at least the shares' worth, so `(a + assets) / (s + shares) >= a / s`.
    function mintNeverLowersTheRate(uint256 shares, uint256 totalAssets, uint256 totalShares) external pure {
        _assume(shares, totalAssets, totalShares);
        uint256 assets = StakeMath.toAssets(shares, totalAssets, totalShares, Math.Rounding.Ceil);
        assert(assets * (totalShares + Constants.VIRTUAL_STAKE) >= shares * (totalAssets + Constants.VIRTUAL_STAKE));
    }

    /// @notice C1: an exit never lowers the rate.
    function exitNeverLowersTheRate(uint256 shares, uint256 totalAssets, uint256 totalShares) external pure {
        _assume(shares, totalAssets, totalShares);
        require(shares <= totalShares);
        uint256 assets = StakeMath.toAssets(shares, totalAssets, totalShares, Math.Rounding.Floor);
        uint256 a = totalAssets + Constants.VIRTUAL_STAKE;
        uint256 s = totalShares + Constants.VIRTUAL_STAKE;
        assert((a - assets) * s >= a * (s - shares));
    }

    /// @notice A deposit that is taken back at once brings no more than was put in.
    function roundTripBringsNothing(uint256 assets, uint256 totalAssets, uint256 totalShares) external pure {
        _assume(assets, totalAssets, totalShares);
        uint256 shares = StakeMath.toSharesDown(assets, totalAssets, totalShares);
        require(shares < 2 ** 91);
        assert(StakeMath.toAssets(shares, totalAssets + assets, totalShares + shares, Math.Rounding.Floor) <= assets);
    }

    /// @notice What a mint asks is never less than what the same shares bring at an exit, and at most one wei more.
    function mintAsksAtLeastWhatAnExitBrings(uint256 shares, uint256 totalAssets, uint256 totalShares) external pure {
        _assume(shares, totalAssets, totalShares);
        uint256 up = StakeMath.toAssets(shares, totalAssets, totalShares, Math.Rounding.Ceil);
        uint256 down = StakeMath.toAssets(shares, totalAssets, totalShares, Math.Rounding.Floor);
        assert(down <= up && up <= down + 1);
    }
}
