// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Authorizations} from "../../utils/Authorizations.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IAuthorizedToken} from "../../utils/Interfaces.sol";

contract ConsentTest is Fixture, Authorizations {
    function testFuzz_AnAuthorisationDepositsWhatItSays(uint96 amount, bool inUsd, bytes32 nonce, address caller)
        public
    {
        amount = uint96(bound(amount, 1e9, inUsd ? 100_000e6 : 1e27));
        IAuthorizedToken token = give(amount, inUsd);
        bytes memory signed = sign(token, amount, nonce);
        vm.prank(caller);
        vault.depositWithAuthorization(address(token), developer, amount, 0, FAR_FUTURE, nonce, signed);

        assertEq(vault.accountOf(developer, address(token)).balance, amount, "the signer's");
        assertEq(token.balanceOf(developer), 0, "out of its tokens");
        assertEq(inUsd ? usd.balanceOf(address(vault)) : address(vault).balance, amount, "held");
        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC3009UsedAuthorization.selector, developer, nonce));
        vault.depositWithAuthorization(address(token), developer, amount, 0, FAR_FUTURE, nonce, signed);
    }

    function testFuzz_RevertWhen_ItSaysSomethingElse(uint96 amount, uint96 other, bool inUsd, uint8 field) public {
        amount = uint96(bound(amount, 1e9, inUsd ? 10_000e6 : 1e27));
        other = uint96(bound(other, amount + 1, 2 * uint256(amount)));
        IAuthorizedToken token = give(other, inUsd);
        bytes memory signed = sign(token, amount, "n");
        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        vault.depositWithAuthorization(
            address(token),
            developer,
            field % 3 == 0 ? other : amount,
            field % 3 == 1 ? 1 : 0,
            FAR_FUTURE,
            field % 3 == 2 ? bytes32("m") : bytes32("n"),
            signed
        );
        assertEq(vault.accountOf(developer, address(token)).balance, 0, "nothing");
    }

    function testFuzz_CancellingAWithdrawalMovesNothing(uint96 amount, uint32 later, bool inUsd) public {
        address asset = inUsd ? address(usd) : address(heu);
        amount = uint96(bound(amount, 1, inUsd ? 100e6 : 100e18));
        fundHeu(developer, 100e18);
        fundUsd(developer, 100e6);
        vm.startPrank(developer);
        vault.requestWithdrawal(asset, amount);
        vm.warp(block.timestamp + later);
        vault.cancelWithdrawal(asset);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_NoWithdrawal.selector, developer, asset));
        vault.executeWithdrawal(asset, developer);
        vm.stopPrank();

        assertEq(vault.accountOf(developer, asset).balance, inUsd ? 100e6 : 100e18, "all there");
        assertEq(developer.balance + usd.balanceOf(developer), 0, "nothing paid");
    }

    function testFuzz_RevertWhen_AnyoneElseCancelsOrExecutes(address caller, address receiver) public {
        vm.assume(caller != developer);
        fundHeu(developer, 100e18);
        vm.prank(developer);
        vault.requestWithdrawal(address(heu), 40e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        bytes memory none = abi.encodeWithSelector(Errors.CreditVault_NoWithdrawal.selector, caller, heu);
        vm.assume(receiver != address(0));
        vm.startPrank(caller);
        vm.expectRevert(none);
        vault.cancelWithdrawal(address(heu));
        vm.expectRevert(none);
        vault.executeWithdrawal(address(heu), receiver);
        vm.stopPrank();
        assertEq(vault.withdrawalOf(developer, address(heu)).amount, 40e18, "it waits");
    }

    function testFuzz_RevertWhen_AnyoneButSettlementMovesMoney(address caller, address to, uint256 amount) public {
        vm.assume(caller != address(settlement));
        bytes memory refused = abi.encodeWithSelector(Errors.CreditVault_NotSettlement.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        vault.debit(new uint256[](0));
        vm.expectRevert(refused);
        vault.pay(to, address(heu), amount);
        vm.stopPrank();
    }

    /* HELPERS */

    function give(uint256 amount, bool inUsd) private returns (IAuthorizedToken) {
        if (inUsd) {
            usd.mint(developer, amount);
            return usd;
        }
        vm.deal(address(this), amount);
        heu.depositFor{value: amount}(developer);
        return heu;
    }

    function sign(IAuthorizedToken token, uint256 amount, bytes32 nonce) private view returns (bytes memory) {
        Authorization memory said = Authorization(developer, address(vault), amount, 0, FAR_FUTURE, nonce);
        return signature(developerKey, receiveDigest(token.DOMAIN_SEPARATOR(), said));
    }
}
