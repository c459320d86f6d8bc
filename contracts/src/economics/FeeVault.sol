// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IFeeVault} from "../interfaces/IFeeVault.sol";
import {IStakedHeu, RewardSource} from "../interfaces/IStakedHeu.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title FeeVault
/// @notice Collects the chain's gas and gives what the base layer does not cost to stHEU.
contract FeeVault is IFeeVault, Ownable2Step {
    /* IMMUTABLES */

    /// @inheritdoc IFeeVault
    address public immutable stakedHeu;

    /// @inheritdoc IFeeVault
    uint256 public immutable epochGenesis;

    /* STORAGE */

    /// @inheritdoc IFeeVault
    address public l1CostReceiver;

    /// @inheritdoc IFeeVault
    uint96 public l1CostPerEpoch;

    /// @inheritdoc IFeeVault
    uint96 public retained;

    /// @dev Due and not covered, as of the end of epoch `_dueThrough`.
    uint128 private _due;

    /// @dev The last epoch whose cost is in `_due`.
    uint32 private _dueThrough;

    uint128 private _totalFees;
    uint128 private _totalL1Costs;

    /* CONSTRUCTOR */

    /// @param epochGenesis_ Unix seconds at which epoch 0 began.
    constructor(
        address owner,
        address stakedHeu_,
        uint96 l1CostPerEpoch_,
        address l1CostReceiver_,
        uint256 epochGenesis_
    ) Ownable(owner) {
        require(stakedHeu_ != address(0), Errors.Shared_ZeroAddress());
        stakedHeu = stakedHeu_;
        epochGenesis = epochGenesis_;
        _dueThrough = _epoch();

        _setL1Cost(l1CostPerEpoch_, l1CostReceiver_);
        _due = l1CostPerEpoch_;
    }

    receive() external payable {}

    /* FEES */

    /// @inheritdoc IFeeVault
    function sweep() external returns (uint256 fees) {
        _accrue();
        uint256 fresh = address(this).balance - retained;
        uint256 cost = Math.min(fresh, _due);
        fees = fresh - cost;

        // Safe casts: amounts of HEU, whose supply has 90 bits, and at most `_due`.
        _due -= uint128(cost);
        retained += uint96(cost);
        _totalFees += uint128(fees);

        emit Events.FeesSwept(_dueThrough, fees, cost);

        if (fees != 0) IStakedHeu(stakedHeu).reward{value: fees}(RewardSource.SequencerFees);
    }

    /// @inheritdoc IFeeVault
    function payL1Cost() external returns (uint256 amount) {
        amount = retained;
        require(amount != 0, Errors.FeeVault_NothingRetained());

        retained = 0;
        _totalL1Costs += uint128(amount);

        emit Events.L1CostPaid(l1CostReceiver, amount);

        NativeTransfer.send(l1CostReceiver, amount);
    }

    /// @dev Makes the cost of every epoch that has begun due, up to the bound.
    function _accrue() private {
        _due = uint128(due());
        _dueThrough = _epoch();
    }

    /* PARAMETERS */

    /// @inheritdoc IFeeVault
    function setL1Cost(uint96 l1CostPerEpoch_, address l1CostReceiver_) external onlyOwner {
        _accrue();
        _setL1Cost(l1CostPerEpoch_, l1CostReceiver_);
    }

    function _setL1Cost(uint96 costPerEpoch, address receiver) private {
        Bounds.check(costPerEpoch, 0, Constants.MAX_L1_COST_PER_EPOCH);
        require(receiver != address(0), Errors.Shared_ZeroAddress());

        l1CostPerEpoch = costPerEpoch;
        l1CostReceiver = receiver;

        emit Events.L1CostChanged(costPerEpoch, receiver);
    }

    /* VIEWS */

    /// @inheritdoc IFeeVault
    function sweepable() external view returns (uint256 fees) {
        uint256 fresh = address(this).balance - retained;

        return fresh - Math.min(fresh, due());
    }

    /// @inheritdoc IFeeVault
    function due() public view returns (uint256) {
        uint256 begun = _epoch() - _dueThrough;
        if (begun == 0) return _due;

        uint256 most = l1CostPerEpoch * Constants.MAX_L1_BACKLOG_EPOCHS;
        return Math.min(_due + begun * l1CostPerEpoch, Math.max(most, _due));
    }

    /// @inheritdoc IFeeVault
    function totals() external view returns (uint256 fees, uint256 l1Costs) {
        return (_totalFees, _totalL1Costs);
    }

    /* INTERNAL */

    function _epoch() private view returns (uint32) {
        // Safe cast: 2^32 weeks are 82 million years.
        return uint32(EpochLib.epochAt(epochGenesis, block.timestamp));
    }
}
