// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IAvsRegistrar
/// @notice What EigenLayer's AllocationManager calls on the registrar of an actively validated service. Written from its
/// published function signatures.
interface IAvsRegistrar {
    /// @notice An operator joins operator sets of `avs`. Reverts to refuse.
    /// @param data What the operator passes along.
    function registerOperator(address operator, address avs, uint32[] calldata operatorSetIds, bytes calldata data)
        external;

    /// @notice An operator leaves operator sets of `avs`. Reverts to refuse.
    function deregisterOperator(address operator, address avs, uint32[] calldata operatorSetIds) external;

    /// @notice Whether this is the registrar of `avs`.
    function supportsAVS(address avs) external view returns (bool);
}
