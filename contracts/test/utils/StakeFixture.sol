// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {IGaugeHook} from "../../src/interfaces/IGaugeHook.sol";
import {Fixture} from "./Fixture.sol";
import {IStakedHeuToken} from "./Interfaces.sol";

/// @notice Remembers what stHEU told it.
contract GaugeRecorder is IGaugeHook {
    mapping(address account => uint256) public balanceOf;
    mapping(address account => uint256) public calls;

    function onBalanceChanged(address account, uint256 newBalance) external {
        balanceOf[account] = newBalance;
        calls[account] += 1;
    }
}

/// @notice stHEU with its sources and two recording gauges; the shortest ways to stake, reward and leave.
abstract contract StakeFixture is Fixture {
    uint32 internal constant EXIT_DELAY = 365 days;
    uint256 internal constant WEEK = 7 days;

    IStakedHeuToken internal staked;
    GaugeRecorder internal nodeGauge;
    GaugeRecorder internal podGauge;
    address internal alice;
    address internal bob;
    address internal guardian;

    function setUp() public virtual override {
        super.setUp();
        alice = makeAddr("alice");
        bob = makeAddr("bob");
        guardian = makeAddr("guardian");
        staked = IStakedHeuToken(deploy("StakedHeu", abi.encode(owner, heu, EXIT_DELAY)));
        nodeGauge = new GaugeRecorder();
        podGauge = new GaugeRecorder();
        vm.startPrank(owner);
        staked.setGauges(address(nodeGauge), address(podGauge));
        staked.setGuardian(guardian);
        staked.setRewardSource(RewardSource.Buyback, sourceOf(RewardSource.Buyback));
        staked.setRewardSource(RewardSource.SequencerFees, sourceOf(RewardSource.SequencerFees));
        staked.setRewardSource(RewardSource.Reservoir, sourceOf(RewardSource.Reservoir));
        vm.stopPrank();
    }

    function sourceOf(RewardSource source) internal returns (address) {
        return makeAddr(string.concat("source ", vm.toString(uint256(source))));
    }

    /* MOVES */

    function wrapFor(address account, uint256 amount) internal {
        vm.deal(address(this), amount);
        heu.depositFor{value: amount}(account);
    }

    /// @dev Gives `account` the HEU first.
    function stake(address account, uint256 assets) internal returns (uint256 shares) {
        wrapFor(account, assets);
        vm.startPrank(account);
        heu.approve(address(staked), assets);
        shares = staked.deposit(assets, account);
        vm.stopPrank();
    }

    function reward(RewardSource source, uint256 amount) internal {
        address account = sourceOf(source);
        vm.deal(account, amount);
        vm.prank(account);
        staked.reward{value: amount}(source);
    }

    /// @dev Rewards and lets all of it arrive.
    function rewardFully(uint256 amount) internal {
        reward(RewardSource.Buyback, amount);
        pass(WEEK);
    }

    function requestExit(address account, uint256 shares) internal {
        vm.prank(account);
        staked.requestRedeem(shares, account, account);
    }

    function pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
    }
}
