// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a buy must respect.
/// @param twapWindowSeconds The price is compared with its mean over this time.
/// @param maxDeviationTicks The price may be off that mean by at most this, in either direction. One tick is 0.01 %.
/// @param maxSlippageBps The buy itself may move the price by at most this, in basis points.
/// @param epochLimitUsd Most that is spent in one epoch (micro-dollars).
struct BuyGuards {
    uint32 twapWindowSeconds;
    uint16 maxDeviationTicks;
    uint16 maxSlippageBps;
    uint96 epochLimitUsd;
}

/// @title IBuyback
/// @notice The protocol's account of settlement (wp §3.4.3): its HEU goes to stHEU as it is, its stablecoin buys HEU in a
/// Uniswap v3 pool first.
///
/// @dev A sandwich does not pay: a buy moves the price by at most `maxSlippageBps`, which must not exceed twice the
/// pool's fee, and who buys before and sells after pays that fee twice. A pool pushed away from its mean makes `buy`
/// revert. Who owns most of the pool's liquidity gets the fees back; what it can take from one buy is bounded by the
/// two guards together.
/// @dev Assumption: nobody holds the pool's price away from the market for most of `twapWindowSeconds`.
/// @dev Warning: `buy` does nothing about a falling market; the mean lags behind it.
interface IBuyback {
    /// @notice Claims what settlement owes in `asset`. HEU goes on to stHEU; the stablecoin waits for `buy`. Anyone may
    /// call.
    /// @return amount Asset units claimed.
    function collect(address asset) external returns (uint256 amount);

    /// @notice Buys HEU with the stablecoin held, up to what is left of the epoch's limit and to where the price meets the
    /// slippage guard; gives the HEU to stHEU. Anyone may call, unless paused.
    /// @return spentUsd Micro-dollars.
    /// @return boughtHeu Wei of HEU.
    function buy() external returns (uint256 spentUsd, uint256 boughtHeu);

    /// @notice Names the pool, of wrapped HEU and the stablecoin in either order. Only the owner.
    function setPool(address pool) external;

    /// @notice Sets the guards, each inside `Constants`' bounds. Only the owner.
    function setGuards(BuyGuards calldata guards) external;

    /// @notice Micro-dollars that `buy` may still spend in the present epoch.
    function remainingUsd() external view returns (uint256);

    /// @notice How far the pool's price is from its mean now, in ticks. Reverts while the pool does not remember
    /// `twapWindowSeconds`.
    function deviationTicks() external view returns (uint256);

    /// @notice Micro-dollars spent in an epoch.
    function spentIn(uint256 epoch) external view returns (uint256);

    function guards() external view returns (BuyGuards memory);
    function pool() external view returns (address);
    function settlement() external view returns (address);
    function stakedHeu() external view returns (address);
    function wrappedHeu() external view returns (address);
    function usd() external view returns (address);
    function epochGenesis() external view returns (uint256);
}
