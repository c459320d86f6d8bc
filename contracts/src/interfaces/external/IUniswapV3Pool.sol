// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IUniswapV3Pool
/// @notice The calls of a Uniswap v3 pool that `Buyback` makes, written from its public interface. The pool itself is
/// deployed from the artifacts that Uniswap published (ADR 0012).
interface IUniswapV3Pool {
    /// @notice Swaps; takes the input by `IUniswapV3SwapCallback`, after the output was sent.
    /// @param amountSpecified Exact input when positive.
    /// @param sqrtPriceLimitX96 The swap stops here and takes the rest of the input not.
    /// @return amount0 What the pool gets of token 0; negative: what it gave.
    /// @return amount1 The same of token 1.
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);

    /// @notice The present square root of the price (token 1 per token 0, Q64.96) and tick, and more.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );

    /// @notice Sums of tick times seconds as of each `secondsAgos`. Reverts when the pool does not remember that far.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);

    /// @notice Hundredths of a basis point.
    function fee() external view returns (uint24);
    function token0() external view returns (address);
    function token1() external view returns (address);
}
