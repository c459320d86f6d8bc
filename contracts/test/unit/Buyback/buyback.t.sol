// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BuyGuards} from "../../../src/interfaces/IBuyback.sol";
import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {BuybackFixture} from "../../utils/BuybackFixture.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {IUniswapV3PoolSetup} from "../../utils/Market.sol";
import {Rows} from "../../utils/Rows.sol";

abstract contract BuybackTest is BuybackFixture {
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
