// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exit, RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IStakedHeuToken} from "../../utils/Interfaces.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

contract StakeExitTest is StakeFixture {
    /* REQUEST */

    function testFuzz_ARequestFixesTheAmountRoundedDown(uint128 assets, uint128 gain, uint128 part) public {
        uint256 shares = stake(alice, bound(assets, 1e18, 1e27));
        rewardFully(bound(gain, 1, 1e27));
        uint256 exiting = bound(part, 1, shares);
        uint256 worth = exiting * (staked.totalAssets() + 1e18) / (staked.totalSupply() + 1e18);
        uint256 total = staked.totalAssets();

        vm.expectEmit();
        emit Events.StakeExitRequested(alice, alice, exiting, worth, block.timestamp + EXIT_DELAY);
        vm.prank(alice);
        assertEq(staked.requestRedeem(exiting, alice, alice), 0, "request id");

        assertEq(staked.exitingAssets(), worth, "exiting");
        assertEq(staked.totalAssets(), total - worth, "no longer staked");
        assertEq(staked.balanceOf(alice), shares - exiting, "burned");
        Exit memory mine = staked.exitAt(alice, 0);
        assertEq(mine.assets, worth, "fixed");
        assertEq(mine.shares, exiting, "shares");
        assertEq(staked.pendingRedeemRequest(0, alice), exiting, "pending");
        assertEq(staked.claimableRedeemRequest(0, alice), 0, "not claimable");
    }

    function test_AnExitHasNeitherVotesNorYield() public {
        uint256 shares = stake(alice, 100e18);
        stake(bob, 100e18);
        vm.prank(alice);
        staked.delegate(alice);
        assertEq(staked.getVotes(alice), shares, "votes while staked");

        requestExit(alice, shares);
        rewardFully(50e18);
        assertEq(staked.getVotes(alice), 0, "no votes");
        assertEq(nodeGauge.balanceOf(alice), 0, "no gauge power");
        assertEq(staked.exitAt(alice, 0).assets, 100e18, "no yield");
        pass(EXIT_DELAY);
        vm.prank(alice);
        assertEq(staked.redeem(shares, alice, alice), 100e18, "paid what was fixed");
    }

    function test_RevertWhen_TheRequestIsBad() public {
        uint256 shares = stake(alice, 10e18);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_ZeroShares.selector, 0));
        staked.requestRedeem(0, alice, alice);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        staked.requestRedeem(1, address(0), alice);
        vm.expectRevert();
        staked.requestRedeem(shares + 1, alice, alice);
        vm.expectRevert();
        staked.requestRedeem(type(uint256).max, alice, alice);
        vm.stopPrank();

        vm.expectRevert(
            abi.encodeWithSelector(IStakedHeuToken.ERC20InsufficientAllowance.selector, stranger, 0, shares)
        );
        vm.prank(stranger);
        staked.requestRedeem(shares, stranger, alice);
    }

    function test_AnAllowanceOrAnOperatorMayRequest() public {
        stake(alice, 10e18);
        vm.prank(alice);
        staked.approve(bob, 4e18);
        vm.prank(bob);
        staked.requestRedeem(4e18, bob, alice);
        assertEq(staked.allowance(alice, bob), 0, "allowance used");
        assertEq(staked.pendingRedeemRequest(0, bob), 4e18, "the controller's");

        vm.prank(alice);
        staked.setOperator(stranger, true);
        vm.prank(stranger);
        staked.requestRedeem(6e18, alice, alice);
        assertEq(staked.balanceOf(alice), 0, "all requested");
    }

    /* CLAIM */

    function test_RevertWhen_ClaimedOneSecondEarly() public {
        requestExit(alice, stake(alice, 10e18));
        pass(EXIT_DELAY - 1);
        assertEq(staked.maxRedeem(alice), 0, "nothing yet");
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakedHeuToken.ERC4626ExceededMaxRedeem.selector, alice, 1, 0));
        staked.redeem(1, alice, alice);
        vm.expectRevert(abi.encodeWithSelector(IStakedHeuToken.ERC4626ExceededMaxWithdraw.selector, alice, 1, 0));
        staked.withdraw(1, alice, alice);

        pass(1);
        assertEq(staked.redeem(10e18, bob, alice), 10e18, "on time");
        assertEq(heu.balanceOf(bob), 10e18, "to the receiver");
        assertEq(staked.exitingAssets(), 0, "nothing left");
    }

    function test_RevertWhen_AStrangerClaims() public {
        requestExit(alice, stake(alice, 10e18));
        pass(EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_NotOperator.selector, alice, stranger));
        vm.prank(stranger);
        staked.redeem(10e18, stranger, alice);

        vm.prank(alice);
        staked.setOperator(stranger, true);
        vm.prank(stranger);
        staked.redeem(4e18, alice, alice);
        vm.prank(alice);
        staked.setOperator(stranger, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_NotOperator.selector, alice, stranger));
        vm.prank(stranger);
        staked.withdraw(6e18, stranger, alice);
    }

    function test_RevertWhen_ZeroOrTwiceClaimed() public {
        requestExit(alice, stake(alice, 10e18));
        pass(EXIT_DELAY);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_ZeroShares.selector, 0));
        staked.redeem(0, alice, alice);
        vm.expectRevert(Errors.StakedHeu_ZeroAmount.selector);
        staked.withdraw(0, alice, alice);
        staked.redeem(10e18, alice, alice);
        vm.expectRevert(abi.encodeWithSelector(IStakedHeuToken.ERC4626ExceededMaxRedeem.selector, alice, 10e18, 0));
        staked.redeem(10e18, alice, alice);
    }

    /// @dev Any mix of claims by shares and by assets ends with exactly what was fixed.
    function testFuzz_PartsAddUpToTheWei(uint128[4] memory stakes, uint128[8] memory parts, uint8 kinds) public {
        uint256 promised;
        for (uint256 i; i < 4; ++i) {
            uint256 shares = stake(alice, bound(stakes[i], 1e9, 1e26));
            rewardFully(bound(stakes[i] >> 3, 1, 1e26));
            requestExit(alice, shares);
            promised += staked.exitAt(alice, i).assets;
        }
        pass(EXIT_DELAY);
        assertEq(staked.maxWithdraw(alice), promised, "claimable");
        vm.startPrank(alice);
        for (uint256 i; i < 8; ++i) {
            uint256 max = (kinds >> i) & 1 == 0 ? staked.maxRedeem(alice) : staked.maxWithdraw(alice);
            if (max == 0) continue;
            uint256 part = bound(parts[i], 1, max);
            if ((kinds >> i) & 1 == 0) staked.redeem(part, alice, alice);
            else staked.withdraw(part, alice, alice);
            assertEq(heu.balanceOf(alice) + staked.maxWithdraw(alice), promised, "nothing lost or won on the way");
        }
        if (staked.maxWithdraw(alice) > 0) staked.withdraw(staked.maxWithdraw(alice), alice, alice);
        assertEq(heu.balanceOf(alice), promised, "all");
        assertEq(staked.maxRedeem(alice), 0, "no share left");
        assertEq(staked.exitingAssets(), 0, "no promise left");
    }

    function test_MaturesOldestFirst() public {
        stake(alice, 30e18);
        requestExit(alice, 10e18);
        pass(10 days);
        requestExit(alice, 20e18);
        pass(EXIT_DELAY - 10 days);
        assertEq(staked.claimableRedeemRequest(0, alice), 10e18, "the first");
        assertEq(staked.pendingRedeemRequest(0, alice), 20e18, "the second waits");
        assertEq(staked.pendingRedeemRequest(1, alice), 0, "other ids do not exist");
        assertEq(staked.claimableRedeemRequest(1, alice), 0, "other ids do not exist");
        pass(10 days);
        assertEq(staked.maxRedeem(alice), 30e18, "both");
    }

    function test_ManyGiftsDoNotBlockAClaim() public {
        stake(bob, 1e18);
        vm.startPrank(bob);
        for (uint256 i; i < 300; ++i) {
            staked.requestRedeem(1, alice, bob);
        }
        vm.stopPrank();
        requestExit(alice, stake(alice, 10e18));
        pass(EXIT_DELAY);
        uint256 gasBefore = gasleft();
        vm.prank(alice);
        staked.redeem(10e18 + 300, alice, alice);
        assertLe(gasBefore - gasleft(), 200_000, "gas");
    }

    /* DELAY */

    function test_ALaterDelayDoesNotTouchRunningExits() public {
        stake(alice, 20e18);
        stake(bob, 10e18);
        requestExit(alice, 10e18);
        vm.prank(owner);
        staked.setExitDelay(730 days);
        requestExit(bob, 5e18);
        assertEq(staked.exitAt(alice, 0).claimableAt, block.timestamp + EXIT_DELAY, "as promised");
        assertEq(staked.exitAt(bob, 0).claimableAt, block.timestamp + 730 days, "the new delay");

        vm.prank(owner);
        staked.setExitDelay(30 days);
        requestExit(alice, 10e18);
        assertEq(staked.exitAt(alice, 1).claimableAt, block.timestamp + EXIT_DELAY, "behind the exit before it");
        vm.prank(bob);
        staked.requestRedeem(5e18, stranger, bob);
        assertEq(staked.exitAt(stranger, 0).claimableAt, block.timestamp + 30 days, "a new queue");
    }

    /* PAUSE AND STANDARD */

    function test_APauseDoesNotStopExits() public {
        requestExit(alice, stake(alice, 10e18) / 2);
        pass(EXIT_DELAY);
        vm.prank(guardian);
        vm.expectRevert();
        staked.pause();
        vm.prank(owner);
        staked.setGuardian(guardian);
        vm.prank(guardian);
        staked.pause();

        requestExit(alice, 5e18);
        vm.prank(alice);
        assertEq(staked.redeem(5e18, alice, alice), 5e18, "claimed while paused");
        reward(RewardSource.Buyback, 1e18);
    }

    function test_PreviewsOfAnExitRevert() public {
        vm.expectRevert(Errors.StakedHeu_ExitTakesARequest.selector);
        staked.previewRedeem(1);
        vm.expectRevert(Errors.StakedHeu_ExitTakesARequest.selector);
        staked.previewWithdraw(1);
    }

    function test_NamesItsStandards() public view {
        assertTrue(staked.supportsInterface(0x01ffc9a7), "ERC-165");
        assertTrue(staked.supportsInterface(0x2f0a18c5), "ERC-7575");
        assertTrue(staked.supportsInterface(0xe3bc4e65), "ERC-7540 operators");
        assertTrue(staked.supportsInterface(0x620ee8e4), "ERC-7540 redeem");
        assertFalse(staked.supportsInterface(0xce3bbe50), "no ERC-7540 deposit");
        assertFalse(staked.supportsInterface(0xffffffff), "not everything");
        assertEq(staked.share(), address(staked), "share");
    }
}
