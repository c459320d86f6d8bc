// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SecurityParameters} from "../libraries/SecurityModel.sol";

/// @notice Both sides of a node's floor (wei of HEU).
/// @param floor Collateral that the node needs.
/// @param bonded HEU of the node that is not leaving.
/// @param restaked Restaked ETH of the node as HEU, capped.
/// @param covered Whether `bonded + restaked >= floor`.
struct Coverage {
    uint256 floor;
    uint256 bonded;
    uint256 restaked;
    bool covered;
}

/// @title ICollateralFloor
/// @notice The collateral that a node needs before jobs are routed to it (wp §2.1.3, Appendix A as corrected in
/// `SecurityModel`). Parameters live here, the arithmetic in the library, and nowhere else.
/// @dev Escrow: a payout counts for the node only where a slash can take it. Settlement keeps earnings by payout address,
/// which several nodes can share and which nobody has to consent to, so taking or freezing them would let a node lock a
/// stranger's money. `floorOf` therefore counts no escrow; `quote` shows what an escrow would change.
interface ICollateralFloor {
    /// @notice Wei of HEU that the node needs: the model's floor, and never less than the registry's minimum. Rounded up.
    function floorOf(uint256 nodeId) external view returns (uint256 floorWei);

    /// @notice Whether the node's HEU that is not leaving and its restaked ETH reach its floor. Reverts for an unknown node.
    function isCovered(uint256 nodeId) external view returns (bool);

    /// @notice Both sides of the inequality. Reverts for an unknown node.
    function coverageOf(uint256 nodeId) external view returns (Coverage memory);

    /// @notice The model's floor for any parameters (wei of HEU, rounded up).
    /// @param escrowWei Payouts that a slash could take (wei of HEU).
    function quote(SecurityParameters calldata parameters, uint256 escrowWei) external pure returns (uint256 floorWei);

    /// @notice The parameters in force.
    function parameters() external view returns (SecurityParameters memory);

    /// @notice Sets the parameters, each inside `Constants`' bounds. Only the owner.
    function setParameters(SecurityParameters calldata parameters) external;

    /// @notice The adapter for restaked ETH; zero = none. Only the owner sets it.
    function restake() external view returns (address);
    function setRestake(address restake) external;

    function registry() external view returns (address);
}
