// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

contract StakeDepositTest is StakeFixture {
    function test_TheRateStartsAtOne() public view {
        assertEq(staked.rateWad(), 1e18, "rate");
        assertEq(staked.convertToShares(5e18), 5e18, "shares");
        assertEq(staked.asset(), address(heu), "asset");
    }

    function testFuzz_DepositsAtTheRateRoundedDown(uint128 first, uint128 reward_, uint128 amount) public {
        stake(alice, bound(first, 1e18, 1e27));
        rewardFully(bound(reward_, 1, 1e27));
        amount = uint128(bound(amount, 1e9, 1e27));
        uint256 expected = amount * (staked.totalSupply() + 1e18) / (staked.totalAssets() + 1e18);
        uint256 assetsBefore = staked.totalAssets();

        assertEq(staked.previewDeposit(amount), expected, "preview");
        assertEq(stake(bob, amount), expected, "shares");
        assertEq(staked.balanceOf(bob), expected, "balance");
        assertEq(staked.totalAssets(), assetsBefore + amount, "assets");
    }

    function testFuzz_MintsAtTheRateRoundedUp(uint128 first, uint128 reward_, uint128 shares) public {
        stake(alice, bound(first, 1e18, 1e27));
        rewardFully(bound(reward_, 1, 1e27));
        shares = uint128(bound(shares, 1, 1e26));
        uint256 assets = staked.previewMint(shares);
        wrapFor(bob, assets);
        vm.startPrank(bob);
        heu.approve(address(staked), assets);

        assertEq(staked.mint(shares, bob), assets, "asked");
        assertEq(staked.balanceOf(bob), shares, "exactly");
        assertEq(heu.balanceOf(bob), 0, "paid");
        uint256 supply = staked.totalSupply() - shares + 1e18;
        uint256 total = staked.totalAssets() - assets + 1e18;
        assertGe(assets * supply, shares * total, "not below the rate");
        assertLe((assets - 1) * supply, shares * total - 1, "by less than one wei");
    }

    function testFuzz_StakesNativeHeu(uint96 amount) public {
        amount = uint96(bound(amount, 1, type(uint96).max));
        vm.deal(alice, amount);
        vm.prank(alice);
        uint256 shares = staked.depositNative{value: amount}(bob);

        assertEq(shares, amount, "at rate one");
        assertEq(staked.balanceOf(bob), shares, "the receiver's");
        assertEq(heu.balanceOf(address(staked)), amount, "wrapped");
    }

    function test_RevertWhen_NothingIsStaked() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_ZeroShares.selector, 0));
        staked.deposit(0, alice);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_ZeroShares.selector, 0));
        staked.mint(0, alice);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_ZeroShares.selector, 0));
        staked.depositNative(alice);
    }

    function test_RevertWhen_DustIsNotWorthAShare() public {
        stake(alice, 1e18);
        rewardFully(10e18);
        wrapFor(bob, 1);
        vm.startPrank(bob);
        heu.approve(address(staked), 1);

        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_ZeroShares.selector, 1));
        staked.deposit(1, bob);
    }

    function test_RevertWhen_TheGuardianPaused() public {
        vm.deal(alice, 1e18);
        vm.prank(guardian);
        staked.pause();
        bytes memory paused = abi.encodeWithSelector(Errors.GuardedPause_Paused.selector, staked.pausedUntil());

        assertEq(staked.maxDeposit(alice), 0, "max deposit");
        assertEq(staked.maxMint(alice), 0, "max mint");
        vm.expectRevert(paused);
        staked.deposit(1e18, alice);
        vm.expectRevert(paused);
        staked.mint(1e18, alice);
        vm.expectRevert(paused);
        vm.prank(alice);
        staked.depositNative{value: 1e18}(alice);
    }

    function test_RevertWhen_MoreThanTheOwnerHasOrAllows() public {
        wrapFor(alice, 1e18);
        vm.expectRevert();
        vm.prank(alice);
        staked.deposit(1e18, alice);

        vm.startPrank(alice);
        heu.approve(address(staked), type(uint256).max);
        vm.expectRevert();
        staked.deposit(1e18 + 1, alice);
        vm.expectRevert();
        staked.deposit(type(uint256).max, alice);
        vm.expectRevert();
        staked.mint(type(uint256).max, alice);
        assertEq(staked.totalSupply(), 0, "nothing staked");
    }
}
