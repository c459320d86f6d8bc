// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VestingSchedule} from "../libraries/VestingMath.sol";

/// @notice What a vesting wallet is created with.
/// @param beneficiary Gets what is free, and says who votes with all of it.
/// @param start Unix seconds.
/// @param revocable Whether the treasury may take back what is not free yet.
struct VestingTerms {
    address beneficiary;
    uint64 start;
    bool revocable;
    VestingSchedule schedule;
}

/// @title IVestingWallet
/// @notice One allocation on its way to its beneficiary. Holds wrapped HEU, pays native HEU.
/// @dev The votes of everything held, free or not, are the beneficiary's to delegate (ADR 0010).
/// Warning: WHEU sent here by others is no part of the allocation and cannot be taken out.
interface IVestingWallet {
    /// @notice Sends the beneficiary, in native HEU, what is free and was not sent yet. Anyone may call.
    /// @return amount Wei sent; zero is refused with `Vesting_NothingToRelease`.
    function release() external returns (uint256 amount);

    /// @notice Gives the votes of everything held, free or not, to `delegatee`. Only the beneficiary.
    function delegate(address delegatee) external;

    /// @notice Offers the allocation to another beneficiary; the zero address takes the offer back. Only the beneficiary.
    function offerTo(address beneficiary) external;

    /// @notice Takes the offer. Only the account it was made to.
    function accept() external;

    /// @notice Stops the vesting now and sends `receiver` what is not free, in native HEU. What is free stays the
    /// beneficiary's. Only `VestingWallets`, once, and only where the terms allow it.
    /// @return amount Wei sent.
    function revoke(address receiver) external returns (uint256 amount);

    /* VIEWS */

    /// @notice The terms it was created with; the beneficiary may have changed.
    function terms() external view returns (VestingTerms memory);
    function beneficiary() external view returns (address);

    /// @notice The account to which the allocation is offered; zero: none.
    function offeredTo() external view returns (address);

    /// @notice Wei free at `timestamp` (unix seconds), sent or not, rounded down.
    function vestedAt(uint64 timestamp) external view returns (uint256);

    /// @notice Wei that `release` would send now.
    function releasable() external view returns (uint256);

    /// @notice Wei sent so far.
    function released() external view returns (uint256);

    /// @notice Unix seconds; 0 = not revoked.
    function revokedAt() external view returns (uint64);
}

/// @title IVestingWallets
/// @notice Creates and lists the vesting wallets of the genesis distribution (wp §3.4.2).
interface IVestingWallets {
    /// @notice Creates a wallet and fills it with `msg.value`, which must be the schedule's total. Only the owner.
    /// @param name For people, for example "team and advisors".
    function create(string calldata name, VestingTerms calldata terms) external payable returns (address wallet);

    /// @notice Revokes a wallet of this list; what was not free goes to the owner, the treasury's timelock. Only the
    /// owner.
    function revoke(address wallet) external returns (uint256 amount);

    /* VIEWS */

    function wrappedHeu() external view returns (address);
    function walletCount() external view returns (uint256);

    /// @notice The wallet at `index`, in the order of creation.
    function walletAt(uint256 index) external view returns (address wallet);

    /// @notice Whether `wallet` was created here.
    function isWallet(address wallet) external view returns (bool);
}
