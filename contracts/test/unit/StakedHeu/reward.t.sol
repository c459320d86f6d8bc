// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

contract StakeRewardTest is StakeFixture {
    function test_StreamsOverSevenDays() public {
        stake(alice, 99e18);
        reward(RewardSource.SequencerFees, 100e18);
        uint256 start = block.timestamp;
        assertEq(staked.rateWad(), 1e18, "nothing at once");
        assertEq(staked.streamEndsAt(), start + WEEK, "end");

        vm.warp(start + WEEK / 2);
        assertEq(staked.rateWad(), 1.5e18, "half");
        assertEq(staked.unstreamedRewards(), 50e18, "half to come");
        vm.warp(start + WEEK);
        assertEq(staked.rateWad(), 2e18, "all");
        vm.warp(start + 10 * WEEK);
        assertEq(staked.rateWad(), 2e18, "no more");
        assertEq(heu.balanceOf(address(staked)), 199e18, "wrapped");
    }

    function test_CountsEachSource() public {
        stake(alice, 10e18);
        reward(RewardSource.Buyback, 1e18);
        reward(RewardSource.SequencerFees, 2e18);
        reward(RewardSource.Reservoir, 4e18);
        reward(RewardSource.Buyback, 8e18);

        assertEq(staked.rewardedBy(RewardSource.Buyback), 9e18, "buyback");
        assertEq(staked.rewardedBy(RewardSource.SequencerFees), 2e18, "fees");
        assertEq(staked.rewardedBy(RewardSource.Reservoir), 4e18, "reservoir");
        assertEq(staked.unstreamedRewards(), 15e18, "all of it");
    }

    function test_RevertWhen_NotTheRegisteredSource() public {
        address buyback = sourceOf(RewardSource.Buyback);
        vm.deal(buyback, 2e18);
        vm.startPrank(buyback);
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_NotRewardSource.selector, 2, buyback));
        staked.reward{value: 1e18}(RewardSource.Reservoir);
        vm.expectRevert(Errors.StakedHeu_ZeroAmount.selector);
        staked.reward(RewardSource.Buyback);
        vm.stopPrank();

        vm.prank(owner);
        staked.setRewardSource(RewardSource.Buyback, address(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.StakedHeu_NotRewardSource.selector, 0, buyback));
        vm.prank(buyback);
        staked.reward{value: 1e18}(RewardSource.Buyback);
    }

    function testFuzz_DustCannotHoldTheStreamUp(uint32[20] memory waits) public {
        stake(alice, 100e18);
        reward(RewardSource.Buyback, 10e18);
        uint256 end = staked.streamEndsAt();
        for (uint256 i; i < 20; ++i) {
            uint256 next = block.timestamp + waits[i] % (WEEK / 20);
            if (next >= end) break;
            vm.warp(next);
            reward(RewardSource.SequencerFees, 1);
        }
        assertEq(staked.streamEndsAt(), end, "the end stays");
        vm.warp(end);
        assertEq(staked.unstreamedRewards(), 0, "all arrived");
    }

    function testFuzz_TheEndNeverMovesBackNorBeyondAWeek(uint96 first, uint96 second, uint32 wait) public {
        stake(alice, 100e18);
        reward(RewardSource.Buyback, bound(first, 1, type(uint96).max));
        uint256 end = staked.streamEndsAt();
        vm.warp(block.timestamp + wait % (2 * WEEK));
        reward(RewardSource.Reservoir, bound(second, 1, type(uint96).max));

        assertGe(staked.streamEndsAt(), end, "not back");
        assertLe(staked.streamEndsAt(), block.timestamp + WEEK, "at most a week");
    }

    function test_StandsStillWhileNobodyStakes() public {
        reward(RewardSource.Buyback, 70e18);
        pass(30 days);
        assertEq(staked.unstreamedRewards(), 70e18, "waits");
        stake(alice, 1e18 - 1);
        pass(30 days);
        assertEq(staked.unstreamedRewards(), 70e18, "waits for one stHEU");
        assertEq(staked.rateWad(), 1e18, "rate");

        stake(alice, 1);
        pass(1 days);
        assertEq(staked.unstreamedRewards(), 60e18, "a day of seven");
        requestExit(alice, 1);
        pass(30 days);
        assertEq(staked.unstreamedRewards(), 60e18, "stands still again");
        stake(bob, 10e18);
        assertEq(staked.streamEndsAt(), block.timestamp + 6 days, "six days left");
        pass(6 days);
        assertEq(staked.unstreamedRewards(), 0, "all arrived");
    }

    function test_DonationsChangeNothing() public {
        stake(alice, 10e18);
        wrapFor(address(staked), 1000e18);
        vm.deal(address(staked), 5e18);

        assertEq(staked.rateWad(), 1e18, "rate");
        assertEq(staked.totalAssets(), 10e18, "assets");
        assertEq(stake(bob, 10e18), 10e18, "next staker");
    }

    /// @dev The first staker takes one wei, waits for a reward meant for all, and hopes that the next rounds to nothing.
    function testFuzz_InflationDoesNotPay(uint96 gain, uint96 victim) public {
        uint256 mine = stake(alice, 1e18);
        uint256 rewarded = bound(gain, 1, 1_000_000e18);
        rewardFully(rewarded);
        uint256 amount = bound(victim, 1e9, 1_000_000e18);
        uint256 shares = stake(bob, amount);
        requestExit(bob, shares);

        // The victim loses at most two roundings, each worth one wei of stHEU.
        assertGe(staked.exitAt(bob, 0).assets + 2 * (staked.rateWad() / 1e18 + 1), amount, "the victim keeps its stake");
        requestExit(alice, mine);
        assertLe(staked.exitAt(alice, 0).assets, 1e18 + rewarded / 2 + staked.rateWad() / 1e18 + 1, "half at most");
    }

    function testFuzz_InAndOutAtOnceNeverGains(uint96 others, uint96 gain, uint96 amount) public {
        stake(alice, bound(others, 1e18, type(uint96).max));
        rewardFully(bound(gain, 1, type(uint96).max));
        uint256 put = bound(amount, 1e12, type(uint96).max);
        requestExit(bob, stake(bob, put));
        assertLe(staked.exitAt(bob, 0).assets, put, "no gain");
    }

    function test_OwnerAloneSetsParameters() public {
        vm.startPrank(stranger);
        bytes memory refused = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger);
        vm.expectRevert(refused);
        staked.setRewardSource(RewardSource.Buyback, stranger);
        vm.expectRevert(refused);
        staked.setGauges(stranger, stranger);
        vm.expectRevert(refused);
        staked.setExitDelay(30 days);
        vm.expectRevert(refused);
        staked.setGuardian(stranger);
        vm.stopPrank();

        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, 30 days - 1, 30 days, 730 days));
        staked.setExitDelay(30 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, 730 days + 1, 30 days, 730 days));
        staked.setExitDelay(730 days + 1);
        vm.expectEmit();
        emit Events.ExitDelayChanged(730 days);
        staked.setExitDelay(730 days);
        assertEq(staked.exitDelaySeconds(), 730 days, "set");
    }
}
