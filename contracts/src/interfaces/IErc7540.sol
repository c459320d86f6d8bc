// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IErc7540Operator
/// @notice Operators of ERC-7540: accounts that may request and claim for another. ERC-165 id 0xe3bc4e65.
interface IErc7540Operator {
    event OperatorSet(address indexed controller, address indexed operator, bool approved);

    /// @notice Lets `operator` request from the caller's shares and claim the caller's exits, or stops it.
    /// @dev Warning: an operator can take everything the caller has here.
    function setOperator(address operator, bool approved) external returns (bool);

    function isOperator(address controller, address operator) external view returns (bool status);
}

/// @title IErc7540Redeem
/// @notice The asynchronous redemption of ERC-7540. ERC-165 id 0x620ee8e4.
interface IErc7540Redeem {
    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );

    /// @notice Takes `shares` from `owner`; `controller` can claim what they are worth when the request has matured.
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);

    /// @notice Shares of `controller` that are requested and not yet claimable.
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 pendingShares);

    /// @notice Shares of `controller` that are claimable now.
    function claimableRedeemRequest(uint256 requestId, address controller)
        external
        view
        returns (uint256 claimableShares);
}

/// @title IErc7575Share
/// @notice A vault names its share token. ERC-165 id 0x2f0a18c5.
interface IErc7575Share {
    function share() external view returns (address shareToken);
}
