// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {ICreditVault} from "../interfaces/ICreditVault.sol";
import {
    ChallengeOutcome,
    EmissionWiring,
    EpochEmission,
    EpochPhase,
    IEmissionController
} from "../interfaces/IEmissionController.sol";
import {GaugeKind} from "../interfaces/IGauge.sol";
import {Node} from "../interfaces/INodeRegistry.sol";
import {IJobSettlement} from "../interfaces/IJobSettlement.sol";
import {IVoterRewards} from "../interfaces/IVoterRewards.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {EmissionMath} from "../libraries/EmissionMath.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";
import {SplitMath} from "../libraries/SplitMath.sol";
import {EmissionReports} from "./EmissionReports.sol";

/// @title EmissionController
/// @notice The emission vault: parts of each epoch, claims of nodes, tips.
contract EmissionController is EmissionReports {
    using BitMaps for BitMaps.BitMap;
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;

    /* STORAGE */

    IJobSettlement private immutable _settlement;
    ICreditVault private immutable _vault;
    IVoterRewards private immutable _voterRewards;

    mapping(uint256 epoch => BitMaps.BitMap) private _claimed;
    mapping(uint256 nodeId => Checkpoints.Trace208) private _tipsBps;

    /* CONSTRUCTOR */

    constructor(address owner, address sequencer_, EmissionWiring memory wiring)
        payable
        Ownable(owner)
        EmissionReports(sequencer_, wiring.nodeRegistry, wiring.nodeGauge, wiring.reservoir)
    {
        _settlement = IJobSettlement(wiring.settlement);
        _vault = ICreditVault(_settlement.vault());
        _voterRewards = IVoterRewards(wiring.voterRewards);
    }

    /// @dev The emission supply comes in here, at deployment or after it.
    receive() external payable {}

    /* CLOSING */

    /// @inheritdoc IEmissionController
    function open(uint256 epoch) external {
        EpochPhase phase = phaseOf(epoch);
        require(phase != EpochPhase.Running, Errors.EmissionController_WrongPhase(epoch, phase, EpochPhase.Reporting));

        _open(epoch);
    }

    /// @inheritdoc IEmissionController
    function finalise(uint256 epoch) external {
        _checkPhase(epoch, EpochPhase.Ready);
        _open(epoch);

        Epoch storage state = _epochs[epoch];
        if (state.challengedAt != 0) outcomeOf[epoch][state.report] = ChallengeOutcome.Lapsed;
        uint256 basePart = state.baseWeight == 0 ? 0 : state.basePart;
        uint256 dynamicPart = state.dynamicWeight == 0 ? 0 : state.dynamicPart;
        uint256 budget = EmissionMath.budgetOf(epoch);
        uint256 free = address(this).balance - owed;
        require(free >= budget, Errors.EmissionController_Underfunded(free, budget));
        uint256 reservoirPart = budget - basePart - dynamicPart;

        // Safe casts: each at most the budget.
        (state.basePart, state.dynamicPart) = (uint128(basePart), uint128(dynamicPart));
        state.reservoirPart = uint128(reservoirPart);
        state.finalised = true;
        owed += basePart + dynamicPart;

        emit Events.EpochFinalised(epoch, basePart, dynamicPart, reservoirPart);

        _reservoir.fill{value: reservoirPart}();
    }

    /// @dev Fixes revenue and parts once.
    function _open(uint256 epoch) internal override {
        Epoch storage state = _epochs[epoch];
        if (state.opened) return;

        uint256 rateWad = quoteRevenueRateWad(epoch);
        (uint256 basePart, uint256 dynamicPart, uint256 reservoirPart) =
            EmissionMath.cut(EmissionMath.budgetOf(epoch), rateWad);
        // Safe casts: each part at most the budget.
        (state.basePart, state.dynamicPart) = (uint128(basePart), uint128(dynamicPart));
        state.reservoirPart = uint128(reservoirPart);
        state.revenueRateWad = rateWad.toUint128();
        state.opened = true;

        emit Events.EpochOpened(epoch, rateWad, basePart, dynamicPart, reservoirPart);
    }

    /* CLAIMS */

    /// @inheritdoc IEmissionController
    function claim(uint256 nodeId, uint256 epoch) external returns (uint256 amount) {
        _checkPhase(epoch, EpochPhase.Final);
        uint256 reward = rewardOf(nodeId, epoch);
        require(reward != 0 && !isClaimed(nodeId, epoch), Errors.EmissionController_NothingToClaim(nodeId, epoch));
        address payout = _payoutOf(nodeId);

        uint256 tip = _tipOf(nodeId, epoch, reward);
        amount = reward - tip;
        _claimed[epoch].set(nodeId);
        owed -= reward;

        emit Events.EmissionClaimed({nodeId: nodeId, epoch: epoch, payout: payout, amount: amount, tip: tip});

        if (tip != 0) _voterRewards.fund{value: tip}(GaugeKind.Node, bytes32(nodeId), epoch);
        NativeTransfer.send(payout, amount);
    }

    /// @inheritdoc IEmissionController
    function setTipBps(uint256 nodeId, uint16 tipBps) external {
        require(_nodes.getNode(nodeId).owner == msg.sender, Errors.EmissionController_NotNodeOwner(nodeId, msg.sender));
        Bounds.check(tipBps, 0, Constants.BPS);

        uint256 from = EpochLib.epochAt(epochGenesis, block.timestamp) + 1;
        _tipsBps[nodeId].push(from.toUint48(), tipBps);

        emit Events.TipChanged(nodeId, tipBps, from);
    }

    /// @dev Nobody voted: nobody to tip, and the node keeps it, as it keeps a missing party's share of a payment.
    function _tipOf(uint256 nodeId, uint256 epoch, uint256 reward) private view returns (uint256) {
        if (_gauge.weightAt(bytes32(nodeId), epoch) == 0) return 0;
        return SplitMath.shareDown(reward, tipBpsAt(nodeId, epoch));
    }

    function _payoutOf(uint256 nodeId) private view returns (address) {
        (bool found, Node memory node) = _find(nodeId);
        if (!found) return _payouts[nodeId];
        require(!node.jailed, Errors.EmissionController_NodeJailed(nodeId));

        return node.payout;
    }

    /* VIEWS */

    /// @inheritdoc IEmissionController
    function emissionOf(uint256 epoch) external view returns (EpochEmission memory) {
        Epoch storage state = _epochs[epoch];
        return EpochEmission({
            revenueRateWad: state.revenueRateWad,
            basePart: state.basePart,
            dynamicPart: state.dynamicPart,
            reservoirPart: state.reservoirPart,
            baseWeight: state.baseWeight,
            dynamicWeight: state.dynamicWeight,
            report: state.report,
            opened: state.opened
        });
    }

    /// @inheritdoc IEmissionController
    function rewardOf(uint256 nodeId, uint256 epoch) public view returns (uint256 amount) {
        Epoch storage state = _epochs[epoch];
        Place memory end = _places[epoch][state.report][nodeId];
        Place memory start = _places[epoch][state.report][end.previousId];

        return _pieceOf(state.basePart, start.baseEnd, end.baseEnd, state.baseWeight)
            + _pieceOf(state.dynamicPart, start.dynamicEnd, end.dynamicEnd, state.dynamicWeight);
    }

    /// @inheritdoc IEmissionController
    function isClaimed(uint256 nodeId, uint256 epoch) public view returns (bool) {
        return _claimed[epoch].get(nodeId);
    }

    /// @inheritdoc IEmissionController
    function tipBpsAt(uint256 nodeId, uint256 epoch) public view returns (uint256 tipBps) {
        return _tipsBps[nodeId].upperLookupRecent(epoch.toUint48());
    }

    /// @inheritdoc IEmissionController
    function quoteRevenueRateWad(uint256 epoch) public view returns (uint256 rateWad) {
        uint256 first = epoch < Constants.REVENUE_EPOCHS ? 0 : epoch + 1 - Constants.REVENUE_EPOCHS;
        uint256 revenue;
        uint256 usdRevenue;
        for (uint256 each = first; each <= epoch; ++each) {
            (uint256 heu, uint256 usd) = _settlement.organicRevenueOf(each);
            revenue += heu;
            usdRevenue += usd;
        }
        revenue += EmissionMath.heuForUsdDown(usdRevenue, _vault.heuPriceUsdWad());

        return EmissionMath.revenueRateWadDown(revenue);
    }

    /* INTERNAL */

    /// @dev A node that is not in the report begins and ends at 0; so does everybody while there is no weight.
    function _pieceOf(uint256 part, uint256 start, uint256 end, uint256 total) private pure returns (uint256) {
        if (end <= start) return 0;
        return EmissionMath.cutDown({whole: part, before: start, weight: end - start, total: total});
    }
}
