// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {GuardedPause} from "../governance/GuardedPause.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";
import {BuyGuards, IBuyback} from "../interfaces/IBuyback.sol";
import {IJobSettlement} from "../interfaces/IJobSettlement.sol";
import {IStakedHeu, RewardSource} from "../interfaces/IStakedHeu.sol";
import {IWrappedHeu} from "../interfaces/IWrappedHeu.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";

/// @title Buyback
/// @notice Turns the protocol's share of payments into a higher rate of stHEU.
contract Buyback is IBuyback, GuardedPause {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /* IMMUTABLES */

    /// @inheritdoc IBuyback
    address public immutable settlement;

    /// @inheritdoc IBuyback
    address public immutable stakedHeu;

    /// @inheritdoc IBuyback
    address public immutable wrappedHeu;

    /// @inheritdoc IBuyback
    address public immutable usd;

    /// @inheritdoc IBuyback
    uint256 public immutable epochGenesis;

    /// @dev Whether the stablecoin is the pool's token 0: then a buy lowers the pool's price.
    bool private immutable _usdIsToken0;

    /* STORAGE */

    /// @inheritdoc IBuyback
    address public pool;

    BuyGuards private _guards;

    /// @inheritdoc IBuyback
    mapping(uint256 epoch => uint256 usd) public spentIn;

    /* CONSTRUCTOR */

    /// @param epochGenesis_ Unix seconds at which epoch 0 began.
    /// @dev `setPool` and `setGuards` must follow before the first `buy`.
    constructor(
        address owner,
        address settlement_,
        address stakedHeu_,
        address wrappedHeu_,
        address usd_,
        uint256 epochGenesis_
    ) Ownable(owner) {
        require(settlement_ != address(0) && stakedHeu_ != address(0), Errors.Shared_ZeroAddress());
        require(wrappedHeu_ != address(0) && usd_ != address(0), Errors.Shared_ZeroAddress());
        settlement = settlement_;
        stakedHeu = stakedHeu_;
        wrappedHeu = wrappedHeu_;
        usd = usd_;
        epochGenesis = epochGenesis_;
        _usdIsToken0 = usd_ < wrappedHeu_;
    }

    /// @dev HEU comes from settlement's vault and from unwrapping. A gift goes to stHEU with the rest.
    receive() external payable {}

    /* COLLECTING */

    /// @inheritdoc IBuyback
    function collect(address asset) external returns (uint256 amount) {
        amount = IJobSettlement(settlement).claim(asset, address(this));

        if (asset == wrappedHeu) _reward();
    }

    /// @dev Gives all HEU held to stHEU.
    function _reward() private {
        uint256 amount = address(this).balance;

        emit Events.HeuGivenToStakers(amount);

        IStakedHeu(stakedHeu).reward{value: amount}(RewardSource.Buyback);
    }

    /* BUYING */

    /// @inheritdoc IBuyback
    function buy() external whenNotPaused returns (uint256 spentUsd, uint256 boughtHeu) {
        uint256 amount = Math.min(IERC20(usd).balanceOf(address(this)), remainingUsd());
        require(amount != 0, Errors.Buyback_NothingToSpend());
        uint256 deviation = deviationTicks();
        require(
            deviation <= _guards.maxDeviationTicks, Errors.Buyback_PriceOffMean(deviation, _guards.maxDeviationTicks)
        );

        // Booked before the pool is called; what it does not take is given back below.
        uint256 epoch = EpochLib.epochAt(epochGenesis, block.timestamp);
        spentIn[epoch] += amount;
        (int256 amount0, int256 amount1) =
            IUniswapV3Pool(pool).swap(address(this), _usdIsToken0, amount.toInt256(), _priceLimit(), "");
        (int256 paid, int256 received) = _usdIsToken0 ? (amount0, amount1) : (amount1, amount0);
        // Safe casts: an exact-input swap takes at most `amount` and gives at least nothing.
        (spentUsd, boughtHeu) = (uint256(paid), uint256(-received));
        spentIn[epoch] -= amount - spentUsd;
        require(boughtHeu != 0, Errors.Buyback_NothingToSpend());

        emit Events.HeuBoughtBack(epoch, spentUsd, boughtHeu);

        IWrappedHeu(wrappedHeu).withdraw(boughtHeu);
        _reward();
    }

    /// @notice Pays the pool for a swap that `buy` began.
    /// @dev The pool calls it only from within its own `swap`; nobody but this contract makes it swap for this contract.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        require(msg.sender == pool, Errors.Buyback_NotPool(msg.sender));

        IERC20(usd).safeTransfer(msg.sender, uint256(_usdIsToken0 ? amount0 : amount1));
    }

    /// @dev Where the swap stops. The root of 1 ± x is a little nearer to one than 1 ± x / 2.
    function _priceLimit() private view returns (uint160) {
        (uint160 sqrtPriceX96,,,,,,) = IUniswapV3Pool(pool).slot0();
        uint256 step = uint256(sqrtPriceX96) * _guards.maxSlippageBps / (2 * Constants.BPS);

        return (_usdIsToken0 ? sqrtPriceX96 - step : sqrtPriceX96 + step).toUint160();
    }

    /* PARAMETERS */

    /// @inheritdoc IBuyback
    function setPool(address pool_) external onlyOwner {
        (address token0, address token1) = (IUniswapV3Pool(pool_).token0(), IUniswapV3Pool(pool_).token1());
        (address expected0, address expected1) = _usdIsToken0 ? (usd, wrappedHeu) : (wrappedHeu, usd);
        require(token0 == expected0 && token1 == expected1, Errors.Buyback_WrongPool(pool_, token0, token1));

        pool = pool_;
        if (_guards.twapWindowSeconds != 0) _checkSlippage(_guards.maxSlippageBps);

        emit Events.PoolChanged(pool_);
    }

    /// @inheritdoc IBuyback
    function setGuards(BuyGuards calldata guards_) external onlyOwner {
        Bounds.check(guards_.twapWindowSeconds, Constants.MIN_TWAP_WINDOW, Constants.MAX_TWAP_WINDOW);
        Bounds.check(guards_.maxDeviationTicks, 1, Constants.MAX_DEVIATION_TICKS);
        Bounds.check(guards_.maxSlippageBps, 1, Constants.MAX_SLIPPAGE_BPS);
        Bounds.check(guards_.epochLimitUsd, 0, Constants.MAX_BUYBACK_USD_PER_EPOCH);
        _checkSlippage(guards_.maxSlippageBps);

        _guards = guards_;

        emit Events.BuyGuardsChanged({
            twapWindowSeconds: guards_.twapWindowSeconds,
            maxDeviationTicks: guards_.maxDeviationTicks,
            maxSlippageBps: guards_.maxSlippageBps,
            epochLimitUsd: guards_.epochLimitUsd
        });
    }

    /// @dev A sandwich pays the pool's fee twice; it must not move the price by more than that.
    function _checkSlippage(uint256 slippageBps) private view {
        uint256 max = 2 * uint256(IUniswapV3Pool(pool).fee()) / Constants.HUNDREDTHS_PER_BP;
        require(slippageBps <= max, Errors.Buyback_SlippageInvitesSandwich(slippageBps, max));
    }

    /* VIEWS */

    /// @inheritdoc IBuyback
    function remainingUsd() public view returns (uint256) {
        uint256 spent = spentIn[EpochLib.epochAt(epochGenesis, block.timestamp)];

        return spent < _guards.epochLimitUsd ? _guards.epochLimitUsd - spent : 0;
    }

    /// @inheritdoc IBuyback
    function deviationTicks() public view returns (uint256) {
        require(_guards.twapWindowSeconds != 0, Errors.Buyback_NotConfigured());
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = _guards.twapWindowSeconds;
        (int56[] memory cumulatives,) = IUniswapV3Pool(pool).observe(secondsAgos);
        (, int24 tick,,,,,) = IUniswapV3Pool(pool).slot0();
        int256 mean = (int256(cumulatives[1]) - cumulatives[0]) / int256(uint256(secondsAgos[0]));

        return tick < mean ? uint256(mean - tick) : uint256(tick - mean);
    }

    /// @inheritdoc IBuyback
    function guards() external view returns (BuyGuards memory) {
        return _guards;
    }
}
