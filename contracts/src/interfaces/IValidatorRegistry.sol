// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One validator.
/// @param bond Wei of HEU it can lose.
/// @param locked The part that open cases hold.
/// @param activeSince Unix seconds; 0 = not active.
/// @param exitableAt Unix seconds from which the bond can leave; 0 = not exiting.
/// @param seat Place among the active ones, from 1; 0 = not active.
/// @param engagements Open cases it accuses or judges in.
struct Validator {
    uint128 bond;
    uint128 locked;
    uint64 activeSince;
    uint64 exitableAt;
    uint32 seat;
    uint32 engagements;
}

/// @title IValidatorRegistry
/// @notice Who audits nodes and judges cases, and what each can lose. Anyone can join with a bond; a seat weighs one.
interface IValidatorRegistry {
    /* VALIDATORS */

    /// @notice Joins with `msg.value` wei of HEU, at least `minBond`. Committees of cases that are open already do not
    /// include the caller.
    function join() external payable;

    /// @notice Adds to the caller's bond; a dropped validator that reaches `minBond` again is active anew.
    function topUp() external payable;

    /// @notice Takes the caller out of draws and starts the unbonding delay. Its bond stays seizable.
    function requestExit() external;

    /// @notice Pays the whole bond to `receiver`, after the delay and not while any case still counts on the caller.
    function withdraw(address receiver) external returns (uint256 amount);

    /// @notice Takes a validator out of draws whose bond is below `minBond`. Anyone may call.
    function drop(address validator) external;

    /* CASES (only the slasher) */

    /// @notice Locks `amount` of the bond for a case, and keeps the validator out of that case's draws. Reverts when less is
    /// free, unless `orLess`: then it locks what there is.
    /// @return locked Wei of HEU.
    function engage(uint256 caseId, address validator, uint128 amount, bool orLess) external returns (uint128 locked);

    /// @notice Ends what `engage` began and sends `seized`, at most `locked`, to the slasher.
    /// @param forgiven Whether the validator may be drawn for this case again.
    function disengage(uint256 caseId, address validator, uint128 locked, uint128 seized, bool forgiven) external;

    /* VIEWS */

    /// @notice The `size` validators with the smallest `keccak256(abi.encode(seed, validator))` among those that have been
    /// active since before `activeBefore` and are not engaged in the case. Fewer when there are fewer.
    /// @return members The drawn ones, by their hashes.
    /// @return eligible How many could have been drawn.
    /// @dev Whoever leaves after the seed is known only removes itself: nobody else's place changes.
    function draw(uint256 caseId, bytes32 seed, uint256 size, uint64 activeBefore)
        external
        view
        returns (address[] memory members, uint256 eligible);

    function isActive(address validator) external view returns (bool);
    function getValidator(address validator) external view returns (Validator memory);
    function activeCount() external view returns (uint256);
    function activeAt(uint256 index) external view returns (address);
    function totalBonds() external view returns (uint256);
    function slasher() external view returns (address);
    function minBond() external view returns (uint128);
    function unbondingDelaySeconds() external view returns (uint32);

    /* PARAMETERS (owner only) */

    function setSlasher(address slasher) external;
    function setMinBond(uint128 minBond) external;
    function setUnbondingDelay(uint32 unbondingDelaySeconds) external;
}
