// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {GaugeKind} from "../interfaces/IGauge.sol";
import {INodeGauge} from "../interfaces/INodeGauge.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Events} from "../libraries/Events.sol";
import {GaugeMath} from "../libraries/GaugeMath.sol";
import {Gauge} from "./Gauge.sol";

/// @title NodeGauge
/// @notice Votes for nodes and the emission multiplier they give.
contract NodeGauge is INodeGauge, Gauge {
    using Checkpoints for Checkpoints.Trace208;

    /* STORAGE */

    /// @notice The registry in which a node must be to be voted for.
    address public immutable nodeRegistry;

    Checkpoints.Trace208 private _saturationsBps;

    /* CONSTRUCTOR */

    /// @param epochGenesis_ Unix seconds at which epoch 0 begins.
    constructor(address owner, address stakedHeu_, address nodeRegistry_, uint256 epochGenesis_)
        Gauge(owner, GaugeKind.Node, stakedHeu_, epochGenesis_)
    {
        nodeRegistry = nodeRegistry_;
        _saturationsBps.push(0, Constants.SATURATION_BPS);
    }

    /* PARAMETERS */

    /// @inheritdoc INodeGauge
    function setSaturationBps(uint16 saturationBps) external onlyOwner {
        Bounds.check(saturationBps, Constants.MIN_SATURATION_BPS, Constants.MAX_SATURATION_BPS);

        uint48 from = _nextEpoch();
        _saturationsBps.push(from, saturationBps);

        emit Events.SaturationChanged(saturationBps, from);
    }

    /* VIEWS */

    /// @inheritdoc INodeGauge
    function multiplierWad(uint256 nodeId, uint256 epoch) external view returns (uint256 multiplier) {
        return GaugeMath.multiplierWadDown(shareWadAt(bytes32(nodeId), epoch), saturationBpsAt(epoch));
    }

    /// @inheritdoc INodeGauge
    function saturationBpsAt(uint256 epoch) public view returns (uint256 saturationBps) {
        return _at(_saturationsBps, epoch);
    }

    /* INTERNAL */

    function _checkId(bytes32 id) internal view override {
        INodeRegistry(nodeRegistry).getNode(uint256(id));
    }
}
