// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IFeeVault} from "../../../src/interfaces/IFeeVault.sol";
import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

interface IOwnedFeeVault is IFeeVault, IOwnable2Step {}

contract FeeVaultTest is StakeFixture {
    uint96 private constant COST = 10e18;

    IOwnedFeeVault private fees;
    address private receiver;

    function setUp() public override {
        super.setUp();
        receiver = makeAddr("l1 receiver");
        fees = IOwnedFeeVault(deploy("FeeVault", abi.encode(owner, staked, COST, receiver, EPOCH_GENESIS)));
        vm.prank(owner);
        staked.setRewardSource(RewardSource.SequencerFees, address(fees));
    }

    /* SWEEPING */

    function test_KeepsTheCostAndGivesTheRest() public {
        arrive(25e18);
        assertEq(fees.sweepable(), 15e18, "announced");

        vm.expectEmit();
        emit Events.FeesSwept(epoch(), 15e18, 10e18);
        assertEq(fees.sweep(), 15e18, "given");

        assertEq(staked.rewardedBy(RewardSource.SequencerFees), 15e18, "to stakers");
        assertEq(fees.retained(), 10e18, "kept");
        assertEq(fees.due(), 0, "covered");
        assertEq(fees.sweepable(), 0, "nothing left");
        assertEq(fees.sweep(), 0, "and nothing given");
    }

    function test_KeepsTheCostOncePerEpoch() public {
        arrive(25e18);
        fees.sweep();
        arrive(7e18);

        assertEq(fees.sweep(), 7e18, "all of it");
        assertEq(fees.retained(), 10e18, "kept once");
    }

    function test_FeesBelowTheCostGoToTheBaseLayer() public {
        arrive(4e18);

        assertEq(fees.sweep(), 0, "nothing for stakers");
        assertEq(fees.retained(), 4e18, "kept");
        assertEq(fees.due(), 6e18, "still due");

        arrive(7e18);
        assertEq(fees.sweep(), 1e18, "after the rest of the cost");
    }

    function test_LateSweepsKeepTheCostOfEachEpoch() public {
        pass(2 * WEEK);
        arrive(50e18);

        assertEq(fees.sweep(), 20e18, "three epochs have begun");
        assertEq(fees.retained(), 30e18, "kept");
    }

    function test_OldCostsAreForgotten() public {
        pass(100 * WEEK);
        assertEq(fees.due(), 40e18, "four epochs at most");
        arrive(50e18);

        assertEq(fees.sweep(), 10e18, "the rest");
    }

    function testFuzz_EveryWeiIsGivenOrKept(uint256[6] memory amounts, uint256[6] memory gaps) public {
        uint256 arrived;
        for (uint256 i; i < amounts.length; ++i) {
            uint256 amount = bound(amounts[i], 0, 1e24);
            arrive(amount);
            arrived += amount;
            pass(bound(gaps[i], 0, 3 * WEEK));
            uint256 announced = fees.sweepable();
            assertEq(fees.sweep(), announced, "as announced");
            if (i % 2 == 1 && fees.retained() != 0) fees.payL1Cost();
        }
        (uint256 given, uint256 paid) = fees.totals();

        assertEq(given + paid + fees.retained(), arrived, "no wei is lost or created");
        assertEq(address(fees).balance, fees.retained(), "what is kept is here");
        assertEq(receiver.balance, paid, "what was paid arrived");
        assertLe(fees.retained() + paid, 20 * uint256(COST), "never more than the epochs cost");
    }

    /* THE BASE LAYER */

    function test_PaysTheReceiver() public {
        arrive(12e18);
        fees.sweep();

        vm.expectEmit();
        emit Events.L1CostPaid(receiver, 10e18);
        assertEq(fees.payL1Cost(), 10e18, "paid");
        assertEq(receiver.balance, 10e18, "arrived");

        vm.expectRevert(Errors.FeeVault_NothingRetained.selector);
        fees.payL1Cost();
    }

    function test_RevertWhen_NothingIsKept() public {
        arrive(12e18);

        vm.expectRevert(Errors.FeeVault_NothingRetained.selector);
        fees.payL1Cost();
    }

    function test_ARefusingReceiverBlocksOnlyItself() public {
        address refusing = address(new RevertingReceiver());
        vm.prank(owner);
        fees.setL1Cost(COST, refusing);
        arrive(12e18);

        assertEq(fees.sweep(), 2e18, "stakers get theirs");
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        fees.payL1Cost();
    }

    function test_AReenteringReceiverIsPaidOnce() public {
        Reentrant thief = new Reentrant();
        vm.prank(owner);
        fees.setL1Cost(COST, address(thief));
        thief.arm(address(fees), abi.encodeCall(fees.payL1Cost, ()));
        arrive(25e18);
        fees.sweep();
        // Coins of others, so that a second payment could be made.
        arrive(COST);
        fees.payL1Cost();

        assertEq(thief.tries(), 1, "it tried");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, COST, "paid once");
    }

    /* PARAMETERS */

    function test_AChangeCountsFromThisEpochOn() public {
        pass(WEEK);
        vm.expectEmit();
        emit Events.L1CostChanged(3e18, stranger);
        vm.prank(owner);
        fees.setL1Cost(3e18, stranger);
        assertEq(fees.due(), 20e18, "two epochs at the old cost");

        pass(WEEK);
        assertEq(fees.due(), 20e18, "the bound of four new costs holds nothing back that was due before");
    }

    function test_RevertWhen_TheCostIsBad() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, 1_000_000e18 + 1, 0, 1_000_000e18));
        fees.setL1Cost(1_000_000e18 + 1, receiver);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        fees.setL1Cost(1, address(0));
        vm.stopPrank();
    }

    function test_RevertWhen_AStrangerSetsTheCost() public {
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        fees.setL1Cost(0, stranger);
    }

    function testFuzz_ACostIsTakenWithinItsBoundsFromTheOwner(uint96 cost, address to, address caller) public {
        vm.assume(caller != owner);
        if (cost % 2 == 0) cost = uint96(bound(cost, 0, 1_000_000e18));
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller));
        vm.prank(caller);
        fees.setL1Cost(cost, to);
        vm.prank(owner);
        (bool success,) = address(fees).call(abi.encodeCall(fees.setL1Cost, (cost, to)));

        assertTrue(success == (cost <= 1_000_000e18 && to != address(0)), "exactly what is allowed");
        assertEq(fees.l1CostPerEpoch(), success ? cost : COST, "cost");
        assertEq(fees.l1CostReceiver(), success ? to : receiver, "receiver");
        assertEq(fees.due(), COST, "what was due stays due");
        pass(WEEK);
        (uint256 one, uint256 most) = (fees.l1CostPerEpoch(), 4 * uint256(fees.l1CostPerEpoch()));
        if (most < COST) most = COST;
        assertEq(fees.due(), COST + one < most ? COST + one : most, "and the new cost of the next epoch");
    }

    /* HELPERS */

    /// @dev Gas reaches a coinbase without a call.
    function arrive(uint256 amount) private {
        vm.deal(address(fees), address(fees).balance + amount);
    }

    function epoch() private view returns (uint256) {
        return (block.timestamp - EPOCH_GENESIS) / WEEK;
    }
}
