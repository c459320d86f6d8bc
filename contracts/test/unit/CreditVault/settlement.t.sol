// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {Rows} from "../../utils/Rows.sol";

contract VaultSettlementTest is Fixture {
    function setUp() public override {
        super.setUp();
        fundAndCap(developer, 100e18, 100e6);
    }

    /* DEBIT */

    function test_RevertWhen_DebitedByAnybodyElse() public {
        uint256[] memory rows = Rows.list(Rows.debit(developer, Rows.HEU, 1e18));
        address[3] memory callers = [stranger, owner, sequencer];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NotSettlement.selector, callers[i]));
            vm.prank(callers[i]);
            vault.debit(rows);
        }
    }

    function test_RevertWhen_DebitsAreUnsorted() public {
        (uint256 low, uint256 high) = (Rows.debit(developer, Rows.HEU, 1), Rows.debit(developer, Rows.USD, 1));

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnsortedDebits.selector, 1));
        debit(Rows.list(high, low));
    }

    function test_RevertWhen_DebitIsDoubled() public {
        uint256[] memory rows = Rows.list(Rows.debit(developer, Rows.HEU, 1), Rows.debit(developer, Rows.HEU, 2));

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnsortedDebits.selector, 1));
        debit(rows);
    }

    function testFuzz_RevertWhen_TagIsNoAsset(uint8 tag) public {
        vm.assume(tag > 1);
        uint256 row = (uint256(uint160(developer)) << 96) | (uint256(tag) << 88) | 1;

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_BadRow.selector, 0, tag));
        debit(Rows.list(row));
    }

    function test_RevertWhen_DebitExceedsTheBalance() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.CreditVault_InsufficientBalance.selector, developer, usd, uint256(100e6), uint256(100e6) + 1
            )
        );
        debit(Rows.list(Rows.debit(developer, Rows.USD, 100e6 + 1)));
    }

    function test_RevertWhen_DebitExceedsTheCap() public {
        fundHeu(stranger, 10e18);
        vm.prank(stranger);
        vault.setSpendingCap(address(heu), 4e18, FAR_FUTURE, 1);

        vm.expectRevert(
            abi.encodeWithSelector(Errors.CreditVault_OverCap.selector, stranger, heu, uint256(4e18), uint256(4e18) + 1)
        );
        debit(Rows.list(Rows.debit(stranger, Rows.HEU, 4e18 + 1)));
    }

    function test_RevertWhen_NoCapWasEverSet() public {
        fundHeu(stranger, 10e18);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapExpired.selector, stranger, heu, uint64(0)));
        debit(Rows.list(Rows.debit(stranger, Rows.HEU, 1)));
    }

    function test_RevertWhen_CapHasExpired() public {
        fundHeu(stranger, 10e18);
        uint64 expiresAt = uint64(block.timestamp + 1 hours);
        vm.prank(stranger);
        vault.setSpendingCap(address(heu), 4e18, expiresAt, 1);
        vm.warp(expiresAt);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapExpired.selector, stranger, heu, expiresAt));
        debit(Rows.list(Rows.debit(stranger, Rows.HEU, 1)));
    }

    function testFuzz_MovesRowsIntoTheReserve(uint96 heuAmount, uint96 usdAmount) public {
        uint256 a = bound(heuAmount, 0, 100e18);
        uint256 b = bound(usdAmount, 0, 100e6);
        vm.prank(address(settlement));
        (uint256 heuTotal, uint256 usdTotal) =
            vault.debit(Rows.list(Rows.debit(developer, Rows.HEU, a), Rows.debit(developer, Rows.USD, b)));

        assertEq(heuTotal, a, "HEU total");
        assertEq(usdTotal, b, "USD total");
        assertEq(vault.reserveOf(address(heu)), a, "HEU reserve");
        assertEq(vault.reserveOf(address(usd)), b, "USD reserve");
        assertEq(vault.accountOf(developer, address(heu)).balance, 100e18 - a, "HEU balance");
        assertEq(vault.accountOf(developer, address(usd)).balance, 100e6 - b, "USD balance");
        assertEq(vault.spent(developer, address(heu)), a, "HEU spent");
    }

    /* PAY */

    function test_RevertWhen_PaidByAnybodyElse() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NotSettlement.selector, owner));
        vm.prank(owner);
        vault.pay(address(heu), owner, 1);
    }

    function testFuzz_RevertWhen_PaymentExceedsTheReserve(uint96 debited, uint256 excess) public {
        uint256 reserve = bound(debited, 1, 100e18);
        excess = bound(excess, 1, type(uint256).max - reserve);
        debit(Rows.list(Rows.debit(developer, Rows.HEU, reserve)));

        vm.expectRevert(
            abi.encodeWithSelector(Errors.CreditVault_ReserveExceeded.selector, heu, reserve, reserve + excess)
        );
        vm.prank(address(settlement));
        vault.pay(address(heu), stranger, reserve + excess);
    }

    function test_PaysOutOfTheReserveAlone() public {
        debit(Rows.list(Rows.debit(developer, Rows.HEU, 30e18), Rows.debit(developer, Rows.USD, 20e6)));

        vm.startPrank(address(settlement));
        vault.pay(address(heu), stranger, 10e18);
        vault.pay(address(usd), stranger, 5e6);
        vm.stopPrank();

        assertEq(stranger.balance, 10e18, "HEU paid");
        assertEq(usd.balanceOf(stranger), 5e6, "USD paid");
        assertEq(vault.reserveOf(address(heu)), 20e18, "HEU reserve");
        assertEq(vault.reserveOf(address(usd)), 15e6, "USD reserve");
        assertEq(vault.accountOf(developer, address(heu)).balance, 70e18, "balances untouched");
    }

    /* WIRING AND PARAMETERS */

    function test_RevertWhen_SettlementIsSetTwice() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_SettlementAlreadySet.selector, address(settlement)));
        vm.prank(owner);
        vault.setSettlement(stranger);
    }

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes[4] memory calls = [
            abi.encodeCall(vault.setSettlement, (stranger)),
            abi.encodeCall(vault.setHeuPriceUsdWad, (1e18)),
            abi.encodeCall(vault.setHeuBonusBps, (0)),
            abi.encodeCall(vault.setWithdrawalDelay, (1 days))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(vault).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger)),
                vm.toString(i)
            );
        }
    }

    function testFuzz_RevertWhen_PriceIsOutOfBounds(uint256 priceWad) public {
        vm.assume(priceWad < 1e14 || priceWad > 1e22);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, priceWad, 1e14, 1e22));
        vm.prank(owner);
        vault.setHeuPriceUsdWad(priceWad);
    }

    function testFuzz_RevertWhen_BonusIsOutOfBounds(uint16 bonusBps) public {
        vm.assume(bonusBps > 5000);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, bonusBps, 0, 5000));
        vm.prank(owner);
        vault.setHeuBonusBps(bonusBps);
    }

    function testFuzz_RevertWhen_DelayIsOutOfBounds(uint32 delaySeconds) public {
        vm.assume(delaySeconds < 1 minutes || delaySeconds > 30 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, delaySeconds, 1 minutes, 30 days));
        vm.prank(owner);
        vault.setWithdrawalDelay(delaySeconds);
    }

    function test_APriceChangeTouchesNoBalance() public {
        vm.prank(owner);
        vault.setHeuPriceUsdWad(1e22);

        assertEq(vault.accountOf(developer, address(heu)).balance, 100e18, "balance");
        assertEq(vault.debitable(developer, address(heu)), 100e18, "debitable");
    }

    function test_OwnershipMovesInTwoSteps() public {
        vm.prank(owner);
        vault.transferOwnership(stranger);
        assertEq(vault.owner(), owner, "not yet");
        vm.prank(stranger);
        vault.acceptOwnership();
        assertEq(vault.owner(), stranger, "accepted");
    }

    function test_NamesAssetsByNumberAndAddress() public {
        assertEq(vault.assetOf(0), address(heu), "0");
        assertEq(vault.assetOf(1), address(usd), "1");
        assertEq(vault.assetIdOf(address(heu)), 0, "HEU");
        assertEq(vault.assetIdOf(address(usd)), 1, "USD");
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnknownAssetId.selector, 2));
        vault.assetOf(2);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnknownAsset.selector, stranger));
        vault.assetIdOf(stranger);
    }

    function debit(uint256[] memory rows) private {
        vm.prank(address(settlement));
        vault.debit(rows);
    }
}
