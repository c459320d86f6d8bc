// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {GuardedPause} from "../../../src/governance/GuardedPause.sol";
import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {Test} from "../../utils/Test.sol";

/// @notice The mixin with one marked function and one way out.
contract Pausable is GuardedPause {
    uint256 public entries;
    uint256 public exits;

    constructor(address owner) Ownable(owner) {}

    function enter() external whenNotPaused {
        entries += 1;
    }

    function leave() external {
        exits += 1;
    }

    function govern() external onlyOwner {
        entries = 0;
    }
}

contract GuardedPauseTest is Test {
    uint48 private constant START = 1_800_000_000;

    address private owner = makeAddr("owner");
    address private guardian = makeAddr("guardian");
    Pausable private pausable;

    function setUp() public {
        vm.warp(START);
        pausable = new Pausable(owner);
    }

    /* APPOINTMENT */

    function test_RunsWithoutAGuardian() public {
        pausable.enter();
        assertEq(pausable.entries(), 1, "entered");
        assertFalse(pausable.paused(), "never paused");
    }

    function test_RevertWhen_NobodyWasAppointed() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_TermEnded.selector, 0));
        vm.prank(address(0));
        pausable.pause();
    }

    function test_AppointsForATerm() public {
        vm.expectEmit();
        emit Events.GuardianChanged(guardian, START + Constants.GUARDIAN_TERM);
        appoint(guardian);

        assertEq(pausable.guardian(), guardian, "guardian");
        assertEq(pausable.guardianExpiresAt(), START + Constants.GUARDIAN_TERM, "term");
    }

    function test_RevertWhen_AnyoneElseAppoints() public {
        appoint(guardian);

        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, guardian));
        vm.prank(guardian);
        pausable.setGuardian(guardian);
    }

    /* PAUSE */

    function test_PausesMarkedFunctionsForABoundedTime() public {
        appoint(guardian);
        uint48 until = START + Constants.PAUSE_SECONDS;

        vm.expectEmit();
        emit Events.Paused(guardian, until);
        pauseBy(guardian);

        assertTrue(pausable.paused(), "paused");
        assertEq(pausable.pausedUntil(), until, "end");
        pausable.leave();
        assertEq(pausable.exits(), 1, "the way out stays open");
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_Paused.selector, until));
        pausable.enter();
        vm.warp(until);
        pausable.enter();
        assertEq(pausable.entries(), 1, "ended by itself");
    }

    function test_GivesTheGuardianNoOtherPower() public {
        appoint(guardian);
        pauseBy(guardian);

        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, guardian));
        pausable.govern();
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, guardian));
        pausable.transferOwnership(guardian);
        vm.stopPrank();
    }

    function test_RevertWhen_APauseRuns() public {
        appoint(guardian);
        pauseBy(guardian);

        vm.warp(START + 1 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_Paused.selector, START + Constants.PAUSE_SECONDS));
        pauseBy(guardian);
    }

    function test_RevertWhen_TheGuardianPausesTooSoon() public {
        appoint(guardian);
        pauseBy(guardian);
        uint48 next = START + Constants.PAUSE_SECONDS + Constants.PAUSE_COOLDOWN;

        vm.warp(next - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_TooSoon.selector, next));
        pauseBy(guardian);
        vm.warp(next);
        pauseBy(guardian);
        assertTrue(pausable.paused(), "paused again");
    }

    function test_RevertWhen_TheTermHasEnded() public {
        appoint(guardian);
        uint48 end = START + Constants.GUARDIAN_TERM;

        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_TermEnded.selector, end));
        pauseBy(guardian);
        vm.warp(end - 1);
        pauseBy(guardian);
        assertTrue(pausable.paused(), "in its last second");
    }

    function testFuzz_RevertWhen_AnyoneElsePauses(address caller) public {
        vm.assume(caller != guardian);
        appoint(guardian);

        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_NotGuardian.selector, caller));
        pauseBy(caller);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_NotGuardian.selector, owner));
        pauseBy(owner);
    }

    /* UNPAUSE */

    function test_EndsByTheOwner() public {
        appoint(guardian);
        pauseBy(guardian);

        vm.expectEmit();
        emit Events.Unpaused(owner);
        unpauseBy(owner);
        pausable.enter();
        assertEq(pausable.entries(), 1, "entered");
    }

    function test_EndsByTheGuardianAlsoAfterItsTerm() public {
        appoint(guardian);
        vm.warp(START + Constants.GUARDIAN_TERM - 1);
        pauseBy(guardian);
        vm.warp(START + Constants.GUARDIAN_TERM + 1);

        unpauseBy(guardian);
        assertFalse(pausable.paused(), "ended");
    }

    function test_CountsTheCooldownFromTheEnd() public {
        appoint(guardian);
        pauseBy(guardian);
        vm.warp(START + 1 hours);
        unpauseBy(guardian);
        uint48 next = START + 1 hours + Constants.PAUSE_COOLDOWN;

        vm.warp(next - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_TooSoon.selector, next));
        pauseBy(guardian);
        vm.warp(next);
        pauseBy(guardian);
        assertEq(pausable.pausedUntil(), next + Constants.PAUSE_SECONDS, "second pause");
    }

    function test_RevertWhen_NoPauseRuns() public {
        appoint(guardian);

        vm.expectRevert(Errors.GuardedPause_NotPaused.selector);
        unpauseBy(owner);
        pauseBy(guardian);
        vm.warp(START + Constants.PAUSE_SECONDS);
        vm.expectRevert(Errors.GuardedPause_NotPaused.selector);
        unpauseBy(guardian);
    }

    function testFuzz_RevertWhen_AStrangerEndsIt(address caller) public {
        vm.assume(caller != guardian && caller != owner);
        appoint(guardian);
        pauseBy(guardian);

        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_NotGuardian.selector, caller));
        unpauseBy(caller);
    }

    /* REPLACEMENT */

    function test_ReplacesTheGuardian() public {
        address other = makeAddr("other");
        appoint(guardian);
        pauseBy(guardian);
        unpauseBy(owner);
        appoint(other);

        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_NotGuardian.selector, guardian));
        pauseBy(guardian);
        pauseBy(other);
        assertTrue(pausable.paused(), "at once");
    }

    function test_ReplacingLeavesARunningPause() public {
        appoint(guardian);
        pauseBy(guardian);
        appoint(address(0));

        assertTrue(pausable.paused(), "still paused");
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_NotGuardian.selector, guardian));
        unpauseBy(guardian);
        unpauseBy(owner);
        assertFalse(pausable.paused(), "the owner ends it");
    }

    /// @dev Pauses and unpauses as often as it can: by the cooldown it never holds more than 14 of any 44 days.
    function testFuzz_BoundsWhatAHostileGuardianCanDo(uint256 seed) public {
        appoint(guardian);
        uint256 pausedSeconds;
        for (uint256 i = 0; i < 200; i++) {
            uint256 step = bound(uint256(keccak256(abi.encode(seed, i))), 1 hours, 5 days);
            vm.prank(guardian);
            try pausable.pause() {} catch {}
            uint256 until = pausable.pausedUntil();
            if (until > block.timestamp) {
                pausedSeconds += until - block.timestamp < step ? until - block.timestamp : step;
            }
            vm.warp(block.timestamp + step);
        }

        uint256 pauses = Constants.GUARDIAN_TERM / (Constants.PAUSE_SECONDS + Constants.PAUSE_COOLDOWN) + 1;
        assertLe(pausedSeconds, pauses * Constants.PAUSE_SECONDS, "time paused");
        assertGe(pausedSeconds, Constants.PAUSE_SECONDS, "it did pause");
    }

    function appoint(address account) private {
        vm.prank(owner);
        pausable.setGuardian(account);
    }

    function pauseBy(address account) private {
        vm.prank(account);
        pausable.pause();
    }

    function unpauseBy(address account) private {
        vm.prank(account);
        pausable.unpause();
    }
}
