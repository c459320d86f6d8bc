// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EmissionWiring, EpochPhase, NodeReport} from "../../src/interfaces/IEmissionController.sol";
import {IGauge, GaugeKind} from "../../src/interfaces/IGauge.sol";
import {IVoterRewards} from "../../src/interfaces/IVoterRewards.sol";
import {NodeFixture} from "../unit/NodeRegistry/NodeFixture.sol";
import {IOwnedEmission, IOwnedNodeGauge, IOwnedPodGauge, IStakedHeuToken} from "./Interfaces.sol";
import {ReservoirLedger} from "./Ledgers.sol";

/// @notice Gauges, voters' rewards and emission over the contracts of `Fixture`; three nodes, one pod, two voters.
abstract contract EconomyFixture is NodeFixture {
    uint256 internal constant EMISSION = 500_000_000e18;
    uint256 internal constant WEEK = 7 days;

    IStakedHeuToken internal stake;
    ReservoirLedger internal reservoir;
    IOwnedNodeGauge internal nodeGauge;
    IOwnedPodGauge internal podGauge;
    IVoterRewards internal voterRewards;
    IOwnedEmission internal emission;

    address internal alice;
    address internal bob;
    bytes32 internal podId;

    function setUp() public virtual override {
        super.setUp();
        (alice, bob) = (makeAddr("alice"), makeAddr("bob"));
        stake = IStakedHeuToken(deploy("StakedHeu", abi.encode(owner, heu, 365 days)));
        reservoir = new ReservoirLedger();
        nodeGauge = IOwnedNodeGauge(deploy("NodeGauge", abi.encode(owner, stake, nodes, EPOCH_GENESIS)));
        podGauge = IOwnedPodGauge(deploy("PodGauge", abi.encode(owner, stake, pods, EPOCH_GENESIS)));
        voterRewards = IVoterRewards(deploy("VoterRewards", abi.encode(nodeGauge, podGauge, settlement)));
        vm.startPrank(owner);
        stake.setGauges(address(nodeGauge), address(podGauge));
        settlement.setVoterRewards(address(voterRewards));
        vm.stopPrank();
        EmissionWiring memory wiring = EmissionWiring({
            settlement: address(settlement),
            nodeRegistry: address(nodes),
            nodeGauge: address(nodeGauge),
            voterRewards: address(voterRewards),
            reservoir: address(reservoir)
        });
        emission = IOwnedEmission(deploy("EmissionController", abi.encode(owner, sequencer, wiring)));
        vm.deal(address(emission), EMISSION);

        for (uint256 i; i < 3; ++i) {
            registerNode(string.concat("hot", vm.toString(i + 1)), nodeOwner);
        }
        vm.prank(developer);
        podId = pods.register("chat", keccak256("manifest"), 10e9, 30e9, 800);
    }

    /* TIME */

    function epochNow() internal view returns (uint256) {
        return (block.timestamp - EPOCH_GENESIS) / WEEK;
    }

    function startOf(uint256 epoch) internal pure returns (uint256) {
        return EPOCH_GENESIS + epoch * WEEK;
    }

    function warpTo(uint256 epoch) internal {
        vm.warp(startOf(epoch));
    }

    /* STAKE */

    /// @dev Makes `account` hold that much stHEU: stakes for it, or lets it leave. The rate is one.
    function hold(address account, uint256 amount) internal {
        uint256 held = stake.balanceOf(account);
        if (amount > held) {
            vm.deal(address(this), amount - held);
            stake.depositNative{value: amount - held}(account);
        } else if (amount < held) {
            vm.prank(account);
            stake.requestRedeem(held - amount, account, account);
        }
    }

    function passOn(address from, address to, uint256 amount) internal {
        vm.prank(from);
        assertTrue(stake.transfer(to, amount), "moved");
    }

    /* VOTES */

    function list(bytes32 a) internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](1);
        ids[0] = a;
    }

    function list(uint256 a, uint256 b) internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](2);
        (ids[0], ids[1]) = (bytes32(a), bytes32(b));
    }

    function bps(uint16 a) internal pure returns (uint16[] memory weights) {
        weights = new uint16[](1);
        weights[0] = a;
    }

    function bps(uint16 a, uint16 b) internal pure returns (uint16[] memory weights) {
        weights = new uint16[](2);
        (weights[0], weights[1]) = (a, b);
    }

    function epochs(uint256 a) internal pure returns (uint256[] memory result) {
        result = new uint256[](1);
        result[0] = a;
    }

    function vote(IGauge gauge, address voter, bytes32 id) internal {
        vm.prank(voter);
        gauge.vote(list(id), bps(10_000));
    }

    function claimVotes(address voter, GaugeKind kind, bytes32 id, uint256 epoch, address asset)
        internal
        returns (uint256 amount)
    {
        vm.prank(voter);
        return voterRewards.claim(kind, id, epochs(epoch), asset);
    }

    /* REVENUE */

    /// @dev Makes settlement say so: emission must follow these figures, whatever batches led to them.
    function setRevenue(uint256 epoch, uint256 heuAmount, uint256 usdAmount) internal {
        bytes memory question = abi.encodeWithSignature("organicRevenueOf(uint256)", epoch);
        vm.mockCall(address(settlement), question, abi.encode(heuAmount, usdAmount));
    }

    /* REPORTS */

    function reportOf(uint256 nodeId, uint64 availabilityBps, uint128 capacity, uint128 units)
        internal
        pure
        returns (NodeReport memory)
    {
        return NodeReport(nodeId, availabilityBps, capacity, units);
    }

    function reports(NodeReport memory a) internal pure returns (NodeReport[] memory result) {
        result = new NodeReport[](1);
        result[0] = a;
    }

    function reports(NodeReport memory a, NodeReport memory b) internal pure returns (NodeReport[] memory result) {
        result = new NodeReport[](2);
        (result[0], result[1]) = (a, b);
    }

    function report(uint256 epoch, NodeReport[] memory items) internal {
        vm.prank(sequencer);
        emission.report(epoch, items);
    }

    function seal(uint256 epoch) internal {
        vm.prank(sequencer);
        emission.seal(epoch);
    }

    /// @dev Reports, seals, waits and closes.
    function close(uint256 epoch, NodeReport[] memory items) internal {
        if (block.timestamp < startOf(epoch + 1)) warpTo(epoch + 1);
        report(epoch, items);
        seal(epoch);
        vm.warp(block.timestamp + emission.disputeWindowSeconds());
        emission.finalise(epoch);
    }

    function assertPhase(uint256 epoch, EpochPhase expected, string memory label) internal view {
        assertEq(uint256(emission.phaseOf(epoch)), uint256(expected), label);
    }
}
