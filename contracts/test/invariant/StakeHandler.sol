// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {IStakedHeuToken, IWrappedHeuToken} from "../utils/Interfaces.sol";
import {Test} from "../utils/Test.sol";

/// @notice Plays stakers, the three sources, the owner, time, and someone who donates, steals and rounds. Every call
/// succeeds; what must be refused is tried and counted.
contract StakeHandler is Test {
    IStakedHeuToken private staked;
    IWrappedHeuToken private heu;
    address private owner;

    uint256 public deposited;
    uint256 public claimed;
    uint256 public donated;
    uint256 public rewarded;
    uint256 public thefts;
    uint256 public rateFalls;
    mapping(address account => uint256) public claimedBy;

    /// @dev The rate before the call as a fraction.
    uint256 private assetsBefore;
    uint256 private sharesBefore;

    constructor(IStakedHeuToken staked_, IWrappedHeuToken heu_, address owner_) {
        staked = staked_;
        heu = heu_;
        owner = owner_;
    }

    modifier watched() {
        assetsBefore = staked.totalAssets() + 1e18;
        sharesBefore = staked.totalSupply() + 1e18;
        _;
        uint256 nowAssets = staked.totalAssets() + 1e18;
        if (nowAssets * sharesBefore < assetsBefore * (staked.totalSupply() + 1e18)) rateFalls += 1;
    }

    function actor(uint256 which) public returns (address) {
        return makeAddr(string.concat("staker", vm.toString(which % 4)));
    }

    /* STAKERS */

    function deposit(uint256 who, uint256 receiver, uint256 amount) external watched {
        amount = bound(amount, 1, 1e25);
        if (staked.previewDeposit(amount) == 0) return;
        address from = fund(who, amount);
        vm.prank(from);
        staked.deposit(amount, actor(receiver));
        deposited += amount;
    }

    function mint(uint256 who, uint256 shares) external watched {
        shares = bound(shares, 1, 1e24);
        uint256 amount = staked.previewMint(shares);
        address from = fund(who, amount);
        vm.prank(from);
        staked.mint(shares, from);
        deposited += amount;
    }

    function depositNative(uint256 who, uint256 amount) external watched {
        amount = bound(amount, 1, 1e25);
        if (staked.previewDeposit(amount) == 0) return;
        vm.deal(actor(who), amount);
        vm.prank(actor(who));
        staked.depositNative{value: amount}(actor(who));
        deposited += amount;
    }

    function requestRedeem(uint256 who, uint256 controller, uint256 shares) external watched {
        address from = actor(who);
        if (staked.balanceOf(from) == 0) return;
        shares = bound(shares, 1, staked.balanceOf(from));
        address to = actor(controller);
        vm.prank(from);
        staked.requestRedeem(shares, to, from);
    }

    function redeem(uint256 who, uint256 shares) external watched {
        address from = actor(who);
        uint256 max = staked.maxRedeem(from);
        if (max == 0) return;
        vm.prank(from);
        note(from, staked.redeem(bound(shares, 1, max), from, from));
    }

    function withdraw(uint256 who, uint256 assets) external watched {
        address from = actor(who);
        uint256 max = staked.maxWithdraw(from);
        if (max == 0) return;
        assets = bound(assets, 1, max);
        vm.prank(from);
        staked.withdraw(assets, from, from);
        note(from, assets);
    }

    function transfer(uint256 who, uint256 receiver, uint256 shares) external watched {
        address from = actor(who);
        address to = actor(receiver);
        shares = bound(shares, 0, staked.balanceOf(from));
        vm.prank(from);
        staked.transfer(to, shares);
    }

    function delegate(uint256 who, uint256 to) external watched {
        address delegatee = actor(to);
        vm.prank(actor(who));
        staked.delegate(delegatee);
    }

    /* SOURCES, OWNER, TIME */

    function reward(uint256 source, uint256 amount) external watched {
        source %= 3;
        amount = bound(amount, 1, 1e24);
        address account = makeAddr(string.concat("source ", vm.toString(source)));
        vm.deal(account, amount);
        vm.prank(account);
        staked.reward{value: amount}(RewardSource(source));
        rewarded += amount;
    }

    function setExitDelay(uint256 seconds_) external watched {
        vm.prank(owner);
        staked.setExitDelay(uint32(bound(seconds_, 30 days, 730 days)));
    }

    /// @dev The rate is watched over time as well.
    function pass(uint256 seconds_) external watched {
        vm.warp(block.timestamp + bound(seconds_, 1, 60 days));
    }

    /* MISCHIEF */

    function donate(uint256 amount) external watched {
        amount = bound(amount, 1, 1e25);
        vm.deal(address(this), amount);
        heu.depositFor{value: amount}(address(staked));
        donated += amount;
    }

    /// @dev Someone else's exits and shares, more than there is, and rewards from nowhere.
    function steal(uint256 who, uint256 amount) external watched {
        address victim = actor(who);
        address thief = makeAddr("thief");
        vm.deal(thief, 1);
        vm.startPrank(thief);
        attempt(abi.encodeCall(staked.redeem, (bound(amount, 1, 1e27), thief, victim)), 0);
        attempt(abi.encodeCall(staked.withdraw, (bound(amount, 1, 1e27), thief, victim)), 0);
        attempt(abi.encodeCall(staked.requestRedeem, (bound(amount, 1, 1e27), thief, victim)), 0);
        attempt(abi.encodeCall(staked.reward, (RewardSource.Buyback)), 1);
        vm.stopPrank();
        uint256 tooMuch = staked.maxWithdraw(victim) + 1;
        vm.prank(victim);
        attempt(abi.encodeCall(staked.withdraw, (tooMuch, victim, victim)), 0);
    }

    function attempt(bytes memory data, uint256 value) private {
        (bool success,) = address(staked).call{value: value}(data);
        if (success) thefts += 1;
    }

    /* INTERNAL */

    function note(address account, uint256 amount) private {
        claimed += amount;
        claimedBy[account] += amount;
    }

    function fund(uint256 who, uint256 amount) private returns (address account) {
        account = actor(who);
        vm.deal(address(this), amount);
        heu.depositFor{value: amount}(account);
        vm.prank(account);
        heu.approve(address(staked), amount);
    }
}
