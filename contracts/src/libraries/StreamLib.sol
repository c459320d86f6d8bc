// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Constants} from "./Constants.sol";

/// @notice Rewards on their way into the rate.
/// @param unstreamed Wei of HEU still to come.
/// @param endsAt Unix seconds at which all of it has come.
/// @param updatedAt Unix seconds up to which `unstreamed` is right.
struct Stream {
    uint128 unstreamed;
    uint64 endsAt;
    uint64 updatedAt;
}

/// @title StreamLib
/// @notice A linear stream that takes new amounts while it runs, over `Constants.STREAM_SECONDS`.
/// @dev Invariant: nothing is unstreamed after `endsAt`, and `endsAt` is at most `STREAM_SECONDS` after the last advance.
library StreamLib {
    using SafeCast for uint256;

    /// @dev Wei that arrive between the last advance and `time`, rounded down. None while the stream stands still.
    function arrived(Stream memory stream, uint256 time, bool flowing) internal pure returns (uint256) {
        if (!flowing || time <= stream.updatedAt) return 0;
        if (time >= stream.endsAt) return stream.unstreamed;
        return (uint256(stream.unstreamed) * (time - stream.updatedAt)) / (stream.endsAt - stream.updatedAt);
    }

    /// @dev Brings the stream to `time`. While it stands still its end moves along.
    /// @return next The stream at `time`.
    /// @return amount Wei that arrived.
    function advance(Stream memory stream, uint256 time, bool flowing)
        internal
        pure
        returns (Stream memory next, uint256 amount)
    {
        amount = arrived(stream, time, flowing);
        uint256 endsAt = flowing ? stream.endsAt : stream.endsAt + (time - stream.updatedAt);
        next = Stream({
            unstreamed: (stream.unstreamed - amount).toUint128(), endsAt: endsAt.toUint64(), updatedAt: time.toUint64()
        });
    }

    /// @dev Adds `amount > 0` to a stream that was advanced to now. Its end moves towards a full length by the amount's
    /// weight, rounded down: an empty stream gets the full length, dust moves nothing, and the end never moves back.
    function add(Stream memory stream, uint256 amount) internal pure returns (Stream memory next) {
        uint256 total = stream.unstreamed + amount;
        uint256 left = stream.unstreamed == 0 ? 0 : stream.endsAt - stream.updatedAt;
        uint256 extension = (amount * (Constants.STREAM_SECONDS - left)) / total;
        next = Stream({
            unstreamed: total.toUint128(),
            endsAt: (stream.updatedAt + left + extension).toUint64(),
            updatedAt: stream.updatedAt
        });
    }
}
