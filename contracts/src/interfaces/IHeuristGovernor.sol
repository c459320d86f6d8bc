// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a governor starts with. Each has its bounds in `Constants` and moves through proposals alone.
/// @param votingDelay Seconds between a proposal and the snapshot of votes.
/// @param votingPeriod Seconds of voting.
/// @param lateQuorumExtension Seconds of voting that are left at least once the quorum is reached.
/// @param quorumPercent Share of all wrapped HEU that must vote for or abstain, percent.
/// @param proposalThreshold Votes needed to propose, wei.
/// @param quorumFloor Votes that must vote for or abstain whatever is wrapped, wei.
struct GovernorParameters {
    uint48 votingDelay;
    uint32 votingPeriod;
    uint48 lateQuorumExtension;
    uint256 quorumPercent;
    uint256 proposalThreshold;
    uint256 quorumFloor;
}

/// @title IHeuristGovernor
/// @notice What the governor adds to OpenZeppelin's `IGovernor` (wp §2.2.1).
interface IHeuristGovernor {
    /// @notice Changes the floor of the quorum, wei of votes, for proposals made from now on. Only through a proposal.
    function setQuorumFloor(uint256 quorumFloor) external;

    /// @notice The floor of the quorum now, wei of votes: without it, a quorum counted in wrapped HEU would be near zero
    /// while nearly all HEU is native.
    function quorumFloor() external view returns (uint256);
}
