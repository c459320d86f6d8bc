// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGauge} from "./IGauge.sol";

/// @title IPodGauge
/// @notice Votes for pods: a pod's share of them sets how far it may scale (wp §3.2.4).
interface IPodGauge is IGauge {
    /// @notice Most replicas that the pod may have in `epoch`: the guaranteed minimum, or its share of the votes times
    /// `networkSlots` times the factor when that is more; rounded down.
    /// @param networkSlots Replicas that the network could run at once.
    function replicaCeilingOf(bytes32 podId, uint256 epoch, uint256 networkSlots)
        external
        view
        returns (uint256 replicas);

    /// @notice Replicas any pod may have without a vote. Owner only, inside `Constants`' bounds.
    function setGuaranteedReplicas(uint16 guaranteedReplicas) external;

    /// @notice Basis points: above 10,000 the ceilings together exceed the slots, since few pods are at theirs. Owner
    /// only, inside `Constants`' bounds.
    function setCeilingFactorBps(uint32 ceilingFactorBps) external;

    function guaranteedReplicas() external view returns (uint16);
    function ceilingFactorBps() external view returns (uint32);
}
