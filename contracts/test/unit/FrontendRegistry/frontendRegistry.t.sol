// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Frontend} from "../../../src/interfaces/IFrontendRegistry.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";

contract FrontendRegistryTest is Fixture {
    /* REGISTER */

    function test_RegistersUnderOwnerAndName() public {
        bytes32 expected = keccak256(abi.encode(developer, "console"));

        vm.expectEmit();
        emit Events.FrontendRegistered(expected, developer, "console");
        vm.expectEmit();
        emit Events.FrontendUpdated(expected, 500, node, bytes32(0));
        bytes32 frontendId = register("console", 500);

        Frontend memory stored = frontends.getFrontend(frontendId);
        assertEq(frontendId, expected, "id");
        assertEq(frontends.frontendIdOf(developer, "console"), expected, "computed");
        assertEq(stored.owner, developer, "owner");
        assertEq(stored.feeBps, 500, "fee");
        assertEq(stored.payout, node, "payout");
    }

    function testFuzz_RevertWhen_FeeIsAboveTheBound(uint16 feeBps) public {
        feeBps = uint16(bound(feeBps, 501, type(uint16).max));

        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_FeeTooHigh.selector, feeBps, 500));
        register("console", feeBps);
    }

    function test_RevertWhen_FeeIsOneAboveTheBound() public {
        register("at the bound", 500);
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_FeeTooHigh.selector, 501, 500));
        register("above", 501);
    }

    function test_RevertWhen_NameIsRegistered() public {
        bytes32 frontendId = register("console", 0);

        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_AlreadyRegistered.selector, frontendId));
        register("console", 0);
    }

    function test_RevertWhen_NameIsEmptyOrTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_BadName.selector, 0));
        register("", 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_BadName.selector, 65));
        register(string(new bytes(65)), 0);
    }

    function test_RevertWhen_PayoutIsTheZeroAddress() public {
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        frontends.register("console", 0, address(0), bytes32(0));
    }

    /* UPDATE */

    function test_UpdatesFeePayoutAndReferrals() public {
        bytes32 frontendId = register("console", 500);
        bytes32 root = keccak256("root");
        vm.prank(developer);
        frontends.update(frontendId, 100, stranger, root);

        Frontend memory stored = frontends.getFrontend(frontendId);
        assertEq(stored.feeBps, 100, "fee");
        assertEq(stored.payout, stranger, "payout");
        assertEq(stored.referralRoot, root, "root");
    }

    function test_RevertWhen_AStrangerChangesTheFrontend() public {
        bytes32 frontendId = register("console", 500);

        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_NotOwner.selector, frontendId, stranger));
        frontends.update(frontendId, 0, stranger, bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_NotOwner.selector, frontendId, stranger));
        frontends.transferFrontend(frontendId, stranger);
        vm.stopPrank();
    }

    function test_HandsTheFrontendOver() public {
        bytes32 frontendId = register("console", 500);
        vm.startPrank(developer);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        frontends.transferFrontend(frontendId, address(0));
        vm.expectEmit();
        emit Events.FrontendOwnerChanged(frontendId, developer, stranger);
        frontends.transferFrontend(frontendId, stranger);
        vm.stopPrank();

        assertEq(frontends.getFrontend(frontendId).owner, stranger, "owner");
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_AlreadyRegistered.selector, frontendId));
        register("console", 500);
    }

    function test_RevertWhen_FrontendIsUnknown() public {
        bytes32 id = keccak256("nobody's");
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_UnknownFrontend.selector, id));
        frontends.getFrontend(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_UnknownFrontend.selector, id));
        frontends.update(id, 0, stranger, bytes32(0));
    }

    /* REFERRALS */

    function test_ProvesReferrals() public {
        address[2] memory keys = [node, stranger];
        bytes32 left = leafOf(keys[0]);
        bytes32 right = leafOf(keys[1]);
        bytes32 root = left < right ? keccak256(abi.encode(left, right)) : keccak256(abi.encode(right, left));
        bytes32 frontendId = register("console", 0);
        vm.prank(developer);
        frontends.update(frontendId, 0, developer, root);

        bytes32[] memory proof = new bytes32[](1);
        proof[0] = right;
        assertTrue(frontends.isReferred(frontendId, node, proof), "on the list");
        assertFalse(frontends.isReferred(frontendId, developer, proof), "not on it");
        proof[0] = left;
        assertFalse(frontends.isReferred(frontendId, node, proof), "wrong proof");
    }

    function test_RefersNobodyWithoutARoot() public {
        bytes32 frontendId = register("console", 0);

        assertFalse(frontends.isReferred(frontendId, node, new bytes32[](0)), "nobody");
    }

    /* PARAMETERS */

    function test_ALowerBoundTouchesFutureFeesOnly() public {
        bytes32 frontendId = register("console", 500);
        vm.prank(owner);
        frontends.setMaxFeeBps(100);

        assertEq(frontends.getFrontend(frontendId).feeBps, 500, "kept");
        vm.expectRevert(abi.encodeWithSelector(Errors.FrontendRegistry_FeeTooHigh.selector, 500, 100));
        vm.prank(developer);
        frontends.update(frontendId, 500, node, bytes32(0));
    }

    function testFuzz_RevertWhen_BoundIsOutOfBounds(uint16 maxFeeBps) public {
        vm.assume(maxFeeBps > 1000);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, maxFeeBps, 0, 1000));
        vm.prank(owner);
        frontends.setMaxFeeBps(maxFeeBps);
    }

    function test_RevertWhen_AStrangerSetsTheBound() public {
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        frontends.setMaxFeeBps(0);
    }

    function register(string memory name, uint16 feeBps) private returns (bytes32) {
        vm.prank(developer);
        return frontends.register(name, feeBps, node, bytes32(0));
    }

    function leafOf(address key) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(key))));
    }
}
