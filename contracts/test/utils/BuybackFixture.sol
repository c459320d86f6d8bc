// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BuyGuards, IBuyback} from "../../src/interfaces/IBuyback.sol";
import {IGuardedPause} from "../../src/interfaces/IGuardedPause.sol";
import {RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {IDevUsdToken, IOwnable2Step} from "./Interfaces.sol";
import {IUniswapV3Factory, IUniswapV3PoolSetup, PoolPrice, Trader} from "./Market.sol";
import {Rows} from "./Rows.sol";
import {StakeFixture} from "./StakeFixture.sol";

interface IOwnedBuyback is IBuyback, IGuardedPause, IOwnable2Step {}

/// @notice Against a pool of the published Uniswap v3 bytecode. Both orders of the two tokens are tested, because all
/// prices turn over with them.
abstract contract BuybackFixture is StakeFixture {
    string private constant FACTORY =
        "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
    uint256 internal constant START = 10_000e6;

    IUniswapV3Factory internal factory;
    IUniswapV3PoolSetup internal pool;
    IOwnedBuyback internal buyback;
    Trader internal provider;
    Trader internal attacker;

    function usdFirst() internal pure virtual returns (bool);

    function setUp() public virtual override {
        super.setUp();
        while ((address(usd) < address(heu)) != usdFirst()) usd = IDevUsdToken(deploy("DevUsd", ""));
        // The stablecoin may be another one now: vault and settlement know it by address.
        deployMoney();
        factory = IUniswapV3Factory(vm.deployCode(FACTORY, ""));
        pool = newPool(3000);
        provider = new Trader(pool);
        attacker = new Trader(pool);
        fundTrader(provider, 1_100_000e18, 60_000e6);
        // 50,000 USD and 1,000,000 HEU deep on each side at 0.05 USD.
        provider.provide(uint128(uint256(223_606_797_749_978_969)));
        fundTrader(attacker, 4_000_000e18, 200_000e6);

        buyback = IOwnedBuyback(deploy("Buyback", abi.encode(owner, settlement, staked, heu, usd, EPOCH_GENESIS)));
        vm.startPrank(owner);
        buyback.setGuardian(guardian);
        buyback.setPool(address(pool));
        buyback.setGuards(BuyGuards(30 minutes, 100, 50, 5000e6));
        staked.setRewardSource(RewardSource.Buyback, address(buyback));
        vm.stopPrank();
        vm.warp(block.timestamp + 1 hours);
        stake(alice, 1_000_000e18);
        usd.mint(address(buyback), START);
    }

    /* HELPERS */

    function newPool(uint24 fee) internal returns (IUniswapV3PoolSetup created) {
        created = IUniswapV3PoolSetup(factory.createPool(address(heu), address(usd), fee));
        created.initialize(PoolPrice.sqrtX96(usdFirst(), HEU_PRICE_USD_WAD));
        created.increaseObservationCardinalityNext(20);
    }

    function fundTrader(Trader trader, uint256 heuAmount, uint256 usdAmount) internal {
        wrapFor(address(trader), heuAmount);
        while (usdAmount != 0) {
            uint256 step = usdAmount < 100_000e6 ? usdAmount : 100_000e6;
            usd.mint(address(trader), step);
            usdAmount -= step;
        }
    }

    /// @dev A payment of which the protocol's 5 % are `amount`, final at once.
    function earn(uint256 asset, uint256 amount) internal {
        fundAndCap(developer, asset == Rows.HEU ? 20 * amount : 1e18, asset == Rows.USD ? 20 * amount : 1e6);
        settle(
            Rows.list(Rows.debit(developer, asset, 20 * amount)),
            Rows.sort(
                Rows.list(
                    Rows.credit(node, Rows.NODE, asset, 19 * amount),
                    Rows.credit(address(buyback), Rows.PROTOCOL, asset, amount)
                )
            )
        );
        vm.warp(block.timestamp + 2 * WINDOW);
    }
}
