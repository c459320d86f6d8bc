// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {GovernorParameters, IHeuristGovernor} from "../interfaces/IHeuristGovernor.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Events} from "../libraries/Events.sol";

/// @title HeuristGovernor
/// @notice Proposals over everything that the timelock owns. OpenZeppelin's governor with settings in bounds, a quorum
/// with a floor, and an end for proposals that nobody queued or executed.
contract HeuristGovernor is
    IHeuristGovernor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorTimelockControl
{
    using Checkpoints for Checkpoints.Trace208;

    /* STORAGE */

    Checkpoints.Trace208 private _quorumFloors;

    /* CONSTRUCTOR */

    constructor(IVotes votes, TimelockController timelock_, GovernorParameters memory parameters)
        Governor("HeuristGovernor")
        GovernorSettings(parameters.votingDelay, parameters.votingPeriod, parameters.proposalThreshold)
        GovernorVotes(votes)
        GovernorVotesQuorumFraction(parameters.quorumPercent)
        GovernorPreventLateQuorum(parameters.lateQuorumExtension)
        GovernorTimelockControl(timelock_)
    {
        _setQuorumFloor(parameters.quorumFloor);
    }

    /* PARAMETERS */

    /// @inheritdoc IHeuristGovernor
    function setQuorumFloor(uint256 quorumFloor_) external onlyGovernance {
        _setQuorumFloor(quorumFloor_);
    }

    function _setQuorumFloor(uint256 quorumFloor_) private {
        Bounds.check(quorumFloor_, Constants.MIN_QUORUM_FLOOR, Constants.MAX_QUORUM_FLOOR);

        // Safe cast: within the bounds.
        _quorumFloors.push(clock(), uint208(quorumFloor_));

        emit Events.QuorumFloorChanged(quorumFloor_);
    }

    function _setVotingDelay(uint48 seconds_) internal override {
        Bounds.check(seconds_, Constants.MIN_VOTING_DELAY, Constants.MAX_VOTING_DELAY);

        super._setVotingDelay(seconds_);
    }

    /// @dev The extension never exceeds the period: shortening the period below it needs the extension shortened first.
    function _setVotingPeriod(uint32 seconds_) internal override {
        Bounds.check(
            seconds_, Math.max(Constants.MIN_VOTING_PERIOD, lateQuorumVoteExtension()), Constants.MAX_VOTING_PERIOD
        );

        super._setVotingPeriod(seconds_);
    }

    function _setProposalThreshold(uint256 votes) internal override {
        Bounds.check(votes, Constants.MIN_PROPOSAL_THRESHOLD, Constants.MAX_PROPOSAL_THRESHOLD);

        super._setProposalThreshold(votes);
    }

    function _updateQuorumNumerator(uint256 percent) internal override {
        Bounds.check(percent, Constants.MIN_QUORUM_PERCENT, Constants.MAX_QUORUM_PERCENT);

        super._updateQuorumNumerator(percent);
    }

    /* VIEWS */

    /// @inheritdoc IHeuristGovernor
    function quorumFloor() external view returns (uint256) {
        return _quorumFloors.latest();
    }

    /// @inheritdoc IGovernor
    /// @dev Wei of votes: the share of wrapped HEU at `timepoint`, or the floor of that time if it is higher.
    function quorum(uint256 timepoint) public view override(Governor, GovernorVotesQuorumFraction) returns (uint256) {
        return Math.max(super.quorum(timepoint), _optimisticUpperLookupRecent(_quorumFloors, timepoint));
    }

    /// @inheritdoc IGovernor
    /// @dev A proposal expires `Constants.PROPOSAL_GRACE` after its vote when nobody queued it, and after its delay when
    /// nobody executed it: an old mandate is no surprise later.
    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (ProposalState current)
    {
        current = super.state(proposalId);
        if (current == ProposalState.Succeeded) return _unlessLate(current, proposalDeadline(proposalId));
        if (current == ProposalState.Queued) return _unlessLate(current, proposalEta(proposalId));
    }

    function _unlessLate(ProposalState current, uint256 since) private view returns (ProposalState) {
        return clock() > since + Constants.PROPOSAL_GRACE ? ProposalState.Expired : current;
    }

    /* DEMANDED BY SOLIDITY */

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingDelay();
    }

    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingPeriod();
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function proposalDeadline(uint256 proposalId)
        public
        view
        override(Governor, GovernorPreventLateQuorum)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
