// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IUniswapV3Pool} from "../../src/interfaces/external/IUniswapV3Pool.sol";

/// @notice The calls of the published Uniswap contracts that only tests make.
interface IUniswapV3Factory {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
}

interface IUniswapV3PoolSetup is IUniswapV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function increaseObservationCardinalityNext(uint16 observationCardinalityNext) external;
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
    function liquidity() external view returns (uint128);
}

/// @notice Someone with tokens who provides liquidity and trades in a pool directly.
contract Trader {
    uint160 private constant MIN_SQRT_RATIO = 4_295_128_739;
    uint160 private constant MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342;

    IUniswapV3PoolSetup public immutable pool;

    constructor(IUniswapV3PoolSetup pool_) {
        pool = pool_;
    }

    /// @dev Liquidity over all prices.
    function provide(uint128 liquidity) external returns (uint256 amount0, uint256 amount1) {
        return pool.mint(address(this), -887_220, 887_220, liquidity, "");
    }

    /// @dev Sells exactly `amount` of `token`, whatever the price.
    function sell(address token, uint256 amount) external {
        bool zeroForOne = token == pool.token0();
        pool.swap(address(this), zeroForOne, int256(amount), zeroForOne ? MIN_SQRT_RATIO + 1 : MAX_SQRT_RATIO - 1, "");
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        if (amount0 > 0) IERC20(pool.token0()).transfer(address(pool), uint256(amount0));
        if (amount1 > 0) IERC20(pool.token1()).transfer(address(pool), uint256(amount1));
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        IERC20(pool.token0()).transfer(address(pool), amount0);
        IERC20(pool.token1()).transfer(address(pool), amount1);
    }
}

/// @notice Prices as Uniswap writes them.
library PoolPrice {
    /// @dev Root of token 1 per token 0 (Q64.96) at `heuPriceUsdWad` USD per HEU.
    function sqrtX96(bool usdIsToken0, uint256 heuPriceUsdWad) internal pure returns (uint160) {
        (uint256 above, uint256 below) = usdIsToken0 ? (uint256(1e30), heuPriceUsdWad) : (heuPriceUsdWad, uint256(1e30));
        return uint160(Math.sqrt(Math.mulDiv(above, 2 ** 192, below)));
    }
}
