// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice One exit, in one slot. Shares and assets are sums over it and all exits before it.
/// @param claimableAt Unix seconds; never before that of the exit before.
struct ExitMark {
    uint48 claimableAt;
    uint104 sharesUpTo;
    uint104 assetsUpTo;
}

/// @notice The exits of one controller, oldest first.
/// @param claimedShares stHEU of exits claimed so far.
/// @param claimedAssets Wei of HEU claimed so far; at most what `claimedShares` are worth in the order of the queue.
struct ExitQueue {
    uint128 claimedShares;
    uint128 claimedAssets;
    ExitMark[] marks;
}

/// @title ExitQueueLib
/// @notice Exits with fixed amounts, claimed oldest first, in logarithmic time.
/// @dev Anyone can send an exit to any controller, so nothing here walks the queue. A controller may claim in parts, by
/// shares or by assets: all roundings meet at the end of each exit, so no wei is lost or won.
library ExitQueueLib {
    using SafeCast for uint256;

    /// @dev Appends an exit that matures at `claimableAt`, or with the exit before it if that is later.
    /// @return at When it matures.
    function append(ExitQueue storage queue, uint256 shares, uint256 assets, uint256 claimableAt)
        internal
        returns (uint256 at)
    {
        ExitMark memory last = upTo(queue, queue.marks.length);
        at = Math.max(claimableAt, last.claimableAt);
        queue.marks
            .push(
                ExitMark({
                    claimableAt: at.toUint48(),
                    sharesUpTo: (last.sharesUpTo + shares).toUint104(),
                    assetsUpTo: (last.assetsUpTo + assets).toUint104()
                })
            );
    }

    /// @dev Takes `shares`, which must be at most `claimable`, and returns the assets they are worth.
    function claimShares(ExitQueue storage queue, uint256 shares) internal returns (uint256 assets) {
        uint256 target = queue.claimedShares + shares;
        (ExitMark memory before, ExitMark memory mark) = _holding(queue, target, true);
        uint256 worth = before.assetsUpTo
            + Math.mulDiv(
                target - before.sharesUpTo, mark.assetsUpTo - before.assetsUpTo, mark.sharesUpTo - before.sharesUpTo
            );
        assets = worth - queue.claimedAssets;
        queue.claimedShares = target.toUint128();
        queue.claimedAssets = worth.toUint128();
    }

    /// @dev Takes `assets`, which must be at most `claimable`, and returns the shares that go with them: the fewest that
    /// are worth it, none when rounding left enough assets behind.
    function claimAssets(ExitQueue storage queue, uint256 assets) internal returns (uint256 shares) {
        uint256 target = queue.claimedAssets + assets;
        (ExitMark memory before, ExitMark memory mark) = _holding(queue, target, false);
        uint256 needed = before.sharesUpTo
            + Math.mulDiv({
                x: target - before.assetsUpTo,
                y: mark.sharesUpTo - before.sharesUpTo,
                denominator: mark.assetsUpTo - before.assetsUpTo,
                rounding: Math.Rounding.Ceil
            });
        uint256 claimed = queue.claimedShares;
        shares = Math.saturatingSub(needed, claimed);
        queue.claimedShares = (claimed + shares).toUint128();
        queue.claimedAssets = target.toUint128();
    }

    /// @dev What has matured at `time` and was not claimed.
    function claimable(ExitQueue storage queue, uint256 time) internal view returns (uint256 shares, uint256 assets) {
        uint256 low;
        uint256 high = queue.marks.length;
        while (low < high) {
            uint256 middle = Math.average(low, high);
            if (queue.marks[middle].claimableAt <= time) low = middle + 1;
            else high = middle;
        }
        ExitMark memory matured = upTo(queue, low);
        shares = matured.sharesUpTo - queue.claimedShares;
        assets = matured.assetsUpTo - queue.claimedAssets;
    }

    /// @dev Sums over the first `count` exits.
    function upTo(ExitQueue storage queue, uint256 count) internal view returns (ExitMark memory mark) {
        if (count > 0) mark = queue.marks[count - 1];
    }

    /// @dev The exit that holds the `target`-th share (or asset), and the sums before it.
    function _holding(ExitQueue storage queue, uint256 target, bool byShares)
        private
        view
        returns (ExitMark memory before, ExitMark memory mark)
    {
        uint256 low;
        uint256 high = queue.marks.length - 1;
        while (low < high) {
            uint256 middle = Math.average(low, high);
            ExitMark storage candidate = queue.marks[middle];
            if ((byShares ? candidate.sharesUpTo : candidate.assetsUpTo) < target) low = middle + 1;
            else high = middle;
        }
        before = upTo(queue, low);
        mark = queue.marks[low];
    }
}
