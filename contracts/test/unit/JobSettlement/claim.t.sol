// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Escrow} from "../../../src/interfaces/IJobSettlement.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {GasBurner, Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";
import {Rows} from "../../utils/Rows.sol";

contract ClaimTest is Fixture {
    uint256 private start;

    function setUp() public override {
        super.setUp();
        fundAndCap(developer, 1000e18, 1000e6);
        start = block.timestamp;
    }

    /* WINDOW */

    function test_RevertWhen_NothingWasEarned() public {
        expectNothing(node);
        claim(node);
    }

    function test_RevertWhen_WindowIsOpen() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW - 1);

        assertEq(settlement.claimableOf(node, address(heu)), 0, "claimable");
        assertEq(settlement.pendingOf(node, address(heu)), 10e18, "pending");
        expectNothing(node);
        claim(node);
    }

    function test_PaysAfterTheWindow() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);

        assertEq(settlement.claimableOf(node, address(heu)), 10e18, "claimable");
        vm.expectEmit();
        emit Events.Claimed(node, address(heu), node, 10e18);
        assertEq(claim(node), 10e18, "amount");
        assertEq(node.balance, 10e18, "received");
        assertEq(vault.reserveOf(address(heu)), 0, "reserve");
        assertEq(settlement.pendingOf(node, address(heu)), 0, "pending");
    }

    function test_RevertWhen_ClaimedTwice() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);
        claim(node);

        expectNothing(node);
        claim(node);
    }

    /// @dev A node that earns in every window is paid in every window: a new credit never delays an old one.
    function test_SteadyEarnerIsNeverStarved() public {
        uint256 claimed;
        for (uint256 i; i < 10; ++i) {
            payNode(node, 1e18);
            vm.warp(block.timestamp + WINDOW / 2);
            payNode(node, 1e18);
            vm.warp(block.timestamp + WINDOW / 2);
            if (settlement.claimableOf(node, address(heu)) != 0) claimed += claim(node);
        }

        assertGe(claimed, 16e18, "all but the last two windows");
        vm.warp(block.timestamp + 2 * WINDOW);
        assertEq(claimed + claim(node), 20e18, "each credit once");
        expectNothing(node);
        claim(node);
    }

    /// @dev Once old credits were set aside, claiming them twice must not pay twice.
    function test_RevertWhen_SetAsideCreditsAreClaimedTwice() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);
        payNode(node, 1e18);
        assertEq(settlement.escrowOf(node, address(heu)).claimable, 10e18, "set aside");
        claim(node);

        expectNothing(node);
        claim(node);
        assertEq(settlement.pendingOf(node, address(heu)), 1e18, "the new one waits");
    }

    /// @dev Whatever the times, each credit waits at least one window and at most two.
    function testFuzz_EachCreditWaitsOneToTwoWindows(uint256[6] memory gaps, uint256[6] memory amounts) public {
        uint256[6] memory times;
        for (uint256 i; i < 6; ++i) {
            vm.warp(block.timestamp + bound(gaps[i], 0, 2 * WINDOW));
            amounts[i] = bound(amounts[i], 1, 100e18);
            times[i] = block.timestamp;
            payNode(node, amounts[i]);
            checkMaturity(times, amounts, i + 1);
        }
        for (uint256 i; i < 8; ++i) {
            vm.warp(block.timestamp + WINDOW / 3);
            checkMaturity(times, amounts, 6);
        }
    }

    function checkMaturity(uint256[6] memory times, uint256[6] memory amounts, uint256 count) private view {
        uint256 atLeast;
        uint256 atMost;
        for (uint256 i; i < count; ++i) {
            if (block.timestamp >= times[i] + 2 * WINDOW) atLeast += amounts[i];
            if (block.timestamp >= times[i] + WINDOW) atMost += amounts[i];
        }
        uint256 claimable = settlement.claimableOf(node, address(heu));
        assertGe(claimable, atLeast, "two windows are enough");
        assertLe(claimable, atMost, "one window is needed");
    }

    function test_ShowsTheStoredBuckets() public {
        payNode(node, 1e18);
        vm.warp(start + WINDOW);
        payNode(node, 2e18);
        Escrow memory escrow = settlement.escrowOf(node, address(heu));
        assertEq(escrow.newest, 2e18, "newest");
        assertEq(escrow.maturing, 1e18, "maturing");
        assertEq(escrow.openedAt, start + WINDOW, "opened");
        assertEq(escrow.claimable, 0, "claimable");

        vm.warp(start + 2 * WINDOW);
        payNode(node, 4e18);
        escrow = settlement.escrowOf(node, address(heu));
        assertEq(escrow.newest, 4e18, "newest");
        assertEq(escrow.maturing, 2e18, "maturing");
        assertEq(escrow.claimable, 1e18, "claimable");
    }

    /* WHO AND WHERE TO */

    function test_SendsToTheReceiverOfTheAccountsChoice() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);
        vm.prank(node);
        settlement.claim(address(heu), stranger);

        assertEq(stranger.balance, 10e18, "received");
    }

    function test_AnyoneCanClaimForAnAccountToItself() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);
        vm.prank(stranger);
        settlement.claimFor(node, address(heu));

        assertEq(node.balance, 10e18, "the account's");
        assertEq(stranger.balance, 0, "not the caller's");
    }

    function test_RevertWhen_ClaimingAnothersEarnings() public {
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);

        expectNothing(stranger);
        claim(stranger);
    }

    function test_RevertWhen_AssetIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnknownAsset.selector, stranger));
        settlement.claimFor(node, stranger);
    }

    function test_ClaimsEachAssetByItself() public {
        settle(
            Rows.list(Rows.debit(developer, Rows.HEU, 10e18), Rows.debit(developer, Rows.USD, 7e6)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 10e18), Rows.credit(node, Rows.NODE, Rows.USD, 7e6))
        );
        vm.warp(start + 2 * WINDOW);
        settlement.claimFor(node, address(usd));

        assertEq(usd.balanceOf(node), 7e6, "USD");
        assertEq(node.balance, 0, "HEU waits");
        assertEq(settlement.claimableOf(node, address(heu)), 10e18, "HEU claimable");
    }

    /* HOSTILE RECEIVERS */

    function test_ARefusingRecipientBlocksOnlyItself() public {
        address refusing = address(new RevertingReceiver());
        address burning = address(new GasBurner());
        uint256[] memory credits = new uint256[](3);
        credits[0] = Rows.credit(refusing, Rows.NODE, Rows.HEU, 1e18);
        credits[1] = Rows.credit(burning, Rows.NODE, Rows.HEU, 1e18);
        credits[2] = Rows.credit(node, Rows.NODE, Rows.HEU, 1e18);
        settle(Rows.list(Rows.debit(developer, Rows.HEU, 3e18)), Rows.sort(credits));
        vm.warp(start + 2 * WINDOW);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, refusing));
        settlement.claimFor(refusing, address(heu));
        (bool success,) =
            address(settlement).call{gas: 300_000}(abi.encodeCall(settlement.claimFor, (burning, address(heu))));
        assertFalse(success, "burner");
        settlement.claimFor(node, address(heu));

        assertEq(node.balance, 1e18, "the honest one is paid");
        assertEq(settlement.claimableOf(refusing, address(heu)), 1e18, "its money waits");
        assertEq(vault.reserveOf(address(heu)), 2e18, "in the reserve");
    }

    function test_ReentryFindsNothing() public {
        Reentrant thief = new Reentrant();
        payNode(address(thief), 10e18);
        payNode(node, 10e18);
        vm.warp(start + 2 * WINDOW);
        bytes memory again = abi.encodeCall(settlement.claim, (address(heu), address(thief)));
        thief.arm(address(settlement), again);

        assertTrue(thief.run(address(settlement), again), "first call");
        assertEq(thief.tries(), 1, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, 10e18, "only its own");
    }

    /* HELPERS */

    function claim(address account) private returns (uint256) {
        vm.prank(account);
        return settlement.claim(address(heu), account);
    }

    function expectNothing(address account) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_NothingToClaim.selector, account, heu));
    }
}
