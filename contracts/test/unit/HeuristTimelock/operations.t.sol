// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";

import {GovernanceFixture, ITimelock} from "../../utils/GovernanceFixture.sol";

contract HeuristTimelockOperationsTest is GovernanceFixture {
    address[] private targets;
    uint256[] private values;
    bytes[] private payloads;

    function setUp() public override {
        super.setUp();
        (targets, values, payloads) = (new address[](1), new uint256[](1), new bytes[](1));
    }

    function testFuzz_RunsOnceAfterItsDelayAndNotBefore(
        uint96 amount,
        bytes32 salt,
        uint32 delay,
        uint32 later,
        bool many
    ) public {
        vm.deal(address(timelock), amount);
        (targets[0], values[0]) = (stranger, amount);
        bool patient = delay >= TIMELOCK_DELAY;
        assertTrue(schedule(address(governor), salt, delay, many) == patient, "no shorter than the delay");
        vm.warp(block.timestamp + later);
        bool ran = execute(address(governor), salt, many);

        assertTrue(ran == (patient && later >= delay), "when its time has come");
        assertEq(stranger.balance, ran ? amount : 0, "paid");
        assertFalse(ran && execute(address(governor), salt, many), "once");
    }

    function testFuzz_RevertWhen_AnyoneElseCalls(address caller, bytes32 salt, bytes32 role, bool many) public {
        vm.assume(caller != address(governor) && caller != address(timelock));
        (targets[0], values[0]) = (caller, 0);
        assertFalse(schedule(caller, salt, TIMELOCK_DELAY, many), "proposes");
        assertTrue(schedule(address(governor), salt, TIMELOCK_DELAY, many), "the governor does");
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        assertFalse(execute(caller, salt, many), "executes");
        bytes32 canceller = timelock.CANCELLER_ROLE();
        bytes4 unauthorised = ITimelock.AccessControlUnauthorizedAccount.selector;
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(unauthorised, caller, canceller));
        timelock.cancel(salt);
        vm.expectRevert(abi.encodeWithSelector(unauthorised, caller, bytes32(0)));
        timelock.grantRole(canceller, caller);
        vm.expectRevert(abi.encodeWithSelector(unauthorised, caller, bytes32(0)));
        timelock.revokeRole(canceller, address(governor));
        timelock.renounceRole(role, caller);
        vm.stopPrank();
        assertTrue(timelock.hasRole(canceller, address(governor)), "the governor's still");
    }

    function testFuzz_ACancelledOperationNeverRuns(bytes32 salt, uint64 later) public {
        (targets[0], values[0]) = (stranger, 0);
        schedule(address(governor), salt, TIMELOCK_DELAY, false);
        bytes32 id = timelock.hashOperation(stranger, 0, "", 0, salt);
        assertTrue(timelock.isOperation(id), "known");
        vm.prank(address(governor));
        timelock.cancel(id);
        assertFalse(timelock.isOperation(id), "unknown");
        vm.warp(block.timestamp + later);
        assertFalse(execute(address(governor), salt, false), "never");
        assertFalse(timelock.isOperationDone(id), "not done");
    }

    function testFuzz_TakesTokensOfAnyStandard(address from, uint256 id, bytes calldata data) public {
        IERC721Receiver single = IERC721Receiver(address(timelock));
        IERC1155Receiver multi = IERC1155Receiver(address(timelock));
        bytes4 answer = single.onERC721Received(from, from, id, data);
        assertEq(bytes32(answer), bytes32(IERC721Receiver.onERC721Received.selector), "721");
        answer = multi.onERC1155Received(from, from, id, id, data);
        assertEq(bytes32(answer), bytes32(IERC1155Receiver.onERC1155Received.selector), "1155");
        answer = multi.onERC1155BatchReceived(from, from, new uint256[](1), new uint256[](1), data);
        assertEq(bytes32(answer), bytes32(IERC1155Receiver.onERC1155BatchReceived.selector), "a batch of 1155");
    }

    /* HELPERS */

    function schedule(address caller, bytes32 salt, uint256 delay, bool many) private returns (bool success) {
        bytes memory one = abi.encodeCall(timelock.schedule, (targets[0], values[0], "", 0, salt, delay));
        bytes memory batch = abi.encodeCall(timelock.scheduleBatch, (targets, values, payloads, 0, salt, delay));
        vm.prank(caller);
        (success,) = address(timelock).call(many ? batch : one);
    }

    function execute(address caller, bytes32 salt, bool many) private returns (bool success) {
        bytes memory one = abi.encodeCall(timelock.execute, (targets[0], values[0], "", 0, salt));
        bytes memory batch = abi.encodeCall(timelock.executeBatch, (targets, values, payloads, 0, salt));
        vm.prank(caller);
        (success,) = address(timelock).call(many ? batch : one);
    }
}
