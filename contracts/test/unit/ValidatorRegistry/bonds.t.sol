// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Reentrant} from "../../utils/Receivers.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract BondsTest is SlasherFixture {
    function testFuzz_ATopUpAddsToTheCallersBond(uint96 amount, uint8 who) public {
        address validator = v[who % 9];
        uint256 before = validators.totalBonds();
        vm.deal(validator, amount);
        vm.prank(validator);
        validators.topUp{value: amount}();

        assertEq(bondOf(validator), uint256(BOND) + amount, "its own");
        assertEq(bondOf(v[(uint256(who) + 1) % 9]), BOND, "nobody else's");
        assertEq(validators.totalBonds(), before + amount, "total");
        assertMoney();
    }

    function testFuzz_RevertWhen_AStrangerTopsUp(address caller, uint96 amount) public {
        vm.assume(bondOf(caller) == 0);
        vm.deal(caller, amount);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValidatorRegistry_NotValidator.selector, caller));
        vm.prank(caller);
        validators.topUp{value: amount}();
    }

    function testFuzz_ExactlyWhoIsBelowIsDropped(uint128 minBond, uint8 who, address caller) public {
        minBond = uint128(bound(minBond, 1e18, 2 * uint256(BOND)));
        if (who % 4 == 0) minBond = BOND;
        address validator = v[who % 9];
        vm.prank(owner);
        validators.setMinBond(minBond);
        vm.prank(caller);
        (bool success,) = address(validators).call(abi.encodeCall(validators.drop, (validator)));

        assertTrue(success == (BOND < minBond), "below alone");
        assertTrue(validators.isActive(validator) == !success, "its seat");
        assertEq(validators.activeCount(), success ? 8 : 9, "count");
        assertEq(bondOf(validator), BOND, "its bond stays");
        assertMoney();
    }

    function testFuzz_ACaseTakesAtMostWhatItLocked(uint128 asked, uint128 seized, bool orLess, bool forgiven) public {
        uint256 slashersCoins = address(slasher).balance;
        asked = uint128(bound(asked, 0, orLess ? 2 * uint256(BOND) : BOND));
        vm.startPrank(address(slasher));
        uint128 locked = validators.engage(9, v[0], asked, orLess);
        assertEq(locked, asked < BOND ? asked : BOND, "what is asked, or what is there");
        seized = uint128(bound(seized, 0, locked));
        validators.disengage(9, v[0], locked, seized, forgiven);
        vm.stopPrank();

        assertEq(lockedOf(v[0]), 0, "unlocked");
        assertEq(bondOf(v[0]), BOND - seized, "less what was seized");
        assertEq(address(slasher).balance, slashersCoins + seized, "which the slasher has");
        assertEq(validators.totalBonds(), 9 * uint256(BOND) - seized, "total");
        assertTrue(validators.isActive(v[0]) == (seized == 0), "below the bond it loses its seat");
        assertEq(address(validators).balance, validators.totalBonds(), "held = bonds");
    }

    function testFuzz_RevertWhen_MoreThanTheBondIsLocked(uint128 first, uint128 second) public {
        first = uint128(bound(first, 0, BOND));
        second = uint128(bound(second, BOND - first + 1, type(uint128).max));
        vm.startPrank(address(slasher));
        validators.engage(8, v[0], first, false);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.ValidatorRegistry_BondLocked.selector, v[0], BOND - first, second)
        );
        validators.engage(9, v[0], second, false);
        vm.stopPrank();
    }

    function test_ALeavingValidatorThatReentersIsPaidOnce() public {
        Reentrant thief = new Reentrant();
        vm.deal(address(this), BOND);
        thief.run{value: BOND}(address(validators), abi.encodeCall(validators.join, ()));
        thief.run(address(validators), abi.encodeCall(validators.requestExit, ()));
        vm.warp(block.timestamp + UNBONDING);
        bytes memory again = abi.encodeCall(validators.withdraw, (address(thief)));
        thief.arm(address(validators), again);

        assertTrue(thief.run(address(validators), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, BOND, "only its own");
        assertMoney();
    }

    function testFuzz_RevertWhen_AnyoneElseEngages(address caller, uint128 amount) public {
        vm.assume(caller != address(slasher));
        bytes memory refused = abi.encodeWithSelector(Errors.ValidatorRegistry_NotSlasher.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        validators.engage(9, v[0], amount, true);
        vm.expectRevert(refused);
        validators.disengage(9, v[0], 0, amount, true);
        vm.stopPrank();
    }
}
