// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One frontend.
/// @param owner May change everything here.
/// @param feeBps The share of a payment it asks for, basis points.
/// @param payout Receives that share.
/// @param referralRoot Root of a Merkle tree of the node keys it refers; 0 = it refers none.
struct Frontend {
    address owner;
    uint16 feeBps;
    address payout;
    bytes32 referralRoot;
}

/// @title IFrontendRegistry
/// @notice Who brings users, for which share, and which nodes it refers (wp §2.2.2, second priority). Anyone can
/// register.
interface IFrontendRegistry {
    /// @notice Registers the caller's frontend `name` (1 to 64 bytes).
    /// @param feeBps At most `maxFeeBps`.
    /// @return frontendId `keccak256(abi.encode(owner, name))`.
    function register(string calldata name, uint16 feeBps, address payout, bytes32 referralRoot)
        external
        returns (bytes32 frontendId);

    /// @notice Replaces fee, payout and referral list. Only the frontend's owner.
    function update(bytes32 frontendId, uint16 feeBps, address payout, bytes32 referralRoot) external;

    /// @notice Hands the frontend to `newOwner`; the id stays. Only the frontend's owner.
    function transferFrontend(bytes32 frontendId, address newOwner) external;

    /// @notice Bounds the fee of registrations and updates from now on, basis points. Only the contract's owner.
    function setMaxFeeBps(uint16 maxFeeBps) external;

    /// @notice Whether `hotKey` is on the frontend's referral list.
    /// @param proof Proof in a standard tree of one-address leaves: `keccak256(keccak256(abi.encode(hotKey)))`.
    function isReferred(bytes32 frontendId, address hotKey, bytes32[] calldata proof) external view returns (bool);

    /// @notice The id of `owner`'s frontend `name`, registered or not.
    function frontendIdOf(address owner, string calldata name) external pure returns (bytes32 frontendId);

    /// @notice Reverts with `FrontendRegistry_UnknownFrontend` for an id that is not there.
    function getFrontend(bytes32 frontendId) external view returns (Frontend memory);

    function maxFeeBps() external view returns (uint16);
}
