// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IErc3009
/// @notice The one EIP-3009 call the vault makes, in its `bytes` form (also spoken by USDC 2.2).
interface IErc3009 {
    /// @notice Moves `value` from `from` to the caller, who must be `to`; consumes `nonce`.
    /// @param validAfter Unix seconds, exclusive.
    /// @param validBefore Unix seconds, exclusive.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
