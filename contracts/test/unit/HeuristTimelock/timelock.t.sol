// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {GovernanceFixture, ITimelock} from "../../utils/GovernanceFixture.sol";

contract HeuristTimelockTest is GovernanceFixture {
    function test_ObeysTheGovernorAlone() public view {
        bytes32[4] memory roles = [
            timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.DEFAULT_ADMIN_ROLE()
        ];
        for (uint256 i = 0; i < 3; i++) {
            assertTrue(timelock.hasRole(roles[i], address(governor)), "the governor");
            assertFalse(timelock.hasRole(roles[i], address(0)), "nobody else");
        }
        assertFalse(timelock.hasRole(roles[3], address(governor)), "no administrator but itself");
        assertTrue(timelock.hasRole(roles[3], address(timelock)), "itself");
        assertEq(timelock.getMinDelay(), TIMELOCK_DELAY, "delay");
    }

    function test_LeavesTheDeployerNothing() public {
        bytes32 role = timelock.PROPOSER_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(ITimelock.AccessControlUnauthorizedAccount.selector, address(this), bytes32(0))
        );
        timelock.grantRole(role, address(this));
        vm.expectRevert(
            abi.encodeWithSelector(ITimelock.AccessControlUnauthorizedAccount.selector, address(this), role)
        );
        timelock.schedule(stranger, 0, "", 0, 0, TIMELOCK_DELAY);
    }

    function testFuzz_ChangesItsDelayByProposal(uint256 delay) public {
        delay = bound(delay, Constants.MIN_TIMELOCK_DELAY, Constants.MAX_TIMELOCK_DELAY);
        pass(address(timelock), 0, abi.encodeCall(ITimelock.updateDelay, (delay)));

        assertEq(timelock.getMinDelay(), delay, "delay");
    }

    function testFuzz_RevertWhen_TheDelayIsOutOfBounds(uint256 delay, bool above) public {
        (uint256 min, uint256 max) = (Constants.MIN_TIMELOCK_DELAY, Constants.MAX_TIMELOCK_DELAY);
        delay = above ? bound(delay, max + 1, type(uint256).max) : bound(delay, 0, min - 1);
        Proposal memory made = proposalTo(address(timelock), 0, abi.encodeCall(ITimelock.updateDelay, (delay)));
        ready(made);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, delay, min, max));
        execute(made);
    }

    function test_RevertWhen_TheDelayIsChangedDirectly() public {
        vm.expectRevert(abi.encodeWithSelector(ITimelock.TimelockUnauthorizedCaller.selector, address(governor)));
        vm.prank(address(governor));
        timelock.updateDelay(1 days);
    }

    function test_PaysFromTheTreasuryByProposal() public {
        vm.deal(address(timelock), 150e18);
        pass(stranger, 100e18, "");

        assertEq(stranger.balance, 100e18, "paid");
        assertEq(address(timelock).balance, 50e18, "kept");
    }
}
