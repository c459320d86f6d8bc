// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What OpenZeppelin's `Math` computes, for the SMTChecker, which can not read its assembly.
/// @dev `mulDiv` here multiplies in 256 bits: the checker then also has to prove that no product of the property needs
/// more, and below that OpenZeppelin computes the same.
library Math {
    enum Rounding {
        Floor,
        Ceil,
        Trunc,
        Expand
    }

    function mulDiv(uint256 x, uint256 y, uint256 denominator) internal pure returns (uint256) {
        return x * y / denominator;
    }

    function mulDiv(uint256 x, uint256 y, uint256 denominator, Rounding rounding) internal pure returns (uint256) {
        uint256 product = x * y;
        if (rounding == Rounding.Floor || rounding == Rounding.Trunc) return product / denominator;
        return ceilDiv(product, denominator);
    }

    function ceilDiv(uint256 a, uint256 b) internal pure returns (uint256) {
        return a == 0 ? 0 : (a - 1) / b + 1;
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function saturatingAdd(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > type(uint256).max - b ? type(uint256).max : a + b;
    }

    function saturatingSub(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a - b : 0;
    }
}
