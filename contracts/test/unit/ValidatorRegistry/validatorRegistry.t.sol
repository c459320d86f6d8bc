// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Validator} from "../../../src/interfaces/IValidatorRegistry.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract ValidatorRegistryTest is SlasherFixture {
    function test_JoinsWithABond() public {
        address fresh = makeAddr("fresh");
        vm.deal(fresh, BOND);
        vm.expectEmit();
        emit Events.ValidatorJoined(fresh, BOND);
        vm.prank(fresh);
        validators.join{value: BOND}();

        Validator memory stored = validators.getValidator(fresh);
        assertEq(stored.bond, BOND, "bond");
        assertEq(stored.activeSince, block.timestamp, "since");
        assertEq(stored.seat, 10, "seat");
        assertTrue(validators.isActive(fresh), "active");
        assertEq(validators.activeCount(), 10, "count");
        assertEq(validators.activeAt(9), fresh, "list");
        assertMoney();
    }

    function testFuzz_RevertWhen_TheBondIsTooLow(uint128 amount) public {
        amount = uint128(bound(amount, 0, BOND - 1));
        vm.deal(stranger, amount);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_BondTooLow.selector, amount, BOND));
        vm.prank(stranger);
        validators.join{value: amount}();
    }

    function test_RevertWhen_JoiningTwice() public {
        vm.deal(v[0], BOND);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_AlreadyJoined.selector, v[0]));
        vm.prank(v[0]);
        validators.join{value: BOND}();
    }

    function test_RevertWhen_AllSeatsAreTaken() public {
        for (uint256 i = v.length; i < 256; ++i) {
            join(string.concat("validator", vm.toString(i)));
        }
        vm.deal(stranger, BOND);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_Full.selector, 256));
        vm.prank(stranger);
        validators.join{value: BOND}();
    }

    function test_DropsWhoIsBelowTheBond() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_BondTooLow.selector, BOND, BOND));
        validators.drop(v[3]);
        vm.prank(owner);
        validators.setMinBond(BOND + 1);

        vm.expectEmit();
        emit Events.ValidatorDropped(v[3], BOND);
        validators.drop(v[3]);
        assertFalse(validators.isActive(v[3]), "dropped");
        assertEq(validators.activeCount(), 8, "count");
        assertEq(validators.activeAt(3), v[8], "the last takes the seat");
        assertEq(validators.getValidator(v[8]).seat, 4, "and knows it");
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_NotValidator.selector, v[3]));
        validators.drop(v[3]);

        pass(100);
        vm.deal(v[3], 1);
        vm.prank(v[3]);
        validators.topUp{value: 1}();
        assertTrue(validators.isActive(v[3]), "back");
        assertEq(validators.getValidator(v[3]).activeSince, block.timestamp, "as a newcomer");
        assertMoney();
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_NotValidator.selector, stranger));
        vm.prank(stranger);
        validators.topUp();
    }

    function test_LeavesWithItsBond() public {
        uint64 exitableAt = uint64(block.timestamp) + UNBONDING;
        vm.expectEmit();
        emit Events.ValidatorExitRequested(v[0], exitableAt);
        vm.prank(v[0]);
        validators.requestExit();
        assertFalse(validators.isActive(v[0]), "out of draws");

        vm.warp(exitableAt);
        vm.prank(v[0]);
        assertEq(validators.withdraw(stranger), BOND, "returned");
        assertEq(stranger.balance, BOND, "paid");
        assertEq(validators.getValidator(v[0]).bond, 0, "gone");
        assertMoney();
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_NotValidator.selector, v[0]));
        vm.prank(v[0]);
        validators.withdraw(stranger);
    }

    function test_RevertWhen_LeavingEarly() public {
        vm.startPrank(v[0]);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_NotExiting.selector, v[0]));
        validators.withdraw(v[0]);
        validators.requestExit();
        uint64 exitableAt = uint64(block.timestamp) + UNBONDING;
        bytes memory early = abi.encodeWithSelector(Errors.ValidatorRegistry_StillUnbonding.selector, v[0], exitableAt);
        vm.expectRevert(early);
        validators.requestExit();
        vm.warp(exitableAt - 1);
        vm.expectRevert(early);
        validators.withdraw(v[0]);
        vm.stopPrank();
    }

    function test_RevertWhen_ACaseCountsOnIt() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        vm.prank(v[0]);
        validators.requestExit();
        vm.warp(block.timestamp + UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_Engaged.selector, v[0], 1));
        vm.prank(v[0]);
        validators.withdraw(v[0]);

        slasher.conclude(caseId);
        vm.prank(v[0]);
        assertEq(validators.withdraw(v[0]), BOND - ACCUSATION, "what the case left");
    }

    function test_AFreshBondWaitsAgain() public {
        vm.prank(v[0]);
        validators.requestExit();
        vm.startPrank(address(slasher));
        validators.engage(9, v[0], BOND, false);
        validators.disengage(9, v[0], BOND, BOND, false);
        vm.stopPrank();
        vm.warp(block.timestamp + UNBONDING);
        vm.deal(v[0], BOND);
        vm.startPrank(v[0]);
        validators.join{value: BOND}();
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_NotExiting.selector, v[0]));
        validators.withdraw(v[0]);
        vm.stopPrank();
    }

    function testFuzz_DrawsTheSmallestTickets(bytes32 seed, uint8 size) public {
        size = uint8(bound(size, 1, 20));
        vm.prank(address(slasher));
        validators.engage(9, v[5], 1, false);
        (address[] memory members, uint256 eligible) = validators.draw(9, seed, size, uint64(block.timestamp));

        assertEq(members.length, size < 8 ? size : 8, "as many as there are");
        assertEq(eligible, 8, "who could have been drawn");
        uint256 largest;
        for (uint256 i; i < members.length; ++i) {
            uint256 ticket = uint256(keccak256(abi.encode(seed, members[i])));
            assertTrue(i == 0 || ticket > largest, "ascending, so each once");
            largest = ticket;
        }
        uint256 smaller;
        for (uint256 i; i < 9; ++i) {
            if (i != 5 && uint256(keccak256(abi.encode(seed, v[i]))) <= largest) ++smaller;
        }
        assertEq(smaller, members.length, "none smaller is left out");
    }

    function test_RevertWhen_NotTheSlasher() public {
        bytes memory refused = abi.encodeWithSelector(Errors.ValidatorRegistry_NotSlasher.selector, owner);
        vm.startPrank(owner);
        vm.expectRevert(refused);
        validators.engage(1, v[0], 1, false);
        vm.expectRevert(refused);
        validators.disengage(1, v[0], 0, 0, false);
        vm.stopPrank();
    }

    function test_RevertWhen_AParameterIsWrong() public {
        bytes[3] memory calls = [
            abi.encodeCall(validators.setSlasher, (stranger)),
            abi.encodeCall(validators.setMinBond, (1e18 - 1)),
            abi.encodeCall(validators.setUnbondingDelay, (59))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(validators).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger)),
                vm.toString(i)
            );
            if (i == 0) continue;
            vm.prank(owner);
            (success, reason) = address(validators).call(calls[i]);
            assertEq(bytes32(bytes4(reason)), bytes32(Errors.Shared_OutOfBounds.selector), vm.toString(i));
        }
    }
}
