// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ChallengeOutcome, EpochPhase, IEmissionController, NodeReport} from "../interfaces/IEmissionController.sol";
import {INodeGauge} from "../interfaces/INodeGauge.sol";
import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {IReservoir} from "../interfaces/IReservoir.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title EmissionReports
/// @notice What nodes did in an epoch, as the sequencer reports it, and the disputes about it.
abstract contract EmissionReports is IEmissionController, Ownable2Step {
    using SafeCast for uint256;

    /* TYPES */

    /// @dev Times are unix seconds; 0 = not yet. Amounts are wei of HEU.
    struct Epoch {
        uint128 basePart;
        uint128 dynamicPart;
        uint128 reservoirPart;
        uint128 revenueRateWad;
        uint112 baseWeight;
        uint112 dynamicWeight;
        uint32 lastNodeId;
        uint48 sealedAt;
        uint48 challengedAt;
        uint48 reopenedAt;
        uint8 report;
        bool opened;
        bool finalised;
        uint88 bonds;
    }

    /// @dev A node's place in a report, in one word: where its weights end, and who came before it.
    struct Place {
        uint112 baseEnd;
        uint112 dynamicEnd;
        uint32 previousId;
    }

    /* STORAGE */

    INodeRegistry internal immutable _nodes;
    INodeGauge internal immutable _gauge;
    IReservoir internal immutable _reservoir;

    /// @inheritdoc IEmissionController
    uint256 public immutable epochGenesis;

    mapping(uint256 epoch => Epoch) internal _epochs;
    mapping(uint256 epoch => mapping(uint256 report => mapping(uint256 nodeId => Place))) internal _places;

    /// @dev Where to pay a node that has left: its payout when last reported.
    mapping(uint256 nodeId => address) internal _payouts;

    /// @inheritdoc IEmissionController
    mapping(uint256 epoch => mapping(uint256 report => mapping(address challenger => uint256))) public bondOf;

    /// @inheritdoc IEmissionController
    mapping(uint256 epoch => mapping(uint256 report => ChallengeOutcome)) public outcomeOf;

    /// @inheritdoc IEmissionController
    uint256 public owed;

    /// @inheritdoc IEmissionController
    address public sequencer;

    /// @inheritdoc IEmissionController
    uint32 public reportWindowSeconds = Constants.REPORT_WINDOW;

    /// @inheritdoc IEmissionController
    uint32 public disputeWindowSeconds = Constants.DISPUTE_WINDOW;

    /// @inheritdoc IEmissionController
    uint128 public challengeBond = Constants.CHALLENGE_BOND;

    /* CONSTRUCTOR */

    constructor(address sequencer_, address nodes, address gauge, address reservoir) {
        _nodes = INodeRegistry(nodes);
        _gauge = INodeGauge(gauge);
        _reservoir = IReservoir(reservoir);
        epochGenesis = INodeGauge(gauge).epochGenesis();
        _setSequencer(sequencer_);
    }

    /* REPORTS */

    /// @inheritdoc IEmissionController
    function report(uint256 epoch, NodeReport[] calldata reports) external {
        Epoch storage state = _reporting(epoch);

        Place memory end = Place(state.baseWeight, state.dynamicWeight, state.lastNodeId);
        uint256 number = state.report;
        for (uint256 i; i < reports.length; ++i) {
            NodeReport calldata item = reports[i];
            require(item.nodeId > end.previousId, Errors.EmissionController_UnsortedReports(i));
            require(item.availabilityBps <= Constants.BPS, Errors.EmissionController_BadAvailability(i));

            (uint256 baseWeight, uint256 dynamicWeight) = _weigh(epoch, number, item);
            end.baseEnd = (end.baseEnd + baseWeight).toUint112();
            end.dynamicEnd = (end.dynamicEnd + dynamicWeight).toUint112();
            _places[epoch][number][item.nodeId] = end;
            end.previousId = item.nodeId.toUint32();
        }
        (state.baseWeight, state.dynamicWeight, state.lastNodeId) = (end.baseEnd, end.dynamicEnd, end.previousId);
    }

    /// @inheritdoc IEmissionController
    function seal(uint256 epoch) external {
        Epoch storage state = _reporting(epoch);

        state.sealedAt = uint48(block.timestamp);

        emit Events.EpochSealed(epoch, state.report, state.baseWeight, state.dynamicWeight);
    }

    /// @dev The opened epoch, if its caller may report now.
    function _reporting(uint256 epoch) private returns (Epoch storage state) {
        require(msg.sender == sequencer, Errors.EmissionController_NotSequencer(msg.sender));
        _checkPhase(epoch, EpochPhase.Reporting);
        _open(epoch);

        return _epochs[epoch];
    }

    /// @dev A node's weights; remembers where to pay it.
    function _weigh(uint256 epoch, uint256 number, NodeReport calldata item)
        private
        returns (uint256 baseWeight, uint256 dynamicWeight)
    {
        (bool found, Node memory node) = _find(item.nodeId);
        address payout = _payouts[item.nodeId];
        require(found || payout != address(0), Errors.EmissionController_UnknownNode(item.nodeId));
        if (found && node.payout != payout) _payouts[item.nodeId] = node.payout;

        // From WAD to basis points, rounded down.
        uint256 multiplierBps = _gauge.multiplierWad(item.nodeId, epoch) / (Constants.WAD / Constants.BPS);
        dynamicWeight = item.organicComputeUnits * multiplierBps;
        if (found && _isCollateralised(item.nodeId, node)) {
            baseWeight = uint256(item.availabilityBps) * item.capacity * multiplierBps;
        }

        emit Events.NodeReported({
            epoch: epoch,
            nodeId: item.nodeId,
            report: number,
            availabilityBps: item.availabilityBps,
            capacity: item.capacity,
            organicComputeUnits: item.organicComputeUnits,
            baseWeight: baseWeight,
            dynamicWeight: dynamicWeight
        });
    }

    /// @dev Whoever can be slashed for all that the floor asks of it, a node that is leaving included.
    function _isCollateralised(uint256 nodeId, Node memory node) private view returns (bool) {
        return !node.jailed && _nodes.coverageOf(nodeId).covered;
    }

    /// @dev The registry refuses ids of nodes that have left; that is an answer here, not a failure. Nobody can fake it by
    /// sending little gas: a 64th of what the call ran out of is not enough for what its callers still do.
    function _find(uint256 nodeId) internal view returns (bool found, Node memory node) {
        try _nodes.getNode(nodeId) returns (Node memory stored) {
            return (true, stored);
        } catch {
            return (false, node);
        }
    }

    /* DISPUTE */

    /// @inheritdoc IEmissionController
    function challenge(uint256 epoch, bytes32 evidence) external payable {
        EpochPhase phase = phaseOf(epoch);
        require(
            phase == EpochPhase.Disputing || phase == EpochPhase.Challenged,
            Errors.EmissionController_WrongPhase(epoch, phase, EpochPhase.Disputing)
        );
        require(msg.value == challengeBond, Errors.EmissionController_WrongBond(msg.value, challengeBond));

        Epoch storage state = _epochs[epoch];
        if (state.challengedAt == 0) {
            (state.sealedAt, state.challengedAt) = (_sealedAt(epoch), uint48(block.timestamp));
        }
        // Safe cast: the bond is at most `Constants.MAX_CHALLENGE_BOND`.
        state.bonds += uint88(msg.value);
        bondOf[epoch][state.report][msg.sender] += msg.value;
        owed += msg.value;

        emit Events.EpochChallenged(epoch, state.report, msg.sender, evidence, msg.value);
    }

    /// @inheritdoc IEmissionController
    function resolve(uint256 epoch, bool upheld) external onlyOwner {
        _checkPhase(epoch, EpochPhase.Challenged);

        Epoch storage state = _epochs[epoch];
        uint256 bonds = state.bonds;
        uint256 number = state.report;
        outcomeOf[epoch][number] = upheld ? ChallengeOutcome.Upheld : ChallengeOutcome.Rejected;
        (state.bonds, state.challengedAt) = (0, 0);
        if (upheld) {
            (state.baseWeight, state.dynamicWeight, state.lastNodeId) = (0, 0, 0);
            (state.sealedAt, state.reopenedAt) = (0, uint48(block.timestamp));
            state.report += 1;
        } else {
            owed -= bonds;
        }

        emit Events.ChallengeResolved(epoch, number, upheld);

        if (!upheld) _reservoir.fill{value: bonds}();
    }

    /// @inheritdoc IEmissionController
    function reclaimBond(uint256 epoch, uint256 number, address challenger) external {
        ChallengeOutcome outcome = outcomeOf[epoch][number];
        uint256 amount = bondOf[epoch][number][challenger];
        require(
            amount != 0 && (outcome == ChallengeOutcome.Upheld || outcome == ChallengeOutcome.Lapsed),
            Errors.EmissionController_NoBond(epoch, number, challenger)
        );

        delete bondOf[epoch][number][challenger];
        owed -= amount;

        emit Events.BondReclaimed(epoch, number, challenger, amount);

        NativeTransfer.send(challenger, amount);
    }

    /* PARAMETERS */

    /// @inheritdoc IEmissionController
    function setSequencer(address sequencer_) external onlyOwner {
        _setSequencer(sequencer_);
    }

    /// @inheritdoc IEmissionController
    function setReportWindow(uint32 reportWindowSeconds_) external onlyOwner {
        Bounds.check(reportWindowSeconds_, Constants.MIN_REPORT_WINDOW, Constants.MAX_REPORT_WINDOW);

        reportWindowSeconds = reportWindowSeconds_;

        emit Events.ReportWindowChanged(reportWindowSeconds_);
    }

    /// @inheritdoc IEmissionController
    function setDisputeWindow(uint32 disputeWindowSeconds_) external onlyOwner {
        Bounds.check(disputeWindowSeconds_, Constants.MIN_DISPUTE_WINDOW, Constants.MAX_DISPUTE_WINDOW);

        disputeWindowSeconds = disputeWindowSeconds_;

        emit Events.DisputeWindowChanged(disputeWindowSeconds_);
    }

    /// @inheritdoc IEmissionController
    function setChallengeBond(uint128 challengeBond_) external onlyOwner {
        Bounds.check(challengeBond_, Constants.MIN_CHALLENGE_BOND, Constants.MAX_CHALLENGE_BOND);

        challengeBond = challengeBond_;

        emit Events.ChallengeBondChanged(challengeBond_);
    }

    function _setSequencer(address sequencer_) private {
        require(sequencer_ != address(0), Errors.Shared_ZeroAddress());

        sequencer = sequencer_;

        emit Events.EmissionSequencerChanged(sequencer_);
    }

    /* VIEWS */

    /// @inheritdoc IEmissionController
    function phaseOf(uint256 epoch) public view returns (EpochPhase) {
        require(epoch < Constants.EMISSION_EPOCHS, Errors.EmissionController_NoSuchEpoch(epoch));
        Epoch storage state = _epochs[epoch];
        if (state.finalised) return EpochPhase.Final;
        if (block.timestamp < EpochLib.endOf(epochGenesis, epoch)) return EpochPhase.Running;
        if (state.challengedAt != 0) {
            return
                block.timestamp < state.challengedAt + Constants.RESOLVE_WINDOW
                    ? EpochPhase.Challenged
                    : EpochPhase.Ready;
        }
        if (outcomeOf[epoch][state.report] == ChallengeOutcome.Rejected) return EpochPhase.Ready;
        uint256 sealedAt = _sealedAt(epoch);
        if (sealedAt != 0) {
            return block.timestamp < sealedAt + disputeWindowSeconds ? EpochPhase.Disputing : EpochPhase.Ready;
        }
        bool mayReport = state.report < Constants.MAX_EPOCH_REPORTS && block.timestamp < _deadlineOf(epoch);
        return mayReport ? EpochPhase.Reporting : EpochPhase.Ready;
    }

    /* INTERNAL */

    /// @dev Fixes revenue and parts once.
    function _open(uint256 epoch) internal virtual;

    function _checkPhase(uint256 epoch, EpochPhase expected) internal view {
        EpochPhase phase = phaseOf(epoch);
        require(phase == expected, Errors.EmissionController_WrongPhase(epoch, phase, expected));
    }

    /// @dev Unix seconds until which the sequencer may report.
    function _deadlineOf(uint256 epoch) private view returns (uint256) {
        uint256 reopenedAt = _epochs[epoch].reopenedAt;
        return (reopenedAt != 0 ? reopenedAt : EpochLib.endOf(epochGenesis, epoch)) + reportWindowSeconds;
    }

    /// @dev When the report ended: sealed, or at the deadline as far as it got. 0 = it did not, or there is none.
    function _sealedAt(uint256 epoch) private view returns (uint48) {
        Epoch storage state = _epochs[epoch];
        if (state.sealedAt != 0 || state.lastNodeId == 0) return state.sealedAt;
        uint256 deadline = _deadlineOf(epoch);
        // Safe cast: unix seconds.
        return block.timestamp < deadline ? 0 : uint48(deadline);
    }
}
