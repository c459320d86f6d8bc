// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BuyGuards, IBuyback} from "../../../src/interfaces/IBuyback.sol";
import {IGuardedPause} from "../../../src/interfaces/IGuardedPause.sol";
import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IDevUsdToken, IOwnable2Step} from "../../utils/Interfaces.sol";
import {IUniswapV3Factory, IUniswapV3PoolSetup, PoolPrice, Trader} from "../../utils/Market.sol";
import {Rows} from "../../utils/Rows.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

interface IOwnedBuyback is IBuyback, IGuardedPause, IOwnable2Step {}

/// @notice Against a pool of the published Uniswap v3 bytecode. Both orders of the two tokens are tested, because all
/// prices turn over with them.
abstract contract BuybackTest is StakeFixture {
    string private constant FACTORY =
        "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
    uint256 private constant START = 10_000e6;

    IUniswapV3Factory internal factory;
    IUniswapV3PoolSetup internal pool;
    IOwnedBuyback internal buyback;
    Trader internal provider;
    Trader internal attacker;

    function usdFirst() internal pure virtual returns (bool);

    function setUp() public override {
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

    /* COLLECTING */

    function test_CollectsHeuIntoStHeu() public {
        earn(Rows.HEU, 50e18);

        vm.expectEmit();
        emit Events.HeuGivenToStakers(50e18);
        uint256 amount = buyback.collect(address(heu));

        assertEq(amount, 50e18, "claimed");
        assertEq(staked.rewardedBy(RewardSource.Buyback), 50e18, "given to stakers");
        assertEq(address(buyback).balance, 0, "nothing stays");
    }

    function test_CollectsTheStablecoinForBuying() public {
        earn(Rows.USD, 5e6);

        assertEq(buyback.collect(address(usd)), 5e6, "claimed");
        assertEq(usd.balanceOf(address(buyback)), START + 5e6, "waits here");
        assertEq(staked.rewardedBy(RewardSource.Buyback), 0, "nothing bought yet");
    }

    function test_RevertWhen_NothingWasEarned() public {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.JobSettlement_NothingToClaim.selector, address(buyback), address(heu))
        );
        buyback.collect(address(heu));
    }

    /* BUYING */

    function test_BuysAndGivesToStakers() public {
        vm.prank(owner);
        buyback.setGuards(BuyGuards(30 minutes, 100, 50, 100e6));
        uint256 rateBefore = staked.rateWad();

        (uint256 spent, uint256 bought) = buyback.buy();
        vm.warp(block.timestamp + WEEK);

        assertEq(spent, 100e6, "all of the limit");
        // 100 USD buy 2,000 HEU, less 0.3 % fee and 0.2 % impact.
        assertGe(bought, 1985e18, "a fair price, from below");
        assertLe(bought, 1995e18, "a fair price, from above");
        assertEq(usd.balanceOf(address(buyback)), START - 100e6, "paid");
        assertEq(staked.rewardedBy(RewardSource.Buyback), bought, "given to stakers");
        assertGe(staked.rateWad(), rateBefore + 1, "the rate rose");
    }

    function test_StopsWhereThePriceHasMovedEnough() public {
        (uint256 spent, uint256 bought) = buyback.buy();

        // 0.5 % of price are about 0.25 % of 50,000 USD.
        assertGe(spent, 120e6, "some");
        assertLe(spent, 130e6, "not all");
        assertEq(usd.balanceOf(address(buyback)), START - spent, "the rest stays");
        assertEq(buyback.remainingUsd(), 5000e6 - spent, "the limit keeps the rest");
        // Average price at most 0.5 % + 0.3 % worse.
        assertGe(bought * 0.05e6 / 1e18, spent * 992 / 1000, "no unit was dearer than the guard");
    }

    function test_SpendsAtMostTheLimitOfTheEpoch() public {
        vm.prank(owner);
        buyback.setGuards(BuyGuards(30 minutes, 100, 50, 30e6));
        buyback.buy();
        assertEq(buyback.spentIn((block.timestamp - EPOCH_GENESIS) / WEEK), 30e6, "counted");

        vm.expectRevert(Errors.Buyback_NothingToSpend.selector);
        buyback.buy();

        vm.warp(block.timestamp + WEEK);
        (uint256 spent,) = buyback.buy();
        assertEq(spent, 30e6, "again in the next epoch");
    }

    function test_RevertWhen_ThereIsNothing() public {
        vm.prank(address(buyback));
        usd.transfer(stranger, START);

        vm.expectRevert(Errors.Buyback_NothingToSpend.selector);
        buyback.buy();
    }

    function test_RevertWhen_Paused() public {
        vm.prank(guardian);
        buyback.pause();

        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_Paused.selector, buyback.pausedUntil()));
        buyback.buy();

        earn(Rows.HEU, 1e18);
        assertEq(buyback.collect(address(heu)), 1e18, "collecting goes on");
    }

    /* GUARDS */

    function testFuzz_RevertWhen_ThePriceIsOffItsMean(uint256 push, bool up) public {
        // 1,000 USD move this pool by 4 %: four times what is allowed.
        push = bound(push, 1000e6, 100_000e6);
        if (up) attacker.sell(address(usd), push);
        else attacker.sell(address(heu), push * 20e12);

        uint256 deviation = buyback.deviationTicks();
        vm.expectRevert(abi.encodeWithSelector(Errors.Buyback_PriceOffMean.selector, deviation, 100));
        buyback.buy();
    }

    function test_BuysAgainWhenTheMeanHasFollowed() public {
        attacker.sell(address(usd), 1000e6);
        vm.warp(block.timestamp + 31 minutes);

        (uint256 spent,) = buyback.buy();
        assertGe(spent, 1, "bought at the new price");
    }

    /// @dev Whatever the size of the trade before, either the buy reverts or the attacker has less than it had, valued at
    /// the price before the attack.
    function testFuzz_ASandwichLosesOrReverts(uint256 size, uint256 limit) public {
        size = bound(size, 1e6, 200_000e6);
        limit = bound(limit, 1e6, 5000e6);
        vm.prank(owner);
        buyback.setGuards(BuyGuards(30 minutes, 100, 60, uint96(limit)));
        uint256 heuBefore = heu.balanceOf(address(attacker));
        uint256 usdBefore = usd.balanceOf(address(attacker));

        attacker.sell(address(usd), size);
        try buyback.buy() returns (uint256, uint256) {}
        catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(Errors.Buyback_PriceOffMean.selector), "it was the guard");
            return;
        }
        attacker.sell(address(heu), heu.balanceOf(address(attacker)) - heuBefore);

        assertEq(heu.balanceOf(address(attacker)), heuBefore, "it sold all it bought");
        assertLe(usd.balanceOf(address(attacker)), usdBefore - 1, "it lost");
    }

    function test_RevertWhen_ThePoolRemembersTooLittle() public {
        IUniswapV3PoolSetup young = newPool(10_000);
        vm.prank(owner);
        buyback.setPool(address(young));

        vm.expectRevert(bytes("OLD"));
        buyback.buy();
    }

    function test_RevertWhen_AStrangerAsksToBePaid() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Buyback_NotPool.selector, stranger));
        vm.prank(stranger);
        (bool success,) = address(buyback)
            .call(abi.encodeWithSignature("uniswapV3SwapCallback(int256,int256,bytes)", START, START, ""));
        assertTrue(success, "expectRevert swallows the failure");
    }

    /* PARAMETERS */

    function test_RevertWhen_ThePoolHasOtherTokens() public {
        address other = deploy("DevUsd", "");
        address wrong = factory.createPool(address(heu), other, 3000);
        (address token0, address token1) = address(heu) < other ? (address(heu), other) : (other, address(heu));

        vm.expectRevert(abi.encodeWithSelector(Errors.Buyback_WrongPool.selector, wrong, token0, token1));
        vm.prank(owner);
        buyback.setPool(wrong);
    }

    function test_RevertWhen_SlippageInvitesASandwich() public {
        vm.startPrank(owner);
        buyback.setGuards(BuyGuards(30 minutes, 100, 60, 1e6));
        vm.expectRevert(abi.encodeWithSelector(Errors.Buyback_SlippageInvitesSandwich.selector, 61, 60));
        buyback.setGuards(BuyGuards(30 minutes, 100, 61, 1e6));

        address cheap = address(newPool(500));
        vm.expectRevert(abi.encodeWithSelector(Errors.Buyback_SlippageInvitesSandwich.selector, 60, 10));
        buyback.setPool(cheap);
        vm.stopPrank();
    }

    function test_RevertWhen_AGuardIsOutOfBounds() public {
        BuyGuards[6] memory bad = [
            BuyGuards(5 minutes - 1, 100, 50, 1e6),
            BuyGuards(1 days + 1, 100, 50, 1e6),
            BuyGuards(30 minutes, 0, 50, 1e6),
            BuyGuards(30 minutes, 501, 50, 1e6),
            BuyGuards(30 minutes, 100, 0, 1e6),
            BuyGuards(30 minutes, 100, 50, 10_000_000e6 + 1)
        ];
        uint256[3][6] memory bounds = [
            [uint256(5 minutes - 1), 5 minutes, 1 days],
            [uint256(1 days + 1), 5 minutes, 1 days],
            [uint256(0), 1, 500],
            [uint256(501), 1, 500],
            [uint256(0), 1, 200],
            [uint256(10_000_000e6 + 1), 0, 10_000_000e6]
        ];
        for (uint256 i; i < bad.length; ++i) {
            (uint256 value, uint256 min, uint256 max) = (bounds[i][0], bounds[i][1], bounds[i][2]);
            vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, value, min, max));
            vm.prank(owner);
            buyback.setGuards(bad[i]);
        }
    }

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes memory refusal = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        buyback.setPool(address(pool));
        vm.expectRevert(refusal);
        buyback.setGuards(BuyGuards(30 minutes, 100, 50, 1e6));
        vm.stopPrank();
    }

    /* HELPERS */

    function newPool(uint24 fee) private returns (IUniswapV3PoolSetup created) {
        created = IUniswapV3PoolSetup(factory.createPool(address(heu), address(usd), fee));
        created.initialize(PoolPrice.sqrtX96(usdFirst(), HEU_PRICE_USD_WAD));
        created.increaseObservationCardinalityNext(20);
    }

    function fundTrader(Trader trader, uint256 heuAmount, uint256 usdAmount) private {
        wrapFor(address(trader), heuAmount);
        while (usdAmount != 0) {
            uint256 step = usdAmount < 100_000e6 ? usdAmount : 100_000e6;
            usd.mint(address(trader), step);
            usdAmount -= step;
        }
    }

    /// @dev A payment of which the protocol's 5 % are `amount`, final at once.
    function earn(uint256 asset, uint256 amount) private {
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

contract BuybackHeuFirstTest is BuybackTest {
    function usdFirst() internal pure override returns (bool) {
        return false;
    }
}

contract BuybackUsdFirstTest is BuybackTest {
    function usdFirst() internal pure override returns (bool) {
        return true;
    }
}
