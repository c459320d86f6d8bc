// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {BuybackFixture, IOwnedBuyback} from "../../utils/BuybackFixture.sol";
import {IUniswapV3PoolSetup} from "../../utils/Market.sol";
import {Rows} from "../../utils/Rows.sol";

interface IPaysPools {
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external;
}

contract WiringTest is BuybackFixture {
    function usdFirst() internal pure override returns (bool) {
        return false;
    }

    function testFuzz_CollectsAllItEarned(uint96 amount, bool inUsd, address caller) public {
        amount = uint96(bound(amount, inUsd ? 1e5 : 1e15, inUsd ? 1_000e6 : 1e24));
        earn(inUsd ? Rows.USD : Rows.HEU, amount);
        vm.prank(caller);
        assertEq(buyback.collect(inUsd ? address(usd) : address(heu)), amount, "all");

        assertEq(usd.balanceOf(address(buyback)), START + (inUsd ? amount : 0), "dollars wait");
        assertEq(staked.rewardedBy(RewardSource.Buyback), inUsd ? 0 : amount, "HEU is given to stakers");
        assertEq(address(buyback).balance, 0, "and nothing else");
        vm.expectRevert();
        buyback.collect(inUsd ? address(usd) : address(heu));
    }

    function testFuzz_RevertWhen_AnyoneButThePoolAsksToBePaid(address caller, int128 amount0, int128 amount1) public {
        vm.assume(caller != address(pool));
        IPaysPools target = IPaysPools(address(buyback));
        vm.expectRevert(abi.encodeWithSelector(Errors.Buyback_NotPool.selector, caller));
        vm.prank(caller);
        target.uniswapV3SwapCallback(amount0, amount1, "");
        assertEq(usd.balanceOf(address(buyback)), START, "all there");
    }

    function testFuzz_ThePoolTradesTheTwoTokensWithoutInvitingASandwich(uint8 which, address caller) public {
        vm.assume(caller != owner);
        uint24 fee = [uint24(500), 3000, 10_000][which % 3];
        IUniswapV3PoolSetup next = fee == 3000 ? pool : newPool(fee);
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", caller));
        vm.prank(caller);
        buyback.setPool(address(next));

        vm.prank(owner);
        (bool success,) =
            address(buyback).call(abi.encodeCall(IOwnedBuyback(address(buyback)).setPool, (address(next))));
        // Half a per cent of slippage is more than twice a fee of a twentieth.
        assertTrue(success == (fee != 500), "exactly these");
        assertEq(buyback.pool(), success ? address(next) : address(pool), "set, or the same");
    }
}
