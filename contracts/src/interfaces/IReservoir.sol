// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the reservoir is for (wp §3.4.5); each has its own budget.
enum ReservoirUse {
    Rental,
    Grants,
    Staking
}

/// @notice One grant: `amount` flows evenly from `startsAt` to `endsAt`.
/// @param receiver Gets what has flowed.
/// @param startsAt Unix seconds.
/// @param endsAt Unix seconds; the moment of cancellation if it was cancelled.
/// @param amount Wei of HEU; what had flowed by then if it was cancelled.
/// @param claimed Wei of HEU paid so far.
struct Grant {
    address receiver;
    uint48 startsAt;
    uint48 endsAt;
    uint128 amount;
    uint128 claimed;
}

/// @title IReservoir
/// @notice The part of 5 % a year that emission did not need (wp §3.4.4), spent by governance on external GPU rental,
/// grants and the staking yield. All amounts are wei of native HEU.
/// @dev Only the owner spends, and the owner is the timelock: every payment was a proposal. At all times the balance is
/// `unallocated` + the three budgets + what grants still owe (plus coins that were forced in, which stay untouched).
interface IReservoir {
    /* INCOME */

    /// @notice Adds the coins sent to `unallocated`. Anyone.
    function fill() external payable;

    /* BUDGETS */

    /// @notice Sets what may still be spent on `use` to `amount`; the difference comes from or goes back to
    /// `unallocated`. Only the owner.
    function setBudget(ReservoirUse use, uint256 amount) external;

    /* SPENDING */

    /// @notice Pays for external GPU capacity out of the rental budget. Only the owner.
    /// @param purpose What is paid for: the hash of an invoice or offer.
    function rent(address receiver, uint256 amount, bytes32 purpose) external;

    /// @notice Opens a grant out of the grants budget: `amount` flows to `receiver` evenly over `durationSeconds` from
    /// now. Only the owner.
    /// @param durationSeconds `Constants.MIN_GRANT_DURATION` to `Constants.MAX_GRANT_DURATION`.
    /// @param purpose What it is for: the hash of the application.
    /// @return grantId Counts from 1.
    function grant(address receiver, uint128 amount, uint48 durationSeconds, bytes32 purpose)
        external
        returns (uint256 grantId);

    /// @notice Ends a grant now: what has flowed stays the receiver's, the rest returns to the grants budget. Only the
    /// owner, before its end.
    /// @return returned Wei that went back to the budget.
    function cancelGrant(uint256 grantId) external returns (uint256 returned);

    /// @notice Pays what has flowed and was not claimed, rounded down, to the grant's receiver. Anyone.
    /// @return amount Wei paid.
    function claimGrant(uint256 grantId) external returns (uint256 amount);

    /// @notice Hands a grant to another receiver. Only its receiver.
    function setGrantReceiver(uint256 grantId, address receiver) external;

    /// @notice Adds `amount` of the staking budget to the yield of stHEU. Only the owner.
    function topUpStaking(uint256 amount) external;

    /* VIEWS */

    /// @notice In no budget yet.
    function unallocated() external view returns (uint256);

    /// @notice May still be spent on `use`.
    function budgetOf(ReservoirUse use) external view returns (uint256);

    /// @notice Was spent on `use` so far; of grants, what was claimed.
    function spentOn(ReservoirUse use) external view returns (uint256);

    /// @notice Owed by open and ended grants: their amounts minus what was claimed.
    function owedToGrants() external view returns (uint256);

    /// @notice The number of grants so far.
    function grantCount() external view returns (uint256);

    /// @notice Reverts with `Reservoir_UnknownGrant` for an id that is not there.
    function getGrant(uint256 grantId) external view returns (Grant memory);

    /// @notice Has flowed and was not claimed, rounded down.
    function claimableOf(uint256 grantId) external view returns (uint256);
}
