// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Parties, Shares, Split} from "../interfaces/IJobSettlement.sol";
import {Constants} from "./Constants.sol";

/// @title SplitMath
/// @notice The five-way split of a payment (DESIGN §5): each other role gets its share rounded down, the node the rest.
library SplitMath {
    /// @dev `payment * bps / 10,000`, rounded down.
    function shareDown(uint256 payment, uint256 bps) internal pure returns (uint256) {
        return payment * bps / Constants.BPS;
    }

    /// @dev The amounts add up to `payment`: a missing party's share and all dust stay with the node.
    function split(uint256 payment, Shares memory shares, Parties memory parties)
        internal
        pure
        returns (Split memory result)
    {
        if (parties.deployer) result.deployer = shareDown(payment, shares.deployerBps);
        if (parties.frontend) result.frontend = shareDown(payment, shares.frontendBps);
        if (parties.voters) result.voters = shareDown(payment, shares.votersBps);
        result.protocol = shareDown(payment, shares.protocolBps);
        result.node = payment - result.deployer - result.frontend - result.voters - result.protocol;
    }
}
