// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";

contract WithdrawalTest is Fixture {
    function setUp() public override {
        super.setUp();
        fundAndCap(developer, 100e18, 100e6);
    }

    /* REQUEST */

    function test_RevertWhen_RequestExceedsTheBalance() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.CreditVault_InsufficientBalance.selector, developer, heu, uint256(100e18), uint256(100e18) + 1
            )
        );
        request(100e18 + 1);
    }

    function test_RevertWhen_RequestIsZero() public {
        vm.expectRevert(Errors.CreditVault_ZeroAmount.selector);
        request(0);
    }

    function test_RequestFixesAmountAndTime() public {
        uint64 executableAt = uint64(block.timestamp + WITHDRAWAL_DELAY);

        vm.expectEmit();
        emit Events.WithdrawalRequested(developer, address(heu), 40e18, executableAt);
        request(40e18);

        assertEq(vault.withdrawalOf(developer, address(heu)).amount, 40e18, "amount");
        assertEq(vault.withdrawalOf(developer, address(heu)).executableAt, executableAt, "time");
        assertEq(vault.accountOf(developer, address(heu)).balance, 100e18, "still there");
    }

    function test_RequestReplacesTheLastOne() public {
        request(40e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY - 1);
        request(10e18);
        vm.warp(block.timestamp + 1);

        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.CreditVault_WithdrawalNotReady.selector, uint64(block.timestamp + WITHDRAWAL_DELAY - 1)
            )
        );
        execute(developer);
    }

    function test_ALaterDelayDoesNotTouchAWaitingRequest() public {
        request(40e18);
        vm.prank(owner);
        vault.setWithdrawalDelay(30 days);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        assertEq(execute(developer), 40e18, "paid");
    }

    /* EXECUTE */

    function test_RevertWhen_NothingWasRequested() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NoWithdrawal.selector, developer, heu));
        execute(developer);
    }

    function test_RevertWhen_DelayHasNotPassed() public {
        request(40e18);
        uint64 executableAt = uint64(block.timestamp + WITHDRAWAL_DELAY);
        vm.warp(executableAt - 1);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_WithdrawalNotReady.selector, executableAt));
        execute(developer);
    }

    function test_RevertWhen_ExecutedTwice() public {
        request(40e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        execute(developer);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NoWithdrawal.selector, developer, heu));
        execute(developer);
    }

    function test_RevertWhen_ReceiverIsZero() public {
        request(40e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        execute(address(0));
    }

    function test_RevertWhen_ReceiverRefuses() public {
        address receiver = address(new RevertingReceiver());
        request(40e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, receiver));
        execute(receiver);
        assertEq(execute(stranger), 40e18, "another receiver takes it");
    }

    function test_PaysNativeHeuToTheReceiver() public {
        request(40e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        vm.expectEmit();
        emit Events.Withdrawn(developer, address(heu), stranger, 40e18);
        execute(stranger);

        assertEq(stranger.balance, 40e18, "received");
        assertEq(vault.accountOf(developer, address(heu)).balance, 60e18, "rest");
    }

    function test_PaysUsdToTheReceiver() public {
        vm.startPrank(developer);
        vault.requestWithdrawal(address(usd), 100e6);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        vault.executeWithdrawal(address(usd), stranger);
        vm.stopPrank();

        assertEq(usd.balanceOf(stranger), 100e6, "received");
    }

    function testFuzz_PaysWhatDebitsLeft(uint96 requested, uint96 debited) public {
        uint256 amount = bound(requested, 1, 100e18);
        uint256 spent = bound(debited, 1, 100e18);
        request(amount);
        payNode(node, spent);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        uint256 left = 100e18 - spent;

        uint256 paid = execute(stranger);

        assertEq(paid, amount < left ? amount : left, "the lesser");
        assertEq(vault.accountOf(developer, address(heu)).balance, left - paid, "rest");
        assertEq(address(vault).balance, left - paid + spent, "solvent");
    }

    function test_WorksWithoutOwnerAndSequencer() public {
        vm.prank(owner);
        (bool renounced,) = address(vault).call(abi.encodeWithSignature("renounceOwnership()"));
        assertTrue(renounced, "nobody is left");
        request(100e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        assertEq(execute(developer), 100e18, "all of it");
    }

    function test_ReentryFindsNothing() public {
        Reentrant thief = new Reentrant();
        fundHeu(address(thief), 10e18);
        thief.run(address(vault), abi.encodeCall(vault.requestWithdrawal, (address(heu), 10e18)));
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        bytes memory again = abi.encodeCall(vault.executeWithdrawal, (address(heu), address(thief)));
        thief.arm(address(vault), again);

        assertTrue(thief.run(address(vault), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, 10e18, "only its own");
    }

    /* CANCEL */

    function test_CancelDropsTheRequest() public {
        request(40e18);
        vm.expectEmit();
        emit Events.WithdrawalCancelled(developer, address(heu));
        vm.prank(developer);
        vault.cancelWithdrawal(address(heu));
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NoWithdrawal.selector, developer, heu));
        execute(developer);
    }

    function test_RevertWhen_ThereIsNothingToCancel() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NoWithdrawal.selector, developer, heu));
        vm.prank(developer);
        vault.cancelWithdrawal(address(heu));
    }

    /* HELPERS */

    function request(uint256 amount) private {
        vm.prank(developer);
        vault.requestWithdrawal(address(heu), amount);
    }

    function execute(address receiver) private returns (uint256) {
        vm.prank(developer);
        return vault.executeWithdrawal(address(heu), receiver);
    }
}
