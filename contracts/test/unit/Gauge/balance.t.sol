// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";

contract BalanceTest is EconomyFixture {
    bytes32 private constant ONE = bytes32(uint256(1));
    bytes32 private constant TWO = bytes32(uint256(2));
    uint256 private next;

    function setUp() public override {
        super.setUp();
        hold(alice, 1000e18);
        vote(nodeGauge, alice, ONE);
        vote(nodeGauge, bob, TWO);
        next = epochNow() + 1;
    }

    function test_RevertWhen_AnybodyElseReportsABalance() public {
        address[2] memory callers = [owner, alice];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Gauge_NotStakedHeu.selector, callers[i]));
            vm.prank(callers[i]);
            nodeGauge.onBalanceChanged(alice, 1e27);
        }
    }

    function test_ATransferMovesTheWeight() public {
        vm.expectEmit();
        emit Events.BallotRecounted(alice, 600e18, next);
        vm.expectEmit();
        emit Events.BallotRecounted(bob, 400e18, next);
        passOn(alice, bob, 400e18);

        assertEq(nodeGauge.weightAt(ONE, next), 600e18 * 10_000, "sender");
        assertEq(nodeGauge.weightAt(TWO, next), 400e18 * 10_000, "receiver");
        assertEq(nodeGauge.totalWeightAt(next), 1000e18 * 10_000, "total");
    }

    function testFuzz_StakePassedOnCountsOnce(uint96 amount, uint8 hops) public {
        amount = uint96(bound(amount, 0, 1000e18));
        address from = alice;
        for (uint256 i; i < hops % 6; ++i) {
            address to = makeAddr(string.concat("hop", vm.toString(i)));
            passOn(from, to, amount);
            vote(nodeGauge, to, ONE);
            from = to;
        }
        assertEq(nodeGauge.weightAt(ONE, next), 1000e18 * 10_000, "one thousand, wherever it is");
    }

    function test_WithoutABallotNothingHappens() public {
        passOn(alice, stranger, 1000e18);

        assertEq(nodeGauge.countedOf(stranger), 0, "not counted");
        assertEq(nodeGauge.totalWeightAt(next), 0, "no weight");
    }

    function test_AnExitLosesItsWeight() public {
        vm.warp(startOf(next) - 1);
        hold(alice, 0);

        assertEq(nodeGauge.weightAt(ONE, next), 0, "gone before the flip");
        assertEq(nodeGauge.totalWeightAt(next), 0, "total");
    }

    function test_StakeReceivedInTheLastHourWaits() public {
        vm.warp(startOf(next) - 1 hours);
        passOn(alice, bob, 400e18);

        assertEq(nodeGauge.weightAt(ONE, next), 600e18 * 10_000, "taken off");
        assertEq(nodeGauge.weightAt(TWO, next), 0, "not put on: the lock cannot be passed");
    }

    function test_APokeCountsWhatWaited() public {
        vm.warp(startOf(next) - 1 hours);
        passOn(alice, bob, 400e18);
        warpTo(next);
        vm.prank(stranger);
        nodeGauge.poke(bob);

        assertEq(nodeGauge.weightAt(TWO, next), 0, "the present is final");
        assertEq(nodeGauge.weightAt(TWO, next + 1), 400e18 * 10_000, "counted");
        assertEq(nodeGauge.countedOf(bob), 400e18, "all of it");
    }

    function test_SendingOnWhatWaitsTakesNothingOff() public {
        hold(bob, 100e18);
        vm.warp(startOf(next) - 1 hours);
        passOn(alice, bob, 400e18);
        passOn(bob, stranger, 300e18);
        assertEq(nodeGauge.weightAt(TWO, next), 100e18 * 10_000, "what was counted");

        passOn(bob, stranger, 150e18);
        assertEq(nodeGauge.weightAt(TWO, next), 50e18 * 10_000, "never more than there is");
    }
}
