// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Consents} from "../../utils/Consents.sol";
import {Fixture} from "../../utils/Fixture.sol";

/// @notice A registry, a node owner, and hot keys that consent.
abstract contract NodeFixture is Fixture, Consents {
    address internal nodeOwner;
    address internal hotKey;
    address internal payout;
    uint64 internal deadline;

    function setUp() public virtual override {
        super.setUp();
        nodeOwner = makeAddr("node owner");
        hotKey = makeAddr("hot");
        payout = makeAddr("payout");
        deadline = uint64(block.timestamp + 1 hours);
    }

    function consentOf(string memory keyName, address owner_) internal view returns (bytes memory) {
        return signConsent(address(nodes), makeKey(keyName), owner_, deadline);
    }

    function registerNode(string memory keyName, address owner_) internal returns (uint256 nodeId) {
        bytes memory consent = consentOf(keyName, owner_);
        address key = makeAddr(keyName);
        vm.deal(owner_, MIN_COLLATERAL);
        vm.prank(owner_);
        return nodes.register{value: MIN_COLLATERAL}(key, payout, deadline, consent);
    }
}
