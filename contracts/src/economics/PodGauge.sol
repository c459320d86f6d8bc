// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GaugeKind} from "../interfaces/IGauge.sol";
import {IPodGauge} from "../interfaces/IPodGauge.sol";
import {IPodRegistry} from "../interfaces/IPodRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Events} from "../libraries/Events.sol";
import {GaugeMath} from "../libraries/GaugeMath.sol";
import {Gauge} from "./Gauge.sol";

/// @title PodGauge
/// @notice Votes for pods and the replica ceiling they give.
contract PodGauge is IPodGauge, Gauge {
    /* STORAGE */

    /// @notice The registry in which a pod must be to be voted for.
    address public immutable podRegistry;

    /// @inheritdoc IPodGauge
    uint16 public guaranteedReplicas = Constants.GUARANTEED_REPLICAS;

    /// @inheritdoc IPodGauge
    uint32 public ceilingFactorBps = Constants.CEILING_FACTOR_BPS;

    /* CONSTRUCTOR */

    /// @param epochGenesis_ Unix seconds at which epoch 0 begins.
    constructor(address owner, address stakedHeu_, address podRegistry_, uint256 epochGenesis_)
        Gauge(owner, GaugeKind.Pod, stakedHeu_, epochGenesis_)
    {
        podRegistry = podRegistry_;
    }

    /* PARAMETERS */

    /// @inheritdoc IPodGauge
    function setGuaranteedReplicas(uint16 guaranteedReplicas_) external onlyOwner {
        Bounds.check(guaranteedReplicas_, 0, Constants.MAX_GUARANTEED_REPLICAS);

        guaranteedReplicas = guaranteedReplicas_;

        emit Events.GuaranteedReplicasChanged(guaranteedReplicas_);
    }

    /// @inheritdoc IPodGauge
    function setCeilingFactorBps(uint32 ceilingFactorBps_) external onlyOwner {
        Bounds.check(ceilingFactorBps_, Constants.MIN_CEILING_FACTOR_BPS, Constants.MAX_CEILING_FACTOR_BPS);

        ceilingFactorBps = ceilingFactorBps_;

        emit Events.CeilingFactorChanged(ceilingFactorBps_);
    }

    /* VIEWS */

    /// @inheritdoc IPodGauge
    function replicaCeilingOf(bytes32 podId, uint256 epoch, uint256 networkSlots)
        external
        view
        returns (uint256 replicas)
    {
        return GaugeMath.replicaCeilingDown({
            shareWad: shareWadAt(podId, epoch),
            networkSlots: networkSlots,
            factorBps: ceilingFactorBps,
            guaranteedReplicas: guaranteedReplicas
        });
    }

    /* INTERNAL */

    function _checkId(bytes32 id) internal view override {
        IPodRegistry(podRegistry).getPod(id);
    }
}
