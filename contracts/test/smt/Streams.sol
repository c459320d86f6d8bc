// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Stream, StreamLib} from "../../src/libraries/StreamLib.sol";

/// @notice Properties of `StreamLib.arrived`, for every stream whose end is not before its last advance.
contract StreamProperties {
    /// @notice A stream never pays more than it holds.
    function arrivedIsAtMostWhatIsUnstreamed(Stream memory stream, uint256 time, bool flowing) external pure {
        require(stream.endsAt >= stream.updatedAt && time < 2 ** 64);
        assert(StreamLib.arrived(stream, time, flowing) <= stream.unstreamed);
    }

    /// @notice At its end a stream has paid all.
    function allHasArrivedAtTheEnd(Stream memory stream, uint256 time) external pure {
        require(stream.endsAt >= stream.updatedAt && time >= stream.endsAt && time > stream.updatedAt);
        assert(StreamLib.arrived(stream, time, true) == stream.unstreamed);
    }

    /// @notice A stream that stands still pays nothing.
    function nothingArrivesWhileItStandsStill(Stream memory stream, uint256 time) external pure {
        assert(StreamLib.arrived(stream, time, false) == 0);
    }
}
