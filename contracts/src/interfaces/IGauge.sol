// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGaugeHook} from "./IGaugeHook.sol";

/// @notice What can be voted for.
enum GaugeKind {
    Node,
    Pod
}

/// @title IGauge
/// @notice stHEU holders spread their weight over nodes or pods, week by week. One gauge for each kind.
///
/// A ballot stays until it is replaced, and weighs as much as its voter holds: weights are wei of stHEU times basis
/// points, so nothing is ever rounded. What is voted or moved in an epoch counts from the next one; the weight in epoch
/// `e` is the weight at the second in which `e` begins, and never changes after that.
///
/// @dev Ids: a node's is `bytes32(nodeId)`, a pod's its `podId`.
/// @dev Each unit of stHEU counts at most once (C5): a transfer moves its weight, an exit removes it, delegation does not
/// touch it. In every epoch, the sum of `weightAt` over ids is the sum of `voterWeightAt` over voters and ids, and is
/// `totalWeightAt`.
/// @dev In the hour before a flip nothing may add weight anywhere: ballots are refused, and stHEU received counts only
/// after `poke`, the next vote or the next balance change. Else the lock could be passed by a transfer to an account whose
/// ballot waits. stHEU that leaves is taken off at once, always.
interface IGauge is IGaugeHook {
    /* VOTING */

    /// @notice Replaces the caller's ballot, from the next epoch. Refused in the last hour of an epoch.
    /// @param ids At most `Constants.MAX_BALLOT_IDS`, strictly ascending, each registered; none takes the ballot back.
    /// @param weightsBps Basis points of the caller's stHEU for each id, none zero, at most 10,000 in sum.
    function vote(bytes32[] calldata ids, uint16[] calldata weightsBps) external;

    /// @notice Counts all stHEU that `account` holds now, from the next epoch. Anyone may call, not in the last hour.
    function poke(address account) external;

    /* PARAMETERS (owner only) */

    /// @notice Weight (wei of stHEU times basis points) that counts as the whole while fewer votes than this were given,
    /// so that a handful of stHEU cannot decide an empty gauge. Inside `Constants`' bounds, from the next epoch.
    function setQuorumWeight(uint256 quorumWeight) external;

    /* VIEWS */

    /// @notice Weight of `id` in `epoch` (wei of stHEU times basis points). Final once the epoch has begun; for a later
    /// epoch, what it would be if nothing changed.
    function weightAt(bytes32 id, uint256 epoch) external view returns (uint256 weight);

    /// @notice Weight of all ids together in `epoch`.
    function totalWeightAt(uint256 epoch) external view returns (uint256 weight);

    /// @notice The part of `weightAt` that is `voter`'s.
    function voterWeightAt(bytes32 id, address voter, uint256 epoch) external view returns (uint256 weight);

    /// @notice Share of the votes of `epoch` that `id` got (WAD, rounded down), against at least the quorum weight.
    function shareWadAt(bytes32 id, uint256 epoch) external view returns (uint256 shareWad);

    /// @notice The ballot that counts from the next epoch.
    function ballotOf(address voter) external view returns (bytes32[] memory ids, uint16[] memory weightsBps);

    /// @notice Wei of stHEU with which the ballot counts from the next epoch.
    function countedOf(address voter) external view returns (uint256 amount);

    /// @notice The quorum weight of `epoch`; see `setQuorumWeight`.
    function quorumWeightAt(uint256 epoch) external view returns (uint256 weight);

    function kind() external view returns (GaugeKind);
    function stakedHeu() external view returns (address);

    /// @notice Unix seconds at which epoch 0 begins.
    function epochGenesis() external view returns (uint256);
}
