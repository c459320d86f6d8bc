// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a node's owner wants done with its earnings in HEU.
/// @param payout Gets the rest, and the whole stablecoin.
/// @param collateralBps Share that is added to the node's collateral (basis points).
/// @param stakeBps Share that is staked as stHEU for the owner (basis points).
/// @param owner The node's owner when the plan was set.
struct Plan {
    address payout;
    uint16 collateralBps;
    uint16 stakeBps;
    address owner;
}

/// @title ICompounder
/// @notice Restakes what a node earns (wp §2.1.3, §3.4.3): its owner makes the node's own account here its payout address in
/// the registry; then settlement earnings and emission claims arrive in that account, and anyone can trigger the split.
/// @dev Each node has an account of its own, so earnings of two nodes never mix. The owner can change or stop the plan at any
/// time, also after the node has left; what is in the account already follows the plan in force when it is split.
interface ICompounder {
    /// @notice Sets the plan and creates the node's account if there is none. Only the node's owner. Zero shares switch
    /// restaking off: everything goes to `payout`.
    /// @dev Earnings arrive only once `NodeRegistry.setPayout` names the account.
    /// @return account The node's account.
    function setPlan(uint256 nodeId, uint16 collateralBps, uint16 stakeBps, address payout)
        external
        returns (address account);

    /// @notice Claims what is final in the settlement, splits what is in the node's account, and pays the rest. Anyone may
    /// call. Shares are rounded down, the rest goes to the payout address. The collateral's share of a node that has left
    /// goes there too.
    /// @return collateral Wei of HEU added to the collateral.
    /// @return staked Wei of HEU staked.
    /// @return paid Wei of HEU paid out.
    function compound(uint256 nodeId) external returns (uint256 collateral, uint256 staked, uint256 paid);

    /// @notice Where the node's account is, or will be.
    function accountOf(uint256 nodeId) external view returns (address account);
    function planOf(uint256 nodeId) external view returns (Plan memory);
    function registry() external view returns (address);
    function settlement() external view returns (address);
    function stakedHeu() external view returns (address);
}

/// @title IHeuStaking
/// @notice The part of stHEU that restaking needs.
interface IHeuStaking {
    /// @notice Stakes `msg.value` wei of HEU for `receiver`.
    function depositNative(address receiver) external payable returns (uint256 shares);
}
