// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Frontend} from "../../../src/interfaces/IFrontendRegistry.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Fixture} from "../../utils/Fixture.sol";

contract ChangeTest is Fixture {
    bytes32 private frontendId;

    function setUp() public override {
        super.setUp();
        vm.prank(developer);
        frontendId = frontends.register("console", 100, node, "list");
    }

    function testFuzz_UpdatesWithinTheBound(uint16 feeBps, address payout, bytes32 root) public {
        vm.prank(developer);
        (bool success, bytes memory reason) =
            address(frontends).call(abi.encodeCall(frontends.update, (frontendId, feeBps, payout, root)));
        Frontend memory stored = frontends.getFrontend(frontendId);

        assertTrue(success == (feeBps <= 500 && payout != address(0)), "exactly what is allowed");
        assertEq(stored.feeBps, success ? feeBps : 100, "fee");
        assertEq(stored.payout, success ? payout : node, "payout");
        assertEq(stored.referralRoot, success ? root : bytes32("list"), "list");
        assertEq(stored.owner, developer, "owner");
        bytes memory tooHigh = abi.encodeWithSelector(Errors.FrontendRegistry_FeeTooHigh.selector, feeBps, 500);
        bytes memory zero = abi.encodeWithSelector(Errors.Shared_ZeroAddress.selector);
        if (!success) assertEq(keccak256(reason), keccak256(feeBps > 500 ? tooHigh : zero), "why");
    }

    function testFuzz_HandingItOverGivesTheOtherAlone(address next) public {
        vm.assume(next != address(0) && next != developer);
        vm.startPrank(developer);
        frontends.transferFrontend(frontendId, next);
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_NotOwner.selector, frontendId, developer));
        frontends.transferFrontend(frontendId, developer);
        vm.stopPrank();
        vm.prank(next);
        frontends.update(frontendId, 1, next, 0);

        assertEq(frontends.getFrontend(frontendId).owner, next, "owner");
        assertEq(frontends.getFrontend(frontendId).payout, next, "and may change it");
    }

    function testFuzz_RevertWhen_AnyoneElseChangesIt(address caller, uint16 feeBps, address value) public {
        vm.assume(caller != developer);
        bytes memory refused = abi.encodeWithSelector(Errors.FrontendRegistry_NotOwner.selector, frontendId, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        frontends.update(frontendId, feeBps, value, 0);
        vm.expectRevert(refused);
        frontends.transferFrontend(frontendId, value);
        vm.stopPrank();

        assertEq(frontends.getFrontend(frontendId).feeBps, 100, "the same");
    }
}
