// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ICreditVault} from "../interfaces/ICreditVault.sol";
import {GaugeKind, IGauge} from "../interfaces/IGauge.sol";
import {IJobSettlement} from "../interfaces/IJobSettlement.sol";
import {IVoterRewards} from "../interfaces/IVoterRewards.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {GaugeMath} from "../libraries/GaugeMath.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title VoterRewards
/// @notice Pots of tips and pod revenue, shared by the votes of their epoch.
contract VoterRewards is IVoterRewards {
    using SafeERC20 for IERC20;

    /* STORAGE */

    address private immutable _nodeGauge;
    address private immutable _podGauge;
    address private immutable _vault;

    /// @inheritdoc IVoterRewards
    address public immutable settlement;

    /// @inheritdoc IVoterRewards
    address public immutable wrappedHeu;

    /// @inheritdoc IVoterRewards
    address public immutable usd;

    /// @inheritdoc IVoterRewards
    uint256 public immutable epochGenesis;

    mapping(bytes32 potId => uint256 amount) private _pots;
    mapping(bytes32 potId => mapping(address voter => uint256 amount)) private _paid;

    /// @inheritdoc IVoterRewards
    mapping(address asset => uint256 amount) public heldOf;

    /* CONSTRUCTOR */

    constructor(address nodeGauge, address podGauge, address settlement_) {
        _nodeGauge = nodeGauge;
        _podGauge = podGauge;
        settlement = settlement_;
        _vault = IJobSettlement(settlement_).vault();
        wrappedHeu = ICreditVault(_vault).wrappedHeu();
        usd = ICreditVault(_vault).usd();
        epochGenesis = IGauge(nodeGauge).epochGenesis();
    }

    /// @dev Only the vault pays here without a call: what `collect` fetched.
    receive() external payable {
        require(msg.sender == _vault, Errors.VoterRewards_UseFund(msg.sender));
    }

    /* PAYING IN */

    /// @inheritdoc IVoterRewards
    function fund(GaugeKind kind, bytes32 id, uint256 epoch) external payable returns (uint256 bookedEpoch) {
        uint256 next = _epoch() + 1;
        require(epoch <= next, Errors.VoterRewards_EpochTooFar(epoch, next));

        heldOf[wrappedHeu] += msg.value;
        return _book(kind, id, epoch, wrappedHeu, msg.value);
    }

    /// @inheritdoc IVoterRewards
    function collect(bytes32 podId, address asset) external returns (uint256 amount) {
        uint256 before = _balanceOf(asset);
        IJobSettlement(settlement).claimVoters(podId, asset);
        amount = _balanceOf(asset) - before;

        heldOf[asset] += amount;
        _book(GaugeKind.Pod, podId, _epoch(), asset, amount);
    }

    /// @inheritdoc IVoterRewards
    function rollForward(GaugeKind kind, bytes32 id, uint256 epoch, address asset)
        external
        returns (uint256 bookedEpoch)
    {
        require(_hasNobody(kind, id, epoch), Errors.VoterRewards_HasVotes(kind, id, epoch));

        bytes32 potId = _potId(kind, id, epoch, asset);
        uint256 amount = _pots[potId];
        delete _pots[potId];

        emit Events.PotRolledForward(kind, id, epoch, asset, amount);

        return _book(kind, id, epoch, asset, amount);
    }

    /// @dev Adds to the pot of `epoch`; of the next epoch from now, when `epoch` has begun and nobody voted for `id`.
    function _book(GaugeKind kind, bytes32 id, uint256 epoch, address asset, uint256 amount)
        private
        returns (uint256 bookedEpoch)
    {
        require(amount != 0, Errors.VoterRewards_ZeroAmount());
        bookedEpoch = _hasNobody(kind, id, epoch) ? _epoch() + 1 : epoch;

        _pots[_potId(kind, id, bookedEpoch, asset)] += amount;

        emit Events.PotFunded(kind, id, bookedEpoch, asset, amount);
    }

    /* CLAIMING */

    /// @inheritdoc IVoterRewards
    function claim(GaugeKind kind, bytes32 id, uint256[] calldata epochs, address asset)
        external
        returns (uint256 amount)
    {
        for (uint256 i; i < epochs.length; ++i) {
            uint256 part = claimableOf(kind, id, epochs[i], asset, msg.sender);
            _paid[_potId(kind, id, epochs[i], asset)][msg.sender] += part;
            amount += part;
        }
        require(amount != 0, Errors.VoterRewards_NothingToClaim(msg.sender, asset));
        heldOf[asset] -= amount;

        emit Events.VoterRewardClaimed(kind, id, msg.sender, asset, amount);

        if (asset == wrappedHeu) NativeTransfer.send(msg.sender, amount);
        else IERC20(asset).safeTransfer(msg.sender, amount);
    }

    /* VIEWS */

    /// @inheritdoc IVoterRewards
    function claimableOf(GaugeKind kind, bytes32 id, uint256 epoch, address asset, address voter)
        public
        view
        returns (uint256 amount)
    {
        require(epoch <= _epoch(), Errors.VoterRewards_EpochNotBegun(epoch, _epoch()));
        bytes32 potId = _potId(kind, id, epoch, asset);
        IGauge gauge = IGauge(gaugeOf(kind));

        // Never below zero: the weights are final, and a pot with votes only grows.
        return GaugeMath.voterPartDown({
                pot: _pots[potId], voterWeight: gauge.voterWeightAt(id, voter, epoch), weight: gauge.weightAt(id, epoch)
            }) - _paid[potId][voter];
    }

    /// @inheritdoc IVoterRewards
    function potOf(GaugeKind kind, bytes32 id, uint256 epoch, address asset) external view returns (uint256 amount) {
        return _pots[_potId(kind, id, epoch, asset)];
    }

    /// @inheritdoc IVoterRewards
    function gaugeOf(GaugeKind kind) public view returns (address) {
        return kind == GaugeKind.Node ? _nodeGauge : _podGauge;
    }

    /* INTERNAL */

    function _epoch() private view returns (uint256) {
        return EpochLib.epochAt(epochGenesis, block.timestamp);
    }

    /// @dev Whether the epoch has begun, so that its votes are final, and none of them is for `id`.
    function _hasNobody(GaugeKind kind, bytes32 id, uint256 epoch) private view returns (bool) {
        return epoch <= _epoch() && IGauge(gaugeOf(kind)).weightAt(id, epoch) == 0;
    }

    function _potId(GaugeKind kind, bytes32 id, uint256 epoch, address asset) private pure returns (bytes32) {
        return keccak256(abi.encode(kind, id, epoch, asset));
    }

    function _balanceOf(address asset) private view returns (uint256) {
        return asset == wrappedHeu ? address(this).balance : IERC20(asset).balanceOf(address(this));
    }
}
