// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Grant, IReservoir, ReservoirUse} from "../../../src/interfaces/IReservoir.sol";
import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";
import {ReservoirFixture} from "../../utils/ReservoirFixture.sol";

contract ReservoirTest is ReservoirFixture {
    /* INCOME AND BUDGETS */

    function testFuzz_FillsFromAnyone(uint96 amount) public {
        vm.deal(stranger, amount);
        vm.expectEmit();
        emit Events.ReservoirFilled(stranger, amount);
        vm.prank(stranger);
        reservoir.fill{value: amount}();

        assertEq(reservoir.unallocated(), 1_000e18 + uint256(amount), "unallocated");
        expectConserved();
    }

    function testFuzz_BudgetsTakeAndGiveBack(uint256 first, uint256 second, uint8 which) public {
        ReservoirUse use = ReservoirUse(which % 3);
        first = bound(first, 0, 1_000e18);
        second = bound(second, 0, 1_000e18);
        budget(use, first);
        assertEq(reservoir.unallocated(), 1_000e18 - first, "taken");
        vm.expectEmit();
        emit Events.ReservoirBudgetChanged(use, second);
        budget(use, second);

        assertEq(reservoir.budgetOf(use), second, "budget");
        assertEq(reservoir.unallocated(), 1_000e18 - second, "the rest");
        expectConserved();
    }

    function testFuzz_RevertWhen_ABudgetAsksMoreThanThereIs(uint256 amount) public {
        budget(ReservoirUse.Rental, 400e18);
        amount = bound(amount, 600e18 + 1, type(uint256).max);

        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_NotEnough.selector, 600e18, amount));
        budget(ReservoirUse.Grants, amount);
    }

    /* RENTAL */

    function testFuzz_RentsOutOfItsBudget(uint256 amount) public {
        amount = bound(amount, 1, 300e18);
        budget(ReservoirUse.Rental, 300e18);
        budget(ReservoirUse.Grants, 300e18);
        vm.expectEmit();
        emit Events.CapacityRented(receiver, amount, keccak256("invoice"));
        vm.prank(owner);
        reservoir.rent(receiver, amount, keccak256("invoice"));

        assertEq(receiver.balance, amount, "paid");
        assertEq(reservoir.budgetOf(ReservoirUse.Rental), 300e18 - amount, "budget");
        assertEq(reservoir.budgetOf(ReservoirUse.Grants), 300e18, "another's");
        assertEq(reservoir.spentOn(ReservoirUse.Rental), amount, "spent");
        expectConserved();
    }

    function test_RevertWhen_TheBudgetIsTooSmall() public {
        budget(ReservoirUse.Rental, 10e18);

        vm.startPrank(owner);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Reservoir_OverBudget.selector, ReservoirUse.Rental, 10e18, 10e18 + 1)
        );
        reservoir.rent(receiver, 10e18 + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_OverBudget.selector, ReservoirUse.Grants, 0, 1));
        reservoir.grant(receiver, 1, 1 days, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_OverBudget.selector, ReservoirUse.Staking, 0, 1));
        reservoir.topUpStaking(1);
        vm.expectRevert(Errors.Reservoir_ZeroAmount.selector);
        reservoir.rent(receiver, 0, 0);
        vm.stopPrank();
    }

    function test_RevertWhen_TheReceiverRefuses() public {
        budget(ReservoirUse.Rental, 10e18);
        address refusing = address(new RevertingReceiver());

        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        reservoir.rent(refusing, 1e18, 0);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        reservoir.rent(address(0), 1e18, 0);
        vm.stopPrank();
        assertEq(reservoir.budgetOf(ReservoirUse.Rental), 10e18, "kept");
        expectConserved();
    }

    /* GRANTS */

    function testFuzz_AGrantFlowsEvenly(uint128 amount, uint48 duration, uint256 elapsed) public {
        amount = uint128(bound(amount, 1, 1_000e18));
        duration = uint48(bound(duration, Constants.MIN_GRANT_DURATION, Constants.MAX_GRANT_DURATION));
        elapsed = bound(elapsed, 0, 2 * uint256(duration));
        budget(ReservoirUse.Grants, 1_000e18);
        uint256 id = grant(receiver, amount, duration);
        vm.warp(block.timestamp + elapsed);

        uint256 expected = elapsed >= duration ? amount : uint256(amount) * elapsed / duration;
        assertEq(reservoir.claimableOf(id), expected, "flowed");
        assertEq(reservoir.owedToGrants(), amount, "owed");
        Grant memory stored = reservoir.getGrant(id);
        assertEq(stored.receiver, receiver, "receiver");
        assertEq(stored.endsAt - stored.startsAt, duration, "duration");
        expectConserved();
    }

    function test_RevertWhen_TheGrantIsImpossible() public {
        budget(ReservoirUse.Grants, 10e18);
        (uint48 min, uint48 max) = (Constants.MIN_GRANT_DURATION, Constants.MAX_GRANT_DURATION);

        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, min - 1, min, max));
        reservoir.grant(receiver, 1e18, min - 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, max + 1, min, max));
        reservoir.grant(receiver, 1e18, max + 1, 0);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        reservoir.grant(address(0), 1e18, 1 days, 0);
        vm.stopPrank();
    }

    function testFuzz_ClaimingOftenPaysTheSame(uint128 amount, uint256 seed) public {
        amount = uint128(bound(amount, 1, 1_000e18));
        budget(ReservoirUse.Grants, amount);
        uint256 id = grant(receiver, amount, 30 days);
        for (uint256 i = 0; i < 10; i++) {
            vm.warp(block.timestamp + bound(uint256(keccak256(abi.encode(seed, i))), 1, 4 days));
            if (reservoir.claimableOf(id) > 0) reservoir.claimGrant(id);
            expectConserved();
        }
        vm.warp(block.timestamp + 30 days);
        if (reservoir.claimableOf(id) > 0) reservoir.claimGrant(id);

        assertEq(receiver.balance, amount, "all of it, once");
        assertEq(reservoir.spentOn(ReservoirUse.Grants), amount, "spent");
        assertEq(reservoir.owedToGrants(), 0, "nothing owed");
    }

    function testFuzz_CancellingReturnsTheRest(uint128 amount, uint256 elapsed, uint256 claimedAt) public {
        amount = uint128(bound(amount, 1e6, 1_000e18));
        elapsed = bound(elapsed, 0, 30 days - 1);
        claimedAt = bound(claimedAt, 0, elapsed);
        budget(ReservoirUse.Grants, amount);
        uint256 id = grant(receiver, amount, 30 days);
        uint256 start = block.timestamp;
        vm.warp(start + claimedAt);
        if (reservoir.claimableOf(id) > 0) reservoir.claimGrant(id);
        vm.warp(start + elapsed);
        uint256 flowed = uint256(amount) * elapsed / 30 days;

        vm.expectEmit();
        emit Events.GrantCancelled(id, amount - flowed);
        vm.prank(owner);
        uint256 returned = reservoir.cancelGrant(id);

        assertEq(returned, amount - flowed, "returned");
        assertEq(reservoir.budgetOf(ReservoirUse.Grants), returned, "to the budget");
        vm.warp(start + 365 days);
        if (reservoir.claimableOf(id) > 0) reservoir.claimGrant(id);
        assertEq(receiver.balance, flowed, "what had flowed, no more");
        assertEq(reservoir.owedToGrants(), 0, "nothing owed");
        expectConserved();
    }

    function test_RevertWhen_TheGrantHasEnded() public {
        budget(ReservoirUse.Grants, 10e18);
        uint256 ended = grant(receiver, 1e18, 1 days);
        uint256 cancelled = grant(receiver, 1e18, 3 days);
        uint256 start = block.timestamp;
        vm.warp(start + 1 days);

        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_GrantEnded.selector, ended, start + 1 days));
        reservoir.cancelGrant(ended);
        reservoir.cancelGrant(cancelled);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_GrantEnded.selector, cancelled, start + 1 days));
        reservoir.cancelGrant(cancelled);
        vm.stopPrank();
    }

    function test_AnyoneClaimsForTheReceiver() public {
        budget(ReservoirUse.Grants, 10e18);
        uint256 id = grant(receiver, 10e18, 10 days);
        vm.warp(block.timestamp + 4 days);
        vm.expectEmit();
        emit Events.GrantClaimed(id, receiver, 4e18);
        vm.prank(stranger);
        uint256 amount = reservoir.claimGrant(id);

        assertEq(amount, 4e18, "amount");
        assertEq(receiver.balance, 4e18, "to the receiver");
        assertEq(stranger.balance, 0, "not to the caller");
    }

    function test_AReenteringReceiverIsPaidOnce() public {
        Reentrant thief = new Reentrant();
        budget(ReservoirUse.Grants, 10e18);
        uint256 id = grant(address(thief), 10e18, 10 days);
        thief.arm(address(reservoir), abi.encodeCall(IReservoir.claimGrant, (id)));
        vm.warp(block.timestamp + 5 days);
        reservoir.claimGrant(id);

        assertEq(thief.tries(), 1, "it tried");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, 5e18, "paid once");
        expectConserved();
    }

    function test_RevertWhen_NothingCanBeClaimed() public {
        budget(ReservoirUse.Grants, 10e18);
        uint256 id = grant(receiver, 1e18, 1 days);

        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_NothingToClaim.selector, id));
        reservoir.claimGrant(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_UnknownGrant.selector, 0));
        reservoir.claimGrant(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_UnknownGrant.selector, id + 1));
        reservoir.getGrant(id + 1);
    }

    function test_ARefusingReceiverBlocksItselfAlone() public {
        address refusing = address(new RevertingReceiver());
        budget(ReservoirUse.Grants, 10e18);
        uint256 bad = grant(refusing, 1e18, 1 days);
        uint256 good = grant(receiver, 1e18, 1 days);
        vm.warp(block.timestamp + 1 days);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        reservoir.claimGrant(bad);
        reservoir.claimGrant(good);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_NotReceiver.selector, bad, owner));
        vm.prank(owner);
        reservoir.setGrantReceiver(bad, stranger);
        vm.startPrank(refusing);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        reservoir.setGrantReceiver(bad, address(0));
        reservoir.setGrantReceiver(bad, stranger);
        vm.stopPrank();
        reservoir.claimGrant(bad);
        assertEq(stranger.balance, 1e18, "handed on");
    }

    /* STAKING */

    function test_TopsUpStaking() public {
        budget(ReservoirUse.Staking, 70e18);
        vm.expectEmit();
        emit Events.StakingToppedUp(50e18);
        vm.prank(owner);
        reservoir.topUpStaking(50e18);

        assertEq(stakedHeu.rewardedBy(RewardSource.Reservoir), 50e18, "counted as the reservoir's");
        assertEq(reservoir.spentOn(ReservoirUse.Staking), 50e18, "spent");
        assertEq(reservoir.budgetOf(ReservoirUse.Staking), 20e18, "left");
        expectConserved();
    }

    function testFuzz_RevertWhen_AnyoneElseSpends(address caller) public {
        vm.assume(caller != owner);
        budget(ReservoirUse.Grants, 100e18);
        uint256 id = grant(receiver, 1e18, 1 days);
        bytes[5] memory calls = [
            abi.encodeCall(IReservoir.setBudget, (ReservoirUse.Rental, 1)),
            abi.encodeCall(IReservoir.rent, (caller, 1, 0)),
            abi.encodeCall(IReservoir.grant, (caller, 1, 1 days, 0)),
            abi.encodeCall(IReservoir.cancelGrant, (id)),
            abi.encodeCall(IReservoir.topUpStaking, (1))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(caller);
            (bool success, bytes memory reason) = address(reservoir).call(calls[i]);
            assertFalse(success, "refused");
            bytes memory expected = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller);
            assertEq(keccak256(reason), keccak256(expected), "why");
        }
    }
}
