// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IAuthorizedToken} from "../../utils/Interfaces.sol";

contract DepositTest is Fixture {
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    /* REFUSED */

    function test_RevertWhen_AssetIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnknownAsset.selector, stranger));
        vault.deposit(stranger, 1e18, developer);
    }

    function test_RevertWhen_AmountIsZero() public {
        vm.expectRevert(Errors.CreditVault_ZeroAmount.selector);
        vault.depositHeu(developer);
    }

    function test_RevertWhen_AccountIsZero() public {
        vm.deal(address(this), 1e18);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        vault.depositHeu{value: 1e18}(address(0));
    }

    function test_RevertWhen_DepositIsWorthNoCredit() public {
        // 0.05 USD a HEU and 20 % more: one nano-credit costs about 0.17e9 wei.
        vm.deal(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_DepositTooSmall.selector, heu, 1));
        vault.depositHeu{value: 1}(developer);
    }

    function test_RevertWhen_VaultWouldHold96BitsOrMore() public {
        uint256 tooMuch = uint256(type(uint96).max) + 1;
        vm.deal(address(this), tooMuch);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, tooMuch, 0, uint256(type(uint96).max))
        );
        vault.depositHeu{value: tooMuch}(developer);
    }

    function test_RevertWhen_NativeHeuComesWithoutACall() public {
        vm.deal(address(this), 1e18);
        (bool success, bytes memory reason) = address(vault).call{value: 1e18}("");
        assertFalse(success, "refused");
        assertEq(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(Errors.CreditVault_UseDepositHeu.selector, address(this))),
            "reason"
        );
    }

    function test_RevertWhen_TokensAreNotApproved() public {
        usd.mint(address(this), 5e6);
        vm.expectRevert();
        vault.deposit(address(usd), 5e6, developer);
        assertEq(vault.accountOf(developer, address(usd)).balance, 0, "nothing recorded");
    }

    /* CREDITS */

    function test_GivesHundredCreditsForADollar() public {
        usd.mint(address(this), 1e6);
        usd.approve(address(vault), 1e6);

        vm.expectEmit();
        emit Events.Deposited(developer, address(usd), 1e6, 100e9, 1);
        assertEq(vault.deposit(address(usd), 1e6, developer), 100e9, "nano-credits");
    }

    function test_GivesTwentyPercentMoreForHeu() public {
        vm.deal(address(this), 20e18);

        // 20 HEU at 0.05 USD are 1 USD.
        vm.expectEmit();
        emit Events.Deposited(developer, address(heu), 20e18, 120e9, 1);
        assertEq(vault.depositHeu{value: 20e18}(developer), 120e9, "nano-credits");
    }

    function test_NumbersLots() public {
        fundHeu(developer, 1e18);
        fundUsd(developer, 1e6);

        assertEq(vault.lotCount(), 2, "lots");
    }

    function testFuzz_RoundsCreditsDown(uint256 amount, uint256 priceWad, uint16 bonusBps) public {
        amount = bound(amount, 1e9, type(uint96).max);
        priceWad = bound(priceWad, 1e14, 1e22);
        bonusBps = uint16(bound(bonusBps, 0, 5000));
        vm.startPrank(owner);
        vault.setHeuPriceUsdWad(priceWad);
        vault.setHeuBonusBps(bonusBps);
        vm.stopPrank();

        uint256 credits = vault.quoteCredits(address(heu), amount);
        // USD = amount * price / 1e36, 100e9 nano-credits each, bonus in 1e4ths.
        uint256 product = amount * priceWad * (10_000 + uint256(bonusBps)) * 100e9;
        assertLe(credits * 1e40, product, "not more");
        assertTrue((credits + 1) * 1e40 > product, "not less by one");
    }

    /* MONEY */

    function test_HoldsWrappedHeuAsNativeHeu() public {
        vm.deal(developer, 3e18);
        vm.startPrank(developer);
        heu.deposit{value: 3e18}();
        heu.approve(address(vault), 3e18);
        vault.deposit(address(heu), 3e18, stranger);
        vm.stopPrank();

        assertEq(address(vault).balance, 3e18, "native");
        assertEq(heu.balanceOf(address(vault)), 0, "wrapped");
        assertEq(vault.accountOf(stranger, address(heu)).balance, 3e18, "for another account");
        assertEq(vault.accountOf(developer, address(heu)).balance, 0, "not for the payer");
    }

    function testFuzz_AddsUpDeposits(uint96 first, uint96 second) public {
        uint256 a = bound(first, 1e9, 1e27);
        uint256 b = bound(second, 1e9, 1e27);
        fundHeu(developer, a);
        fundHeu(developer, b);

        assertEq(vault.accountOf(developer, address(heu)).balance, a + b, "balance");
        assertEq(address(vault).balance, a + b, "held");
    }

    function testFuzz_KeepsTheCapAcrossDeposits(uint96 cumulativeCap, uint64 lifeSeconds) public {
        uint256 cap = bound(cumulativeCap, 1, type(uint96).max);
        uint64 expiresAt = uint64(block.timestamp + bound(lifeSeconds, 1, 1e9));
        vm.prank(developer);
        vault.setSpendingCap(address(heu), cap, expiresAt, 1);
        fundHeu(developer, 5e18);

        assertEq(vault.accountOf(developer, address(heu)).capRemaining, cap, "cap");
        assertEq(vault.accountOf(developer, address(heu)).capExpiresAt, expiresAt, "expiry");
    }

    /* AUTHORISATIONS */

    function test_DepositsUsdByAuthorization() public {
        usd.mint(developer, 7e6);
        bytes memory signed = authorize(usd, 7e6, "n1");

        vm.prank(stranger);
        vault.depositWithAuthorization(address(usd), developer, 7e6, 0, FAR_FUTURE, "n1", signed);

        assertEq(vault.accountOf(developer, address(usd)).balance, 7e6, "the signer's");
        assertEq(usd.balanceOf(address(vault)), 7e6, "held");
    }

    function test_DepositsWrappedHeuByAuthorization() public {
        vm.deal(developer, 7e18);
        vm.prank(developer);
        heu.deposit{value: 7e18}();
        bytes memory signed = authorize(heu, 7e18, "n1");

        vault.depositWithAuthorization(address(heu), developer, 7e18, 0, FAR_FUTURE, "n1", signed);

        assertEq(vault.accountOf(developer, address(heu)).balance, 7e18, "the signer's");
        assertEq(address(vault).balance, 7e18, "held as native");
    }

    function test_RevertWhen_AuthorizationIsReplayed() public {
        usd.mint(developer, 7e6);
        bytes memory signed = authorize(usd, 3e6, "n1");
        vault.depositWithAuthorization(address(usd), developer, 3e6, 0, FAR_FUTURE, "n1", signed);

        vm.expectRevert(
            abi.encodeWithSelector(IAuthorizedToken.ERC3009UsedAuthorization.selector, developer, bytes32("n1"))
        );
        vault.depositWithAuthorization(address(usd), developer, 3e6, 0, FAR_FUTURE, "n1", signed);
    }

    function test_RevertWhen_AuthorizationIsForAnotherAmount() public {
        usd.mint(developer, 7e6);
        bytes memory signed = authorize(usd, 3e6, "n1");

        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        vault.depositWithAuthorization(address(usd), developer, 4e6, 0, FAR_FUTURE, "n1", signed);
    }

    function test_RevertWhen_SomebodyElseUsesTheVaultsAuthorization() public {
        usd.mint(developer, 7e6);
        bytes memory signed = authorize(usd, 3e6, "n1");

        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC20InvalidReceiver.selector, vault));
        vm.prank(stranger);
        usd.receiveWithAuthorization(developer, address(vault), 3e6, 0, FAR_FUTURE, "n1", signed);
    }

    function authorize(IAuthorizedToken token, uint256 amount, bytes32 nonce) private view returns (bytes memory) {
        bytes32 structHash =
            keccak256(abi.encode(RECEIVE_TYPEHASH, developer, vault, amount, uint256(0), uint256(FAR_FUTURE), nonce));
        return signature(developerKey, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
