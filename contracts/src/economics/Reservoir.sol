// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Grant, IReservoir, ReservoirUse} from "../interfaces/IReservoir.sol";
import {IStakedHeu, RewardSource} from "../interfaces/IStakedHeu.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title Reservoir
/// @notice Emission that was not needed, in three budgets that governance spends.
contract Reservoir is IReservoir, Ownable2Step {
    /* IMMUTABLES */

    /// @notice Receives staking top-ups as yield.
    IStakedHeu public immutable STAKED_HEU;

    /* STORAGE */

    /// @inheritdoc IReservoir
    uint256 public unallocated;

    /// @inheritdoc IReservoir
    mapping(ReservoirUse use => uint256) public budgetOf;

    /// @inheritdoc IReservoir
    mapping(ReservoirUse use => uint256) public spentOn;

    /// @inheritdoc IReservoir
    uint256 public owedToGrants;

    /// @inheritdoc IReservoir
    uint256 public grantCount;

    mapping(uint256 grantId => Grant) private _grants;

    /* CONSTRUCTOR */

    constructor(address owner, IStakedHeu stakedHeu) Ownable(owner) {
        STAKED_HEU = stakedHeu;
    }

    /* INCOME */

    /// @inheritdoc IReservoir
    function fill() external payable {
        unallocated += msg.value;

        emit Events.ReservoirFilled(msg.sender, msg.value);
    }

    /* BUDGETS */

    /// @inheritdoc IReservoir
    function setBudget(ReservoirUse use, uint256 amount) external onlyOwner {
        uint256 free = unallocated + budgetOf[use];
        require(amount <= free, Errors.Reservoir_NotEnough(free, amount));

        unallocated = free - amount;
        budgetOf[use] = amount;

        emit Events.ReservoirBudgetChanged(use, amount);
    }

    /* RENTAL */

    /// @inheritdoc IReservoir
    function rent(address receiver, uint256 amount, bytes32 purpose) external onlyOwner {
        _takeFrom(ReservoirUse.Rental, amount);
        spentOn[ReservoirUse.Rental] += amount;

        emit Events.CapacityRented(receiver, amount, purpose);

        NativeTransfer.send(receiver, amount);
    }

    /* GRANTS */

    /// @inheritdoc IReservoir
    function grant(address receiver, uint128 amount, uint48 durationSeconds, bytes32 purpose)
        external
        onlyOwner
        returns (uint256 grantId)
    {
        require(receiver != address(0), Errors.Shared_ZeroAddress());
        Bounds.check(durationSeconds, Constants.MIN_GRANT_DURATION, Constants.MAX_GRANT_DURATION);
        _takeFrom(ReservoirUse.Grants, amount);

        owedToGrants += amount;
        grantId = ++grantCount;
        uint48 startsAt = uint48(block.timestamp);
        _grants[grantId] = Grant({
            receiver: receiver, startsAt: startsAt, endsAt: startsAt + durationSeconds, amount: amount, claimed: 0
        });

        emit Events.GrantOpened({
            grantId: grantId, receiver: receiver, amount: amount, endsAt: startsAt + durationSeconds, purpose: purpose
        });
    }

    /// @inheritdoc IReservoir
    function cancelGrant(uint256 grantId) external onlyOwner returns (uint256 returned) {
        Grant storage stream = _existing(grantId);
        require(block.timestamp < stream.endsAt, Errors.Reservoir_GrantEnded(grantId, stream.endsAt));

        uint128 flowed = _flowed(stream);
        returned = stream.amount - flowed;
        stream.amount = flowed;
        stream.endsAt = uint48(block.timestamp);
        owedToGrants -= returned;
        budgetOf[ReservoirUse.Grants] += returned;

        emit Events.GrantCancelled(grantId, returned);
    }

    /// @inheritdoc IReservoir
    function claimGrant(uint256 grantId) external returns (uint256 amount) {
        Grant storage stream = _existing(grantId);
        uint128 flowed = _flowed(stream);
        amount = flowed - stream.claimed;
        require(amount > 0, Errors.Reservoir_NothingToClaim(grantId));

        stream.claimed = flowed;
        owedToGrants -= amount;
        spentOn[ReservoirUse.Grants] += amount;

        emit Events.GrantClaimed(grantId, stream.receiver, amount);

        NativeTransfer.send(stream.receiver, amount);
    }

    /// @inheritdoc IReservoir
    function setGrantReceiver(uint256 grantId, address receiver) external {
        Grant storage stream = _existing(grantId);
        require(msg.sender == stream.receiver, Errors.Reservoir_NotReceiver(grantId, msg.sender));
        require(receiver != address(0), Errors.Shared_ZeroAddress());

        stream.receiver = receiver;

        emit Events.GrantReceiverChanged(grantId, receiver);
    }

    /* STAKING */

    /// @inheritdoc IReservoir
    function topUpStaking(uint256 amount) external onlyOwner {
        _takeFrom(ReservoirUse.Staking, amount);
        spentOn[ReservoirUse.Staking] += amount;

        emit Events.StakingToppedUp(amount);

        STAKED_HEU.reward{value: amount}(RewardSource.Reservoir);
    }

    /* VIEWS */

    /// @inheritdoc IReservoir
    function getGrant(uint256 grantId) external view returns (Grant memory) {
        return _existing(grantId);
    }

    /// @inheritdoc IReservoir
    function claimableOf(uint256 grantId) external view returns (uint256) {
        Grant storage stream = _existing(grantId);
        return _flowed(stream) - stream.claimed;
    }

    /* INTERNAL */

    function _takeFrom(ReservoirUse use, uint256 amount) private {
        require(amount > 0, Errors.Reservoir_ZeroAmount());
        uint256 budget = budgetOf[use];
        require(amount <= budget, Errors.Reservoir_OverBudget(use, budget, amount));

        budgetOf[use] = budget - amount;
    }

    function _existing(uint256 grantId) private view returns (Grant storage stream) {
        stream = _grants[grantId];
        require(stream.receiver != address(0), Errors.Reservoir_UnknownGrant(grantId));
    }

    /// @dev What has flowed until now, rounded down.
    function _flowed(Grant storage stream) private view returns (uint128) {
        if (block.timestamp >= stream.endsAt) return stream.amount;
        uint256 elapsed = block.timestamp - stream.startsAt;
        // Safe cast: at most `amount`, because less than the whole duration has passed.
        return uint128(Math.mulDiv(stream.amount, elapsed, stream.endsAt - stream.startsAt));
    }
}
