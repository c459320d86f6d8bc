// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {IStakedHeuToken} from "../../utils/Interfaces.sol";
import {ReentrantGauge, RefusingGauge} from "../../utils/BadGauges.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

contract StakeVotesTest is StakeFixture {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /* HOOK */

    function test_TellsBothGaugesOfEachChange() public {
        stake(alice, 10e18);
        assertEq(nodeGauge.balanceOf(alice), 10e18, "mint");
        vm.prank(alice);
        staked.transfer(bob, 4e18);
        assertEq(podGauge.balanceOf(alice), 6e18, "sender");
        assertEq(podGauge.balanceOf(bob), 4e18, "receiver");
        requestExit(bob, 1e18);
        assertEq(nodeGauge.balanceOf(bob), 3e18, "burn");
        vm.prank(alice);
        staked.approve(bob, 6e18);
        vm.prank(bob);
        staked.transferFrom(alice, bob, 6e18);
        assertEq(nodeGauge.balanceOf(alice), 0, "all gone");
        assertEq(podGauge.balanceOf(bob), 9e18, "all there");
        assertEq(nodeGauge.calls(alice), 3, "once for each change");

        vm.prank(bob);
        staked.transfer(bob, 9e18);
        assertEq(nodeGauge.balanceOf(bob), 9e18, "to itself");
        assertEq(nodeGauge.calls(bob), 4, "told once");
    }

    function test_WorksWithoutGauges() public {
        vm.prank(owner);
        staked.setGauges(address(0), address(podGauge));
        stake(alice, 10e18);
        assertEq(podGauge.balanceOf(alice), 10e18, "one gauge");
        vm.prank(owner);
        staked.setGauges(address(0), address(0));
        requestExit(alice, 10e18);
        assertEq(podGauge.balanceOf(alice), 10e18, "no longer told");
    }

    function test_AFailingGaugeRefusesUntilItIsUnset() public {
        uint256 shares = stake(alice, 10e18);
        address bad = address(new RefusingGauge());
        vm.prank(owner);
        staked.setGauges(address(nodeGauge), bad);
        vm.expectRevert(RefusingGauge.Refused.selector);
        vm.prank(alice);
        staked.requestRedeem(shares, alice, alice);
        vm.expectRevert(RefusingGauge.Refused.selector);
        vm.prank(alice);
        staked.transfer(bob, 1);

        vm.prank(owner);
        staked.setGauges(address(nodeGauge), address(0));
        requestExit(alice, shares);
        assertEq(nodeGauge.balanceOf(alice), 0, "left");
    }

    function test_AGaugeCannotReenter() public {
        bytes[] memory calls = new bytes[](5);
        calls[0] = abi.encodeCall(staked.deposit, (1e18, alice));
        calls[1] = abi.encodeCall(staked.mint, (1e18, alice));
        calls[2] = abi.encodeCall(staked.requestRedeem, (1, alice, alice));
        calls[3] = abi.encodeCall(staked.redeem, (1, bob, alice));
        calls[4] = abi.encodeCall(staked.withdraw, (1, bob, alice));
        ReentrantGauge thief = new ReentrantGauge(address(staked), calls);
        wrapFor(address(thief), 10e18);
        requestExit(alice, stake(alice, 10e18));
        pass(EXIT_DELAY);
        vm.prank(alice);
        staked.setOperator(address(thief), true);
        vm.prank(address(thief));
        heu.approve(address(staked), type(uint256).max);
        vm.prank(owner);
        staked.setGauges(address(thief), address(0));

        stake(bob, 5e18);
        assertEq(thief.tries(), 5, "tried all");
        assertEq(thief.successes(), 0, "in vain");
        assertEq(
            bytes32(thief.lastError()),
            bytes32(IStakedHeuToken.ReentrancyGuardReentrantCall.selector),
            "stopped by the guard"
        );
        requestExit(bob, 5e18);
        assertEq(thief.tries(), 10, "tried again");
        assertEq(thief.successes(), 0, "in vain again");
    }

    function test_RevertWhen_ASourceReentersWhilePaid() public {
        // Wrapped HEU calls nobody: the only calls out are to the asset and the gauges, so a source meets the guard too.
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(staked.reward, (RewardSource.Buyback));
        ReentrantGauge thief = new ReentrantGauge(address(staked), calls);
        vm.startPrank(owner);
        staked.setRewardSource(RewardSource.Buyback, address(thief));
        staked.setGauges(address(thief), address(0));
        vm.stopPrank();
        stake(bob, 5e18);
        assertEq(
            bytes32(thief.lastError()), bytes32(IStakedHeuToken.ReentrancyGuardReentrantCall.selector), "the guard"
        );
    }

    /* GOVERNANCE VOTES */

    function test_VotesFollowTheBalanceByTimestamp() public {
        assertEq(staked.clock(), block.timestamp, "clock");
        assertEq(staked.CLOCK_MODE(), "mode=timestamp", "mode");
        stake(alice, 10e18);
        assertEq(staked.getVotes(alice), 0, "not before it delegates");
        vm.prank(alice);
        staked.delegate(bob);
        uint256 before = block.timestamp;
        pass(10);
        vm.prank(alice);
        staked.transfer(stranger, 4e18);

        assertEq(staked.getVotes(bob), 6e18, "now");
        assertEq(staked.getPastVotes(bob, before), 10e18, "then");
        assertEq(staked.getPastTotalSupply(before), 10e18, "supply then");
        vm.expectRevert();
        staked.getPastVotes(bob, block.timestamp);
    }

    function testFuzz_NoUnitVotesTwice(uint96 first, uint96 moved) public {
        uint256 amount = stake(alice, bound(first, 1, type(uint96).max));
        stake(bob, 1e18);
        vm.prank(alice);
        staked.delegate(stranger);
        vm.prank(bob);
        staked.delegate(bob);
        uint256 part = bound(moved, 0, amount);
        vm.prank(alice);
        staked.transfer(bob, part);
        vm.prank(alice);
        staked.delegate(alice);
        vm.prank(alice);
        staked.delegate(bob);

        assertEq(staked.getVotes(bob), staked.totalSupply(), "each once");
        assertEq(staked.getVotes(alice) + staked.getVotes(stranger), 0, "none left behind");
    }

    /* PERMIT */

    function test_PermitsOnceForThisChainInTime() public {
        uint256 key = makeKey("alice");
        uint256 deadline = block.timestamp + 100;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, permitDigest(9e18, 0, deadline));
        staked.permit(alice, bob, 9e18, deadline, v, r, s);
        assertEq(staked.allowance(alice, bob), 9e18, "allowed");
        vm.expectRevert();
        staked.permit(alice, bob, 9e18, deadline, v, r, s);

        (v, r, s) = vm.sign(key, permitDigest(9e18, 1, deadline));
        vm.chainId(1);
        vm.expectRevert();
        staked.permit(alice, bob, 9e18, deadline, v, r, s);
        vm.chainId(31_337);
        vm.expectRevert();
        staked.permit(alice, bob, 9e18, deadline, v == 27 ? 28 : 27, r, bytes32(N - uint256(s)));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IStakedHeuToken.ERC2612ExpiredSignature.selector, deadline));
        staked.permit(alice, bob, 9e18, deadline, v, r, s);
    }

    function permitDigest(uint256 value, uint256 nonce, uint256 deadline) private view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, alice, bob, value, nonce, deadline));
        return keccak256(abi.encodePacked("\x19\x01", staked.DOMAIN_SEPARATOR(), structHash));
    }

    function test_NamesItself() public view {
        assertEq(staked.name(), "Staked HEU", "name");
        assertEq(staked.symbol(), "stHEU", "symbol");
        assertEq(staked.decimals(), 18, "decimals");
    }
}
