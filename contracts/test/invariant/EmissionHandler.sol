// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ChallengeOutcome, EpochPhase, NodeReport} from "../../src/interfaces/IEmissionController.sol";
import {GaugeKind} from "../../src/interfaces/IGauge.sol";
import {IVoterRewards} from "../../src/interfaces/IVoterRewards.sol";
import {IOwnedEmission, IOwnedNodeGauge, IOwnedNodes, IStakedHeuToken} from "../utils/Interfaces.sol";
import {Test} from "../utils/Test.sol";

/// @notice Plays a sequencer that forgets, repeats and stops half-way, challengers, keepers who close in any order, nodes that
/// leave, tip and claim, and voters. Refused calls are made too, and must be refused.
contract EmissionHandler is Test {
    uint256 public constant NODES = 4;
    uint256 public constant VOTERS = 3;

    struct World {
        IOwnedEmission emission;
        IVoterRewards voterRewards;
        IOwnedNodeGauge gauge;
        IOwnedNodes nodes;
        IStakedHeuToken stake;
        address heu;
        address settlement;
        uint256 heuPriceUsdWad;
        address owner;
        address sequencer;
        address nodeOwner;
    }

    World private world;
    uint256 public firstEpoch;
    address[VOTERS] public voters;

    /* GHOSTS */

    mapping(uint256 epoch => mapping(uint256 nodeId => uint256)) public paidOf;
    uint256 public paid;
    uint256 public tipped;
    uint256 public gifts;
    uint256 public voterPaid;
    uint256 public bonds;
    uint256 public forfeited;
    mapping(string action => uint256) public count;

    /// @dev What the settlement says each epoch earned, and R of each epoch as it was when the epoch was opened (WAD).
    mapping(uint256 epoch => uint256) private heuOf;
    mapping(uint256 epoch => uint256) private usdOf;
    mapping(uint256 epoch => uint256) public rateWadOf;
    mapping(uint256 epoch => bool) private seen;

    /// @dev What needs to be looked at: epochs that were closed, and reports that were challenged.
    uint256[] public finals;
    uint256[] public challenges;
    mapping(uint256 key => bool) private noted;

    constructor(World memory world_) {
        world = world_;
        firstEpoch = epochNow();
        for (uint256 i; i < VOTERS; ++i) {
            voters[i] = makeAddr(string.concat("voter", vm.toString(i)));
        }
    }

    /* SEQUENCER */

    function report(uint256 which, uint256 mask, uint256 seed) external {
        uint256 epoch = pick(which);
        NodeReport[] memory items = itemsOf(mask % 2 ** NODES, seed);
        bytes memory data = abi.encodeCall(world.emission.report, (epoch, items));
        if (world.emission.phaseOf(epoch) != EpochPhase.Reporting) return refused(world.sequencer, data);

        vm.prank(world.sequencer);
        (bool success,) = address(world.emission).call(data);
        see(epoch);
        // A node that is in the report already makes the chunk fail, whole.
        count[success ? "report" : "repeated"] += 1;
    }

    function seal(uint256 which) external {
        uint256 epoch = pick(which);
        bytes memory data = abi.encodeCall(world.emission.seal, (epoch));
        if (world.emission.phaseOf(epoch) != EpochPhase.Reporting) return refused(world.sequencer, data);
        vm.prank(world.sequencer);
        world.emission.seal(epoch);
        see(epoch);
        count["seal"] += 1;
    }

    function earn(uint256 which, uint256 heuAmount, uint256 usdAmount) external {
        uint256 epoch = pick(which);
        (heuOf[epoch], usdOf[epoch]) = (bound(heuAmount, 0, 1e25), bound(usdAmount, 0, 1e12));
        bytes memory question = abi.encodeWithSignature("organicRevenueOf(uint256)", epoch);
        vm.mockCall(world.settlement, question, abi.encode(heuOf[epoch], usdOf[epoch]));
        count["earn"] += 1;
    }

    /// @dev Anyone may fix an epoch's revenue once it is over, also long before it is reported or closed.
    function open(uint256 which, uint256 who) external {
        uint256 epoch = pick(which);
        bytes memory data = abi.encodeCall(world.emission.open, (epoch));
        if (world.emission.phaseOf(epoch) == EpochPhase.Running) return refused(voters[who % VOTERS], data);
        vm.prank(voters[who % VOTERS]);
        world.emission.open(epoch);
        see(epoch);
        count["open"] += 1;
    }

    /* DISPUTE */

    function challenge(uint256 which, uint256 who) external {
        uint256 epoch = pick(which);
        EpochPhase phase = world.emission.phaseOf(epoch);
        if (phase != EpochPhase.Disputing && phase != EpochPhase.Challenged) return;
        uint256 bond = world.emission.challengeBond();
        vm.deal(voters[who % VOTERS], bond);
        vm.prank(voters[who % VOTERS]);
        world.emission.challenge{value: bond}(epoch, "evidence");
        bonds += bond;
        uint256 key = epoch * 3 + world.emission.emissionOf(epoch).report;
        if (!noted[key]) challenges.push(key);
        noted[key] = true;
        count["challenge"] += 1;
    }

    function resolve(uint256 which, bool upheld) external {
        uint256 epoch = pick(which);
        bytes memory data = abi.encodeCall(world.emission.resolve, (epoch, upheld));
        if (world.emission.phaseOf(epoch) != EpochPhase.Challenged) return refused(world.owner, data);
        uint256 number = world.emission.emissionOf(epoch).report;
        vm.prank(world.owner);
        world.emission.resolve(epoch, upheld);
        count["resolve"] += 1;
        if (upheld) return;
        for (uint256 i; i < VOTERS; ++i) {
            forfeited += world.emission.bondOf(epoch, number, voters[i]);
        }
    }

    function reclaim(uint256 which, uint256 number, uint256 who) external {
        (uint256 epoch, address voter) = (pick(which), voters[who % VOTERS]);
        number = number % 3;
        ChallengeOutcome outcome = world.emission.outcomeOf(epoch, number);
        uint256 bond = world.emission.bondOf(epoch, number, voter);
        bool mine = bond != 0 && (outcome == ChallengeOutcome.Upheld || outcome == ChallengeOutcome.Lapsed);
        if (!mine) return refused(voter, abi.encodeCall(world.emission.reclaimBond, (epoch, number, voter)));
        world.emission.reclaimBond(epoch, number, voter);
        bonds -= bond;
        count["reclaim"] += 1;
    }

    /* KEEPERS */

    function finalise(uint256 which, uint256 who) external {
        uint256 epoch = pick(which);
        address keeper = voters[who % VOTERS];
        bytes memory data = abi.encodeCall(world.emission.finalise, (epoch));
        if (world.emission.phaseOf(epoch) != EpochPhase.Ready) return refused(keeper, data);
        vm.prank(keeper);
        world.emission.finalise(epoch);
        see(epoch);
        finals.push(epoch);
        count["finalise"] += 1;
    }

    function claim(uint256 which, uint256 who) external {
        (uint256 epoch, uint256 nodeId) = (pick(which), 1 + who % NODES);
        uint256 reward = world.emission.rewardOf(nodeId, epoch);
        bool due = world.emission.phaseOf(epoch) == EpochPhase.Final && reward != 0
            && !world.emission.isClaimed(nodeId, epoch);
        if (!due) return refused(voters[0], abi.encodeCall(world.emission.claim, (nodeId, epoch)));
        uint256 amount = world.emission.claim(nodeId, epoch);
        paidOf[epoch][nodeId] += reward;
        paid += amount;
        tipped += reward - amount;
        count["claim"] += 1;
    }

    /* NODES AND VOTERS */

    function tip(uint256 who, uint16 tipBps) external {
        vm.prank(world.nodeOwner);
        (bool success,) = address(world.emission)
            .call(abi.encodeCall(world.emission.setTipBps, (1 + who % NODES, uint16(bound(tipBps, 0, 10_000)))));
        // A node that has left sets nothing.
        if (success) count["tip"] += 1;
    }

    function leave(uint256 who) external {
        uint256 nodeId = 1 + who % NODES;
        if (nodeId == 1) return;
        vm.startPrank(world.nodeOwner);
        (bool asked,) = address(world.nodes).call(abi.encodeCall(world.nodes.requestExit, (nodeId)));
        (bool left,) = address(world.nodes).call(abi.encodeCall(world.nodes.withdraw, (nodeId, world.nodeOwner)));
        vm.stopPrank();
        if (asked || left) count["leave"] += 1;
    }

    function vote(uint256 who, uint256 nodeId, uint256 amount) external {
        address voter = voters[who % VOTERS];
        amount = bound(amount, 1e9, 1e24);
        vm.deal(voter, amount);
        bytes32[] memory ids = new bytes32[](1);
        uint16[] memory weights = new uint16[](1);
        (ids[0], weights[0]) = (bytes32(1 + nodeId % NODES), 10_000);
        vm.startPrank(voter);
        world.stake.depositNative{value: amount}(voter);
        (bool success,) = address(world.gauge).call(abi.encodeCall(world.gauge.vote, (ids, weights)));
        vm.stopPrank();
        if (success) count["vote"] += 1;
    }

    function give(uint256 which, uint256 nodeId, uint256 amount) external {
        amount = bound(amount, 1, 1e24);
        vm.deal(address(this), amount);
        world.voterRewards.fund{value: amount}(GaugeKind.Node, bytes32(1 + nodeId % NODES), pick(which));
        gifts += amount;
        count["give"] += 1;
    }

    function rollForward(uint256 which, uint256 nodeId) external {
        (uint256 epoch, bytes32 id) = (pick(which), bytes32(1 + nodeId % NODES));
        bytes memory data = abi.encodeCall(world.voterRewards.rollForward, (GaugeKind.Node, id, epoch, world.heu));
        bool empty = world.voterRewards.potOf(GaugeKind.Node, id, epoch, world.heu) == 0;
        if (empty || world.gauge.weightAt(id, epoch) != 0 || epoch > epochNow()) {
            vm.prank(voters[0]);
            (bool success,) = address(world.voterRewards).call(data);
            require(!success, "EmissionHandler: nothing to roll");
            return;
        }
        world.voterRewards.rollForward(GaugeKind.Node, id, epoch, world.heu);
        count["rollForward"] += 1;
    }

    function claimVotes(uint256 which, uint256 nodeId, uint256 who) external {
        (uint256 epoch, bytes32 id, address voter) = (pick(which), bytes32(1 + nodeId % NODES), voters[who % VOTERS]);
        if (world.voterRewards.claimableOf(GaugeKind.Node, id, epoch, world.heu, voter) == 0) return;
        uint256[] memory twice = new uint256[](2);
        (twice[0], twice[1]) = (epoch, epoch);
        vm.prank(voter);
        voterPaid += world.voterRewards.claim(GaugeKind.Node, id, twice, world.heu);
        count["claimVotes"] += 1;
    }

    /* TIME */

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 6 days));
        count["pass"] += 1;
    }

    /// @dev Long enough for a challenge to lapse.
    function passAMonth() external {
        vm.warp(block.timestamp + 31 days);
        count["passAMonth"] += 1;
    }

    /* VIEWS */

    function epochNow() public view returns (uint256) {
        return (block.timestamp - world.emission.epochGenesis()) / 7 days;
    }

    function finalCount() external view returns (uint256) {
        return finals.length;
    }

    function challengeCount() external view returns (uint256) {
        return challenges.length;
    }

    /* INTERNAL */

    /// @dev Writes R down when an epoch is opened: DESIGN §6.3 in one expression, from what was paid until now.
    function see(uint256 epoch) private {
        if (seen[epoch] || !world.emission.emissionOf(epoch).opened) return;
        seen[epoch] = true;
        (uint256 wei_, uint256 usd) = (0, 0);
        for (uint256 back; back < 13 && back <= epoch; ++back) {
            (wei_, usd) = (wei_ + heuOf[epoch - back], usd + usdOf[epoch - back]);
        }
        wei_ += usd * 1e30 / world.heuPriceUsdWad;
        rateWadOf[epoch] = wei_ * 4 * 1e18 / 1_000_000_000e18;
    }

    /// @dev One of the last six epochs, the running one included.
    function pick(uint256 which) private view returns (uint256) {
        uint256 back = which % 6;
        uint256 present = epochNow();
        return back > present ? 0 : present - back;
    }

    function itemsOf(uint256 mask, uint256 seed) private pure returns (NodeReport[] memory items) {
        uint256 size;
        for (uint256 i; i < NODES; ++i) {
            if (mask >> i & 1 == 1) size += 1;
        }
        items = new NodeReport[](size);
        uint256 next;
        for (uint256 i; i < NODES; ++i) {
            if (mask >> i & 1 == 0) continue;
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            items[next++] = NodeReport({
                nodeId: i + 1,
                availabilityBps: uint64(random % 10_001),
                capacity: uint128((random >> 32) % 2 ** 60),
                organicComputeUnits: seed % 3 == 0 ? 0 : uint128((random >> 128) % 2 ** 60)
            });
        }
    }

    function refused(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool success,) = address(world.emission).call(data);
        require(!success, "EmissionHandler: it must be refused");
        count["refused"] += 1;
    }
}
