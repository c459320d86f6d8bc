// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {GaugeKind, IGauge} from "../interfaces/IGauge.sol";
import {IGaugeHook} from "../interfaces/IGaugeHook.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {GaugeMath} from "../libraries/GaugeMath.sol";

/// @title Gauge
/// @notice Ballots and weights by epoch; the two kinds add what the weights mean.
/// @dev Every figure is a history of checkpoints keyed by the epoch from which it counts. All writes go to the next
/// epoch's checkpoint, so the present and the past stay as they are.
abstract contract Gauge is IGauge, Ownable2Step {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;

    /* STORAGE */

    /// @inheritdoc IGauge
    GaugeKind public immutable kind;

    /// @inheritdoc IGauge
    address public immutable stakedHeu;

    /// @inheritdoc IGauge
    uint256 public immutable epochGenesis;

    Checkpoints.Trace208 private _totals;
    Checkpoints.Trace208 private _quorums;
    mapping(bytes32 id => Checkpoints.Trace208) private _weights;

    mapping(address voter => bytes32[]) private _ballots;
    mapping(address voter => Checkpoints.Trace208) private _counted;
    mapping(address voter => mapping(bytes32 id => Checkpoints.Trace208)) private _weightsBps;

    /* CONSTRUCTOR */

    constructor(address owner, GaugeKind kind_, address stakedHeu_, uint256 epochGenesis_) Ownable(owner) {
        kind = kind_;
        stakedHeu = stakedHeu_;
        epochGenesis = epochGenesis_;
        _quorums.push(0, Constants.QUORUM_WEIGHT.toUint208());
    }

    /* VOTING */

    /// @inheritdoc IGauge
    function vote(bytes32[] calldata ids, uint16[] calldata weightsBps) external {
        _checkUnlocked();
        uint256 sumBps = _checkBallot(ids, weightsBps);
        uint256 counted = ids.length == 0 ? 0 : IERC20(stakedHeu).balanceOf(msg.sender);
        uint48 from = _nextEpoch();

        uint256 removed = _takeBallotBack(msg.sender, from);
        for (uint256 i; i < ids.length; ++i) {
            _weightsBps[msg.sender][ids[i]].push(from, weightsBps[i]);
            _shift(_weights[ids[i]], from, 0, counted * weightsBps[i]);
        }
        _shift(_totals, from, removed, counted * sumBps);
        _counted[msg.sender].push(from, counted.toUint208());
        _ballots[msg.sender] = ids;

        emit Events.BallotCast({voter: msg.sender, ids: ids, weightsBps: weightsBps, counted: counted, fromEpoch: from});
    }

    /// @inheritdoc IGauge
    function poke(address account) external {
        _checkUnlocked();

        _recount(account, IERC20(stakedHeu).balanceOf(account));
    }

    /// @inheritdoc IGaugeHook
    function onBalanceChanged(address account, uint256 newBalance) external {
        require(msg.sender == stakedHeu, Errors.Gauge_NotStakedHeu(msg.sender));
        if (_isLocked() && newBalance > countedOf(account)) return;

        _recount(account, newBalance);
    }

    /* PARAMETERS */

    /// @inheritdoc IGauge
    function setQuorumWeight(uint256 quorumWeight) external onlyOwner {
        Bounds.check(quorumWeight, 0, Constants.MAX_QUORUM_WEIGHT);

        uint48 from = _nextEpoch();
        _quorums.push(from, quorumWeight.toUint208());

        emit Events.QuorumWeightChanged(quorumWeight, from);
    }

    /* VIEWS */

    /// @inheritdoc IGauge
    function weightAt(bytes32 id, uint256 epoch) public view returns (uint256 weight) {
        return _at(_weights[id], epoch);
    }

    /// @inheritdoc IGauge
    function totalWeightAt(uint256 epoch) public view returns (uint256 weight) {
        return _at(_totals, epoch);
    }

    /// @inheritdoc IGauge
    function voterWeightAt(bytes32 id, address voter, uint256 epoch) external view returns (uint256 weight) {
        return _at(_counted[voter], epoch) * _at(_weightsBps[voter][id], epoch);
    }

    /// @inheritdoc IGauge
    function shareWadAt(bytes32 id, uint256 epoch) public view returns (uint256 shareWad) {
        return GaugeMath.shareWadDown({
            weight: weightAt(id, epoch), totalWeight: totalWeightAt(epoch), quorumWeight: quorumWeightAt(epoch)
        });
    }

    /// @inheritdoc IGauge
    function ballotOf(address voter) external view returns (bytes32[] memory ids, uint16[] memory weightsBps) {
        ids = _ballots[voter];
        weightsBps = new uint16[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            // Safe cast: written from a uint16.
            weightsBps[i] = uint16(_weightsBps[voter][ids[i]].latest());
        }
    }

    /// @inheritdoc IGauge
    function countedOf(address voter) public view returns (uint256 amount) {
        return _counted[voter].latest();
    }

    /// @inheritdoc IGauge
    function quorumWeightAt(uint256 epoch) public view returns (uint256 weight) {
        return _at(_quorums, epoch);
    }

    /* INTERNAL */

    /// @dev Reverts when nothing of this kind is registered under `id`.
    function _checkId(bytes32 id) internal view virtual;

    /// @dev The value in `epoch`: that of the last checkpoint up to it.
    function _at(Checkpoints.Trace208 storage trace, uint256 epoch) internal view returns (uint256) {
        return trace.upperLookupRecent(epoch < type(uint48).max ? uint48(epoch) : type(uint48).max);
    }

    function _nextEpoch() internal view returns (uint48) {
        return (EpochLib.epochAt(epochGenesis, block.timestamp) + 1).toUint48();
    }

    function _isLocked() private view returns (bool) {
        return block.timestamp + Constants.VOTE_LOCK >= EpochLib.startOf(epochGenesis, _nextEpoch());
    }

    function _checkUnlocked() private view {
        require(!_isLocked(), Errors.Gauge_Locked(EpochLib.startOf(epochGenesis, _nextEpoch())));
    }

    function _checkBallot(bytes32[] calldata ids, uint16[] calldata weightsBps) private view returns (uint256 sumBps) {
        require(
            ids.length == weightsBps.length && ids.length <= Constants.MAX_BALLOT_IDS,
            Errors.Gauge_BadBallotLength(ids.length, weightsBps.length, Constants.MAX_BALLOT_IDS)
        );
        bytes32 previous;
        for (uint256 i; i < ids.length; ++i) {
            require(ids[i] > previous, Errors.Gauge_UnsortedIds(i));
            require(weightsBps[i] != 0, Errors.Gauge_ZeroWeight(i));
            _checkId(ids[i]);
            previous = ids[i];
            sumBps += weightsBps[i];
        }
        require(sumBps <= Constants.BPS, Errors.Gauge_OverWeight(sumBps, Constants.BPS));
    }

    /// @dev Takes the weight of `voter`'s ballot off its ids; the caller writes the total, the ballot and what is counted.
    /// @return removed The weight taken off all ids together.
    function _takeBallotBack(address voter, uint48 from) private returns (uint256 removed) {
        bytes32[] storage ids = _ballots[voter];
        uint256 counted = countedOf(voter);
        for (uint256 i; i < ids.length; ++i) {
            bytes32 id = ids[i];
            uint256 weight = counted * _weightsBps[voter][id].latest();
            _weightsBps[voter][id].push(from, 0);
            _shift(_weights[id], from, weight, 0);
            removed += weight;
        }
    }

    /// @dev Lets `account`'s ballot count with `counted` wei of stHEU from the next epoch. Never reverts: stHEU calls it.
    function _recount(address account, uint256 counted) private {
        bytes32[] storage ids = _ballots[account];
        uint256 before = countedOf(account);
        if (ids.length == 0 || counted == before) return;

        uint48 from = _nextEpoch();
        uint256 sumBps;
        for (uint256 i; i < ids.length; ++i) {
            uint256 bps = _weightsBps[account][ids[i]].latest();
            sumBps += bps;
            _shift(_weights[ids[i]], from, before * bps, counted * bps);
        }
        _shift(_totals, from, before * sumBps, counted * sumBps);
        _counted[account].push(from, counted.toUint208());

        emit Events.BallotRecounted(account, counted, from);
    }

    function _shift(Checkpoints.Trace208 storage trace, uint48 from, uint256 less, uint256 more) private {
        trace.push(from, (trace.latest() - less + more).toUint208());
    }
}
