// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Coverage, ICollateralFloor} from "../interfaces/ICollateralFloor.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IRestakeAdapter} from "../interfaces/IRestakeAdapter.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {SecurityModel, SecurityParameters} from "../libraries/SecurityModel.sol";

/// @title CollateralFloor
/// @notice The collateral that a node needs, from the corrected inequality of Appendix A.
contract CollateralFloor is ICollateralFloor, Ownable2Step {
    /* STORAGE */

    /// @inheritdoc ICollateralFloor
    address public immutable registry;

    /// @inheritdoc ICollateralFloor
    address public restake;

    /// @dev The model's floor under `_parameters` (wei of HEU), kept because it is read for every node.
    uint256 private _modelFloor;
    SecurityParameters private _parameters;

    /* CONSTRUCTOR */

    constructor(address owner, address registry_, SecurityParameters memory parameters_) Ownable(owner) {
        require(registry_ != address(0), Errors.Shared_ZeroAddress());

        registry = registry_;
        _setParameters(parameters_);
    }

    /* FLOOR */

    /// @inheritdoc ICollateralFloor
    function floorOf(uint256) public view returns (uint256 floorWei) {
        return Math.max(_modelFloor, INodeRegistry(registry).minCollateral());
    }

    /// @inheritdoc ICollateralFloor
    function isCovered(uint256 nodeId) external view returns (bool) {
        return coverageOf(nodeId).covered;
    }

    /// @inheritdoc ICollateralFloor
    function coverageOf(uint256 nodeId) public view returns (Coverage memory coverage) {
        coverage.floor = floorOf(nodeId);
        coverage.bonded = INodeRegistry(registry).bondedOf(nodeId);
        coverage.restaked = restake == address(0) ? 0 : IRestakeAdapter(restake).valueOf(nodeId);
        coverage.covered = coverage.bonded + coverage.restaked >= coverage.floor;
    }

    /// @inheritdoc ICollateralFloor
    function quote(SecurityParameters calldata parameters_, uint256 escrowWei) external pure returns (uint256) {
        _check(parameters_);
        return SecurityModel.floorUp(parameters_, escrowWei);
    }

    /* PARAMETERS */

    /// @inheritdoc ICollateralFloor
    function parameters() external view returns (SecurityParameters memory) {
        return _parameters;
    }

    /// @inheritdoc ICollateralFloor
    function setParameters(SecurityParameters calldata parameters_) external onlyOwner {
        _setParameters(parameters_);
    }

    /// @inheritdoc ICollateralFloor
    function setRestake(address restake_) external onlyOwner {
        restake = restake_;

        emit Events.RestakeChanged(restake_);
    }

    function _setParameters(SecurityParameters memory p) private {
        _check(p);

        _parameters = p;
        _modelFloor = SecurityModel.floorUp(p, 0);

        emit Events.SecurityParametersChanged({
            exposureWei: SecurityModel.exposureUp(p),
            requiredCollateralWei: SecurityModel.requiredUp(p, 0),
            floorWei: _modelFloor,
            tasksToDetect: SecurityModel.tasksToDetectUp(p)
        });
    }

    function _check(SecurityParameters memory p) private pure {
        require(
            p.rewardWei >= p.honestCostWei && p.honestCostWei >= p.cheatCostWei,
            Errors.CollateralFloor_CostsOutOfOrder(p.rewardWei, p.honestCostWei, p.cheatCostWei)
        );
        Bounds.check(p.rewardWei, 0, Constants.MAX_MODEL_WEI);
        Bounds.check(p.outsideGainWei, 0, Constants.MAX_MODEL_WEI);
        Bounds.check(p.identityCostWei, 0, Constants.MAX_MODEL_WEI);
        Bounds.check(p.speedupWad, Constants.WAD, Constants.MAX_SPEEDUP_WAD);
        Bounds.check(p.discountWad, 0, Constants.MAX_DISCOUNT_WAD);
        Bounds.check(p.auditsToDetect, 1, Constants.MAX_AUDITS_TO_DETECT);
        Bounds.check(p.latencyTasks, 0, Constants.MAX_LATENCY_TASKS);
        Bounds.check(p.auditShareBps, 1, Constants.BPS);
        Bounds.check(p.slashBps, 1, Constants.BPS);
        Bounds.check(p.heuHaircutBps, 0, Constants.MAX_HAIRCUT_BPS);
    }
}
