// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GaugeKind} from "../../../src/interfaces/IGauge.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";
import {Rows} from "../../utils/Rows.sol";

/// @notice Real batches pay a pod's voters 2 %; the contracts of settlement are the real ones.
contract CollectTest is EconomyFixture {
    uint256 private epoch;

    function setUp() public override {
        super.setUp();
        fundAndCap(developer, 100e18, 100e6);
        hold(alice, 300e18);
        hold(bob, 100e18);
        vote(podGauge, alice, podId);
        vote(podGauge, bob, podId);
        epoch = epochNow() + 1;
    }

    function test_RevertWhen_ThereIsNothingToCollect() public {
        warpTo(epoch);
        vm.expectRevert();
        voterRewards.collect(podId, address(heu));
    }

    function test_RevertWhen_TheAssetIsUnknown() public {
        vm.expectRevert();
        voterRewards.collect(podId, address(stake));
    }

    function test_HeuReachesThePodsVoters() public {
        pay(Rows.HEU, 10e18);
        warpTo(epoch);
        vm.prank(stranger);
        assertEq(voterRewards.collect(podId, address(heu)), 0.2e18, "2 %");

        assertEq(voterRewards.heldOf(address(heu)), 0.2e18, "held");
        assertEq(claimVotes(alice, GaugeKind.Pod, podId, epoch, address(heu)), 0.15e18, "alice");
        assertEq(claimVotes(bob, GaugeKind.Pod, podId, epoch, address(heu)), 0.05e18, "bob");
        assertEq(alice.balance, 0.15e18, "in coins");
        assertEq(address(voterRewards).balance, 0, "all of it");
    }

    function test_StablecoinReachesThePodsVoters() public {
        pay(Rows.USD, 50e6);
        warpTo(epoch);
        voterRewards.collect(podId, address(usd));

        assertEq(voterRewards.potOf(GaugeKind.Pod, podId, epoch, address(usd)), 1e6, "2 %");
        assertEq(claimVotes(alice, GaugeKind.Pod, podId, epoch, address(usd)), 0.75e6, "alice");
        assertEq(usd.balanceOf(alice), 0.75e6, "in the token");
        vm.expectRevert(abi.encodeWithSelector(Errors.VoterRewards_NothingToClaim.selector, alice, address(heu)));
        claimVotes(alice, GaugeKind.Pod, podId, epoch, address(heu));
    }

    function test_WithoutVotesItWaitsForTheNextEpoch() public {
        pay(Rows.HEU, 10e18);
        vm.warp(block.timestamp + 2 * WINDOW);
        voterRewards.collect(podId, address(heu));
        assertEq(voterRewards.potOf(GaugeKind.Pod, podId, epoch, address(heu)), 0.2e18, "the coming epoch");
        warpTo(epoch);
        assertEq(claimVotes(alice, GaugeKind.Pod, podId, epoch, address(heu)), 0.15e18, "alice");
    }

    function testFuzz_TakesAllThatWaitsAndBooksItOnce(uint64 amount, bool inUsd, address caller) public {
        address asset = inUsd ? address(usd) : address(heu);
        amount = uint64(bound(amount, 50, inUsd ? 100e6 : 10e18));
        pay(inUsd ? Rows.USD : Rows.HEU, amount);
        warpTo(epoch);
        vm.prank(caller);
        assertEq(voterRewards.collect(podId, asset), amount / 50, "2 %");

        assertEq(voterRewards.heldOf(asset), amount / 50, "held");
        assertEq(voterRewards.potOf(GaugeKind.Pod, podId, epoch, asset), amount / 50, "booked");
        assertEq(settlement.claimableVotersOf(podId, asset), 0, "nothing waits");
        vm.expectRevert();
        voterRewards.collect(podId, asset);
    }

    function pay(uint256 asset, uint256 amount) private {
        uint256[] memory credits = new uint256[](2);
        credits[0] = Rows.credit(node, Rows.NODE, asset, amount - amount / 50);
        credits[1] = Rows.credit(settlement.potOf(podId), Rows.VOTERS, asset, amount / 50);
        settle(Rows.list(Rows.debit(developer, asset, amount)), Rows.sort(credits));
    }
}
