// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {NodeReport} from "../../src/interfaces/IEmissionController.sol";
import {GaugeKind} from "../../src/interfaces/IGauge.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {Rows} from "../utils/Rows.sol";

/// @notice Gas of votes, reports and claims, one transaction each (base fee and calldata included).
contract EconomyGasTest is EconomyFixture {
    uint256 private constant REPORTED = 50;

    function test_Gas_Vote() public {
        addNodes(10);
        hold(alice, 1000e18);
        vote(nodeGauge, alice, bytes32(uint256(1)));
        record("NodeGauge.vote: one id, first");
        warpTo(epochNow() + 1);
        vote(nodeGauge, alice, bytes32(uint256(2)));
        record("NodeGauge.vote: one id, another");
        warpTo(epochNow() + 1);
        (bytes32[] memory ids, uint16[] memory weights) = tenIds();
        vm.prank(alice);
        nodeGauge.vote(ids, weights);
        record("NodeGauge.vote: ten ids, first");
        warpTo(epochNow() + 1);
        vm.prank(alice);
        nodeGauge.vote(ids, weights);
        record("NodeGauge.vote: ten ids, again");
        warpTo(epochNow() + 1);
        vm.prank(alice);
        bool moved = stake.transfer(bob, 1e18);
        record("StakedHeu.transfer: from a ballot of ten ids");
        assertTrue(moved, "moved");
    }

    function test_Gas_Emission() public {
        addNodes(REPORTED);
        hold(alice, 1000e18);
        vote(nodeGauge, alice, bytes32(uint256(1)));
        vm.prank(nodeOwner);
        emission.setTipBps(1, 2000);
        record("EmissionController.setTipBps: first");
        uint256 epoch = epochNow() + 1;
        warpTo(epoch + 1);
        uint256 first = reportAll(epoch);
        record("EmissionController.seal");
        vm.warp(block.timestamp + 1 days);
        emission.finalise(epoch);
        record("EmissionController.finalise");
        vm.snapshotValue("calls", "EmissionController.report: 50 nodes, first, per node", first / REPORTED);
        warpTo(epoch + 2);
        uint256 again = reportAll(epoch + 1);
        vm.snapshotValue("calls", "EmissionController.report: 50 nodes, per node", again / REPORTED);

        emission.claim(2, epoch);
        record("EmissionController.claim");
        emission.claim(1, epoch);
        record("EmissionController.claim: with tip");
        claimVotes(alice, GaugeKind.Node, bytes32(uint256(1)), epoch, address(heu));
        record("VoterRewards.claim: one epoch");
    }

    function test_Gas_PodVotesAndPots() public {
        fundAndCap(developer, 100e18, 100e6);
        hold(alice, 1000e18);
        vote(podGauge, alice, podId);
        record("PodGauge.vote: one id, first");
        vm.warp(startOf(epochNow() + 1) - 1);
        hold(alice, 2000e18);
        warpTo(epochNow() + 1);
        podGauge.poke(alice);
        record("PodGauge.poke: after stHEU of the last hour");
        vote(nodeGauge, alice, bytes32(uint256(1)));
        vm.warp(startOf(epochNow() + 1) - 1);
        hold(alice, 3000e18);
        warpTo(epochNow() + 1);
        nodeGauge.poke(alice);
        record("NodeGauge.poke: after stHEU of the last hour");

        uint256[] memory credits = new uint256[](2);
        credits[0] = Rows.credit(node, Rows.NODE, Rows.HEU, 9.8e18);
        credits[1] = Rows.credit(settlement.potOf(podId), Rows.VOTERS, Rows.HEU, 0.2e18);
        settle(Rows.list(Rows.debit(developer, Rows.HEU, 10e18)), Rows.sort(credits));
        vm.warp(block.timestamp + 2 * WINDOW);
        voterRewards.collect(podId, address(heu));
        record("VoterRewards.collect: HEU, first");
        vm.deal(bob, 2e18);
        uint256 next = epochNow() + 1;
        vm.prank(bob);
        voterRewards.fund{value: 1e18}(GaugeKind.Node, bytes32(uint256(2)), next);
        record("VoterRewards.fund: first");
        warpTo(next);
        voterRewards.rollForward(GaugeKind.Node, bytes32(uint256(2)), next, address(heu));
        record("VoterRewards.rollForward");
    }

    function test_Gas_Dispute() public {
        uint256 epoch = epochNow();
        warpTo(epoch + 1);
        emission.open(epoch);
        record("EmissionController.open");
        report(epoch, reports(reportOf(1, 10_000, 1000, 0)));
        seal(epoch);
        uint256 bond = emission.challengeBond();
        vm.deal(alice, bond);
        vm.prank(alice);
        emission.challenge{value: bond}(epoch, "evidence");
        record("EmissionController.challenge: first");
        vm.prank(owner);
        emission.resolve(epoch, true);
        emission.reclaimBond(epoch, 0, alice);
        record("EmissionController.reclaimBond");
    }

    /// @return gasUsed Of the one call that reports them all.
    function reportAll(uint256 epoch) private returns (uint256 gasUsed) {
        NodeReport[] memory items = new NodeReport[](REPORTED);
        for (uint256 i; i < REPORTED; ++i) {
            items[i] = reportOf(i + 1, 10_000, uint128(1000 + i), uint128(i));
        }
        report(epoch, items);
        gasUsed = vm.lastCallGas().gasTotalUsed;
        seal(epoch);
    }

    function addNodes(uint256 count) private {
        for (uint256 i = nodes.nodeCount() + 1; i <= count; ++i) {
            registerNode(string.concat("hot", vm.toString(i)), nodeOwner);
        }
    }

    function tenIds() private pure returns (bytes32[] memory ids, uint16[] memory weights) {
        (ids, weights) = (new bytes32[](10), new uint16[](10));
        for (uint256 i; i < 10; ++i) {
            (ids[i], weights[i]) = (bytes32(i + 1), 1000);
        }
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}
