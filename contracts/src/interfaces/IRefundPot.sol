// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IRefundPot
/// @notice The users' part of each slash, kept per case and paid to those whose jobs the node faked (native HEU).
interface IRefundPot {
    /// @notice Puts `msg.value` wei into the case's pot. Only the slasher.
    function fund(uint256 caseId) external payable;

    /// @notice Names who was cheated: root of a `StandardMerkleTree` of (address account, uint256 amount). Once a case. Only
    /// the owner.
    /// @dev Warning: the amounts should add up to the pot; who comes after it is empty gets nothing.
    function setRoot(uint256 caseId, bytes32 root) external;

    /// @notice Pays `account` its part. Anyone may call, once an account.
    function claim(uint256 caseId, address account, uint256 amount, bytes32[] calldata proof) external;

    /// @notice Burns what nobody claimed, `Constants.REFUND_PERIOD` after the root was set. Anyone may call.
    function burnRest(uint256 caseId) external;

    function potOf(uint256 caseId) external view returns (uint256 amount, bytes32 root, uint64 until);
    function claimed(uint256 caseId, address account) external view returns (bool);
    function slasher() external view returns (address);
    function burn() external view returns (address);

    /// @notice Only the owner.
    function setSlasher(address slasher) external;
}
