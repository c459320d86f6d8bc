// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exit, RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {StakeFixture} from "../utils/StakeFixture.sol";
import {StakeHandler} from "./StakeHandler.sol";

/// @notice The invariants of stHEU in `README.md`.
contract StakeInvariantTest is StakeFixture {
    StakeHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new StakeHandler(staked, heu, owner);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public {
        assertEq(handler.rateFalls(), 0, "14: the rate never falls");
        assertGe(staked.rateWad(), 1e18, "14: the rate is at least one");
        assertEq(handler.thefts(), 0, "18: nothing is taken from others");
        checkBooks();
        checkHolders();
    }

    function checkBooks() private view {
        uint256 staked_ = staked.totalAssets();
        uint256 books = staked_ + staked.unstreamedRewards() + staked.exitingAssets();
        assertEq(heu.balanceOf(address(staked)), books + handler.donated(), "15: the books are what is held");
        assertEq(
            books + handler.claimed(), handler.deposited() + handler.rewarded(), "15: no HEU appears or disappears"
        );
        assertGe(staked_, staked.convertToAssets(staked.totalSupply()), "15: assets cover all shares");
        assertEq(
            staked.rewardedBy(RewardSource.Buyback) + staked.rewardedBy(RewardSource.SequencerFees)
                + staked.rewardedBy(RewardSource.Reservoir),
            handler.rewarded(),
            "16: the sources are what was rewarded"
        );
        assertLe(staked.unstreamedRewards(), handler.rewarded(), "16: streamed is not negative");
        if (staked.unstreamedRewards() > 0) {
            assertLe(staked.streamEndsAt(), block.timestamp + 7 days, "16: all arrives in a week");
        }
    }

    function checkHolders() private {
        uint256 shares;
        uint256 votes;
        uint256 delegated;
        uint256 owed;
        for (uint256 i; i < 4; ++i) {
            address account = handler.actor(i);
            shares += staked.balanceOf(account);
            votes += staked.getVotes(account);
            if (staked.delegates(account) != address(0)) delegated += staked.balanceOf(account);
            assertEq(nodeGauge.balanceOf(account), staked.balanceOf(account), "17: gauges know each balance");
            assertEq(podGauge.balanceOf(account), staked.balanceOf(account), "17: gauges know each balance");
            uint256 promised = promisedTo(account);
            assertGe(promised, handler.claimedBy(account), "18: no more than promised");
            owed += promised - handler.claimedBy(account);
        }
        assertEq(staked.totalSupply(), shares, "17: exits hold no shares");
        assertEq(votes, delegated, "17: each delegated share votes once, exits never");
        assertEq(staked.exitingAssets(), owed, "18: exits are owed exactly what was fixed");
    }

    function promisedTo(address account) private view returns (uint256 sum) {
        uint256 count = staked.exitCount(account);
        uint256 last;
        for (uint256 i; i < count; ++i) {
            Exit memory exit = staked.exitAt(account, i);
            sum += exit.assets;
            assertGe(exit.assets, exit.shares, "18: an exit gets at least one HEU for each");
            assertGe(exit.claimableAt, last, "18: oldest first");
            last = exit.claimableAt;
        }
    }

    function test_EveryHandlerActionCanHappen() public {
        handler.deposit(0, 0, 100e18);
        handler.mint(1, 50e18);
        handler.depositNative(2, 10e18);
        handler.delegate(0, 3);
        handler.reward(0, 7e18);
        handler.reward(1, 7e18);
        handler.reward(2, 7e18);
        handler.pass(3 days);
        handler.transfer(0, 1, 10e18);
        handler.donate(5e18);
        handler.requestRedeem(0, 0, 20e18);
        handler.requestRedeem(1, 0, 20e18);
        handler.setExitDelay(40 days);
        handler.steal(0, 1e18);
        for (uint256 i; i < 7; ++i) {
            handler.pass(60 days);
        }
        handler.redeem(0, 15e18);
        handler.withdraw(0, 10e18);
        handler.steal(0, 1);

        assertGe(handler.claimed(), 25e18, "claimed");
        assertEq(handler.rewarded(), 21e18, "rewarded");
        assertEq(staked.getVotes(handler.actor(3)), 70e18, "voted");
        invariant_AllLawsHold();
    }
}
