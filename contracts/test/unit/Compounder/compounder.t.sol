// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICompounder, Plan} from "../../../src/interfaces/ICompounder.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";
import {Rows} from "../../utils/Rows.sol";
import {NodeFixture} from "../NodeRegistry/NodeFixture.sol";

/// @notice Takes stakes and remembers for whom; refuses when told to.
contract StakingStand {
    mapping(address receiver => uint256) public stakedFor;
    bool public closed;

    function close(bool closed_) external {
        closed = closed_;
    }

    function depositNative(address receiver) external payable returns (uint256) {
        require(!closed, "closed");
        stakedFor[receiver] += msg.value;
        return msg.value;
    }
}

interface ICompoundAccount {
    function takeHeu() external returns (uint256);
    function takeToken(address token, address receiver) external;
}

contract CompounderTest is NodeFixture {
    ICompounder private compounder;
    StakingStand private staking;
    uint256 private nodeId;
    address private account;

    function setUp() public override {
        super.setUp();
        staking = new StakingStand();
        compounder = ICompounder(deploy("Compounder", abi.encode(nodes, settlement, staking, heu, usd)));
        nodeId = registerNode("hot", nodeOwner);
        account = plan(3000, 2000, payout);
        vm.prank(nodeOwner);
        nodes.setPayout(nodeId, account);
        fundAndCap(developer, 1_000_000e18, 100_000e6);
    }

    /* PLANS */

    function test_ThePlanCreatesTheAccount() public {
        assertEq(account, compounder.accountOf(nodeId), "predicted");
        assertTrue(account.code.length != 0, "there");
        Plan memory stored = compounder.planOf(nodeId);
        assertEq(stored.owner, nodeOwner, "owner");
        assertEq(stored.payout, payout, "payout");

        vm.expectEmit();
        emit Events.CompoundPlanSet(nodeId, account, 1, 2, stranger);
        vm.prank(nodeOwner);
        assertEq(compounder.setPlan(nodeId, 1, 2, stranger), account, "the same account");
    }

    function test_RevertWhen_AStrangerPlans() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Compounder_NotNodeOwner.selector, nodeId, stranger));
        vm.prank(stranger);
        compounder.setPlan(nodeId, 0, 0, stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.Compounder_NotNodeOwner.selector, 99, stranger));
        vm.prank(stranger);
        compounder.setPlan(99, 0, 0, stranger);
    }

    function testFuzz_RevertWhen_ThePlanIsBad(uint16 collateralBps, uint16 stakeBps) public {
        uint256 sum = uint256(collateralBps) + stakeBps;
        vm.startPrank(nodeOwner);
        if (sum > 10_000) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Compounder_SharesTooHigh.selector, sum));
            compounder.setPlan(nodeId, collateralBps, stakeBps, payout);
        } else {
            compounder.setPlan(nodeId, collateralBps, stakeBps, payout);
            vm.expectRevert(Errors.Shared_ZeroAddress.selector);
            compounder.setPlan(nodeId, collateralBps, stakeBps, address(0));
        }
        vm.stopPrank();
    }

    /* COMPOUNDING */

    function testFuzz_SplitsEarningsToTheWei(uint80 earned, uint16 collateralBps, uint16 stakeBps) public {
        earned = uint80(bound(earned, 1, 900_000e18));
        collateralBps = uint16(bound(collateralBps, 0, 10_000));
        stakeBps = uint16(bound(stakeBps, 0, 10_000 - collateralBps));
        plan(collateralBps, stakeBps, payout);
        earn(account, earned);

        vm.prank(stranger);
        (uint256 collateral, uint256 staked, uint256 paid) = compounder.compound(nodeId);

        assertEq(collateral + staked + paid, earned, "no wei appears or disappears");
        assertEq(collateral, uint256(earned) * collateralBps / 10_000, "collateral");
        assertEq(staked, uint256(earned) * stakeBps / 10_000, "staked");
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL + collateral, "in the registry");
        assertEq(staking.stakedFor(nodeOwner), staked, "for the owner");
        assertEq(payout.balance, paid, "paid");
        assertEq(account.balance + address(compounder).balance, 0, "nothing stays");
    }

    function test_TheStablecoinGoesToThePayout() public {
        earnUsd(account, 123e6);
        compounder.compound(nodeId);
        assertEq(usd.balanceOf(payout), 123e6, "whole");
        assertEq(usd.balanceOf(account), 0, "nothing stays");
    }

    function test_EmissionClaimsAreCompoundedToo() public {
        vm.deal(address(this), 10e18);
        (bool sent,) = account.call{value: 10e18}("");
        assertTrue(sent, "taken");
        vm.expectEmit();
        emit Events.Compounded(nodeId, 3e18, 2e18, 5e18);
        compounder.compound(nodeId);
        assertEq(payout.balance, 5e18, "the rest");
    }

    function test_TwoNodesNeverMix() public {
        uint256 second = registerNode("second", stranger);
        vm.prank(stranger);
        address other = compounder.setPlan(second, 10_000, 0, stranger);
        assertTrue(other != account, "an account each");
        earn(account, 10e18);
        compounder.compound(second);
        assertEq(nodes.getNode(second).collateral, MIN_COLLATERAL, "nothing of the first");
        compounder.compound(nodeId);
        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL + 3e18, "the first's own");
    }

    function test_SwitchedOffEverythingIsPaid() public {
        earn(account, 10e18);
        plan(0, 0, stranger);
        compounder.compound(nodeId);
        assertEq(stranger.balance, 10e18, "everything");
    }

    function test_ANodeThatLeftIsPaidOut() public {
        earn(account, 10e18);
        vm.startPrank(nodeOwner);
        nodes.requestExit(nodeId);
        vm.warp(block.timestamp + UNBONDING);
        nodes.withdraw(nodeId, nodeOwner);
        compounder.setPlan(nodeId, 3000, 0, stranger);
        vm.stopPrank();
        compounder.compound(nodeId);
        assertEq(stranger.balance, 10e18, "everything");
        vm.expectRevert(abi.encodeWithSelector(Errors.Compounder_NotNodeOwner.selector, nodeId, stranger));
        vm.prank(stranger);
        compounder.setPlan(nodeId, 0, 0, stranger);
    }

    function test_RevertWhen_ThereIsNoPlan() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Compounder_NoPlan.selector, 2));
        compounder.compound(2);
    }

    function test_RefusedStakingLosesNothing() public {
        earn(account, 10e18);
        staking.close(true);
        vm.expectRevert("closed");
        compounder.compound(nodeId);
        assertEq(settlement.claimableOf(account, address(heu)), 10e18, "still there");
        plan(3000, 0, payout);
        compounder.compound(nodeId);
        assertEq(payout.balance, 7e18, "around it");
    }

    function test_ARefusingPayoutHurtsItselfAlone() public {
        address refusing = address(new RevertingReceiver());
        plan(0, 0, refusing);
        earn(account, 10e18);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        compounder.compound(nodeId);
        plan(0, 0, payout);
        compounder.compound(nodeId);
        assertEq(payout.balance, 10e18, "nothing is lost");
    }

    function test_ReentryFindsTheDoorClosed() public {
        Reentrant thief = new Reentrant();
        plan(0, 0, address(thief));
        earn(account, 10e18);
        thief.arm(address(compounder), abi.encodeCall(compounder.compound, (nodeId)));
        compounder.compound(nodeId);
        assertEq(thief.tries(), 1, "tried");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, 10e18, "only its own");
    }

    function test_RevertWhen_AStrangerTakes() public {
        bytes memory refused = abi.encodeWithSelector(Errors.Compounder_NotCompounder.selector, nodeOwner);
        vm.startPrank(nodeOwner);
        vm.expectRevert(refused);
        ICompoundAccount(account).takeHeu();
        vm.expectRevert(refused);
        ICompoundAccount(account).takeToken(address(usd), nodeOwner);
        vm.stopPrank();
    }

    function test_RevertWhen_StrangersSendCoins() public {
        vm.deal(stranger, 1);
        vm.prank(stranger);
        (bool success, bytes memory reason) = address(compounder).call{value: 1}("");
        assertFalse(success, "refused");
        assertEq(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(Errors.Compounder_NotCompounder.selector, stranger)),
            "reason"
        );
    }

    /* HELPERS */

    function plan(uint16 collateralBps, uint16 stakeBps, address receiver) private returns (address) {
        vm.prank(nodeOwner);
        return compounder.setPlan(nodeId, collateralBps, stakeBps, receiver);
    }

    function earn(address earner, uint256 amount) private {
        payNode(earner, amount);
        vm.warp(block.timestamp + 2 * WINDOW);
    }

    function earnUsd(address earner, uint256 amount) private {
        settle(
            Rows.list(Rows.debit(developer, Rows.USD, amount)),
            Rows.list(Rows.credit(earner, Rows.NODE, Rows.USD, amount))
        );
        vm.warp(block.timestamp + 2 * WINDOW);
    }
}
