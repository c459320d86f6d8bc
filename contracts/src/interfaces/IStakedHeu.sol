// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {IErc7540Operator, IErc7540Redeem, IErc7575Share} from "./IErc7540.sol";

/// @notice Where a reward comes from (wp §3.4.3); each is counted on its own.
enum RewardSource {
    Buyback,
    SequencerFees,
    Reservoir
}

/// @notice One exit of a controller.
/// @param claimableAt Unix seconds.
/// @param shares stHEU that were burned for it.
/// @param assets Wei of WHEU fixed by the request; what was claimed of it is not taken off.
struct Exit {
    uint64 claimableAt;
    uint256 shares;
    uint256 assets;
}

/// @title IStakedHeu
/// @notice Staked HEU. Going in is ERC-4626 over wrapped HEU; going out is an ERC-7540 request whose amount is fixed when
/// it is made and which matures after `exitDelaySeconds`, one year at launch. Votes: ERC-5805 with a timestamp clock.
///
/// The rate, HEU per stHEU, starts at one and never falls (C1): rewards raise it, every rounding is in favour of those
/// who stay, and slashing does not touch stakers. Rewards stream in linearly over 7 days.
///
/// @dev Rounding: `deposit` gives shares rounded down, `mint` asks assets rounded up, an exit gets assets rounded down.
/// The rate is that of a stake that contains one HEU more, which belongs to nobody and never leaves
/// (`Constants.VIRTUAL_STAKE`): it makes inflation attacks unprofitable, and gets its part of each reward.
/// Books, in WHEU held: `totalAssets() + unstreamedRewards() + exitingAssets()`. WHEU sent here without a call is in none
/// of them: it changes no rate and stays as surplus.
/// Shares are burned by the request, so an exit in progress has neither votes nor yield.
/// `requestId` is always 0: a controller's exits are one queue, oldest first, each with its own amount and time.
/// `previewRedeem` and `previewWithdraw` revert, as ERC-7540 demands.
interface IStakedHeu is IERC4626, IErc7540Redeem, IErc7540Operator, IErc7575Share, IERC165 {
    /* STAKING */

    /// @notice Stakes `msg.value` wei of native HEU for `receiver`. Anyone may call, unless paused. `deposit` and `mint`
    /// do the same with wrapped HEU.
    /// @dev Reverts with `StakedHeu_ZeroShares` when the amount is not worth one wei of stHEU, as `deposit` does.
    /// @return shares stHEU given, rounded down.
    function depositNative(address receiver) external payable returns (uint256 shares);

    /* REWARDS */

    /// @notice Adds `msg.value` wei of native HEU to the reward stream, counted for `source`. Only the account that the
    /// owner registered for it, whole or not at all; zero is refused.
    /// @dev The stream's end moves by the amount's weight: 7 days from now when the stream was empty, hardly when the
    /// amount is small beside it, never backwards; so nobody can hold it up with dust. While less than one stHEU exists
    /// the stream stands still.
    function reward(RewardSource source) external payable;

    /* PARAMETERS (owner only) */

    /// @notice Who may call `reward` for `source`; the zero address: nobody.
    function setRewardSource(RewardSource source, address account) external;

    /// @notice The gauges that hear of every balance change; the zero address: none. See `IGaugeHook`.
    function setGauges(address nodeGauge, address podGauge) external;

    /// @notice Seconds between a request and its claim, for requests from now on, between `Constants.MIN_EXIT_DELAY` and
    /// `Constants.MAX_EXIT_DELAY`. Running exits keep theirs.
    function setExitDelay(uint32 exitDelaySeconds) external;

    /* VIEWS */

    /// @notice HEU per stHEU now, 18 decimals, rounded down. For show: the exact rate is a fraction.
    function rateWad() external view returns (uint256);

    /// @notice Wei of HEU that all exits not yet claimed will get.
    function exitingAssets() external view returns (uint256);

    /// @notice Wei of HEU of rewards that have not reached the rate yet.
    function unstreamedRewards() external view returns (uint256);

    /// @notice Unix seconds at which the stream is empty, if it does not stand still and nothing is added.
    function streamEndsAt() external view returns (uint64);

    /// @notice Wei of HEU that ever came from `source`.
    function rewardedBy(RewardSource source) external view returns (uint256);

    /// @notice The account that may call `reward` for `source`.
    function rewardSourceOf(RewardSource source) external view returns (address);

    /// @notice Exits that `controller` ever got, claimed ones included.
    function exitCount(address controller) external view returns (uint256);

    /// @notice The exit at `index`, from 0 in the order of requests.
    function exitAt(address controller, uint256 index) external view returns (Exit memory);

    function nodeGauge() external view returns (address);
    function podGauge() external view returns (address);
    function exitDelaySeconds() external view returns (uint32);
}
