// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Parties, Shares, Split} from "../../src/interfaces/IJobSettlement.sol";
import {Constants} from "../../src/libraries/Constants.sol";
import {SplitMath} from "../../src/libraries/SplitMath.sol";

/// @notice Properties of `SplitMath` (C3) for payments of less than 2^96 atomic units: the vault never holds more.
contract SplitProperties {
    function _assume(uint256 payment, Shares memory shares, uint256 most) private pure {
        require(payment < 2 ** 96);
        uint256 bps = uint256(shares.deployerBps) + shares.frontendBps + shares.votersBps + shares.protocolBps;
        require(bps <= most);
    }

    /// @notice A share is never above its part of the payment, and less than one unit below it.
    function shareIsRoundedDownByLessThanOneUnit(uint256 payment, uint256 bps) external pure {
        require(payment < 2 ** 96 && bps <= Constants.BPS);
        uint256 share = SplitMath.shareDown(payment, bps);
        assert(share * Constants.BPS <= payment * bps && payment * bps < (share + 1) * Constants.BPS);
    }

    /// @notice C3: the five amounts add up to the payment, whoever takes part.
    function splitAddsUpToThePayment(uint256 payment, Shares memory shares, Parties memory parties) external pure {
        _assume(payment, shares, Constants.BPS);
        Split memory s = SplitMath.split(payment, shares, parties);
        assert(s.node + s.deployer + s.frontend + s.voters + s.protocol == payment);
    }

    /// @notice The node gets at least half as long as the other shares are at most 50 % together, which `setShares` demands.
    function nodeGetsAtLeastHalf(uint256 payment, Shares memory shares, Parties memory parties) external pure {
        _assume(payment, shares, Constants.BPS / 2);
        assert(SplitMath.split(payment, shares, parties).node * 2 >= payment);
    }

    /// @notice A party that is missing gets nothing.
    function missingPartyGetsNothing(uint256 payment, Shares memory shares, Parties memory parties) external pure {
        _assume(payment, shares, Constants.BPS);
        Split memory s = SplitMath.split(payment, shares, parties);
        assert(
            (parties.deployer || s.deployer == 0) && (parties.frontend || s.frontend == 0)
                && (parties.voters || s.voters == 0)
        );
    }
}
