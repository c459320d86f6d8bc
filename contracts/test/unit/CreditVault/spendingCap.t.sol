// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {ContractAccount} from "../../utils/Receivers.sol";
import {Rows} from "../../utils/Rows.sol";

contract SpendingCapTest is Fixture {
    bytes32 private constant CAP_TYPEHASH =
        keccak256("SpendingCap(address account,address asset,uint256 cumulativeCap,uint64 expiresAt,uint256 nonce)");
    /// @dev Order of the curve, to malleate signatures.
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    uint64 private soon;

    function setUp() public override {
        super.setUp();
        soon = uint64(block.timestamp + 1 days);
        fundHeu(developer, 100e18);
    }

    /* SIGNATURES */

    function test_TakesTheAccountsSignatureFromAnyone() public {
        bytes memory signed = sign(developerKey, capDigest(developer, 10e18, soon, 1));

        vm.expectEmit();
        emit Events.SpendingCapSet(developer, address(heu), 10e18, soon, 1);
        vm.prank(stranger);
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);

        assertEq(vault.debitable(developer, address(heu)), 10e18, "debitable");
        assertEq(vault.capOf(developer, address(heu)).nonce, 1, "nonce");
    }

    function test_TakesAContractAccountsSignature() public {
        ContractAccount account = new ContractAccount();
        fundHeu(address(account), 5e18);
        account.approve(capDigest(address(account), 5e18, soon, 1));

        vault.setSpendingCapBySig(address(account), address(heu), 5e18, soon, 1, "");

        assertEq(vault.debitable(address(account), address(heu)), 5e18, "debitable");
    }

    function test_RevertWhen_ContractAccountRefusesOrBreaks() public {
        ContractAccount account = new ContractAccount();
        expectBadSignature(address(account));
        vault.setSpendingCapBySig(address(account), address(heu), 5e18, soon, 1, "");

        account.approve(capDigest(address(account), 5e18, soon, 1));
        account.breakDown();
        expectBadSignature(address(account));
        vault.setSpendingCapBySig(address(account), address(heu), 5e18, soon, 1, "");
    }

    function test_RevertWhen_SignerIsAnother() public {
        bytes memory signed = sign(makeKey("stranger"), capDigest(developer, 10e18, soon, 1));

        expectBadSignature(developer);
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);
    }

    function testFuzz_RevertWhen_AnyFieldDiffers(uint256 field, uint256 by) public {
        by = bound(by, 1, 1e6);
        field = bound(field, 0, 3);
        bytes memory signed = sign(developerKey, capDigest(developer, 10e18, soon, 1));

        expectBadSignature(developer);
        vault.setSpendingCapBySig(
            developer,
            field == 0 ? address(usd) : address(heu),
            field == 1 ? 10e18 + by : 10e18,
            field == 2 ? soon + uint64(by) : soon,
            field == 3 ? 1 + by : 1,
            signed
        );
    }

    function test_RevertWhen_SignedForAnotherChain() public {
        bytes memory signed = sign(developerKey, capDigest(developer, 10e18, soon, 1));
        vm.chainId(1);

        expectBadSignature(developer);
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);
    }

    function test_RevertWhen_SignedForAnotherContract() public {
        bytes32 structHash =
            keccak256(abi.encode(CAP_TYPEHASH, developer, address(heu), uint256(10e18), soon, uint256(1)));
        bytes memory signed =
            sign(developerKey, typedDigest(domainOf("Heurist CreditVault", address(settlement)), structHash));

        expectBadSignature(developer);
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);
    }

    function test_RevertWhen_SignatureIsMalleated() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, capDigest(developer, 10e18, soon, 1));
        bytes memory malleated = abi.encodePacked(r, bytes32(N - uint256(s)), v == 27 ? uint8(28) : uint8(27));

        expectBadSignature(developer);
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, malleated);
    }

    function testFuzz_RevertWhen_SignatureIsGarbage(bytes calldata garbage) public {
        expectBadSignature(developer);
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, garbage);
    }

    function test_RevertWhen_AccountIsZero() public {
        expectBadSignature(address(0));
        vault.setSpendingCapBySig(address(0), address(heu), 10e18, soon, 1, new bytes(65));
    }

    function test_RevertWhen_SignatureIsReplayed() public {
        bytes memory signed = sign(developerKey, capDigest(developer, 10e18, soon, 1));
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_StaleCapNonce.selector, 1, 1));
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);
    }

    function test_RevertWhen_SignatureComesAfterItsExpiry() public {
        bytes memory signed = sign(developerKey, capDigest(developer, 10e18, soon, 1));
        vm.warp(soon);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapExpired.selector, developer, heu, soon));
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 1, signed);
    }

    /* RAISING */

    function test_RaisesALiveCap() public {
        setCap(10e18, soon, 1);
        setCap(30e18, soon + 1, 2);

        assertEq(vault.debitable(developer, address(heu)), 30e18, "debitable");
    }

    function testFuzz_CountsWhatWasSpent(uint96 first, uint96 spend, uint96 second) public {
        uint256 cap = bound(first, 1, 100e18);
        uint256 amount = bound(spend, 1, cap);
        uint256 raised = bound(second, cap, 200e18);
        setCap(cap, soon, 1);
        payNode(node, amount);
        setCap(raised, soon, 2);

        assertEq(vault.accountOf(developer, address(heu)).capRemaining, raised - amount, "remaining");
        assertEq(vault.spent(developer, address(heu)), amount, "spent");
    }

    function test_RevertWhen_LiveCapIsLowered() public {
        setCap(10e18, soon, 1);

        vm.startPrank(developer);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapLowered.selector, developer, heu));
        vault.setSpendingCap(address(heu), 10e18 - 1, soon, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapLowered.selector, developer, heu));
        vault.setSpendingCap(address(heu), 10e18, soon - 1, 2);
        vm.stopPrank();
    }

    function test_LowersAnExpiredCap() public {
        setCap(10e18, soon, 1);
        payNode(node, 4e18);
        vm.warp(soon);
        setCap(5e18, soon + 1, 2);

        assertEq(vault.debitable(developer, address(heu)), 1e18, "what was spent still counts");
    }

    function test_RevertWhen_CapIsBelowWhatWasSpent() public {
        setCap(10e18, soon, 1);
        payNode(node, 4e18);
        vm.warp(soon);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapLowered.selector, developer, heu));
        setCap(4e18 - 1, soon + 1, 2);
    }

    function test_RevertWhen_CapDoesNotFit96Bits() public {
        vm.expectRevert();
        setCap(uint256(type(uint96).max) + 1, soon, 1);
    }

    function test_RevertWhen_AssetIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_UnknownAsset.selector, stranger));
        vm.prank(developer);
        vault.setSpendingCap(stranger, 1, soon, 1);
    }

    /* REVOKING */

    function test_RevokingEndsTheCapAfterTheDelay() public {
        setCap(10e18, soon, 1);
        uint64 endsAt = uint64(block.timestamp + WITHDRAWAL_DELAY);

        vm.expectEmit();
        emit Events.SpendingCapRevoked(developer, address(heu), endsAt, 2);
        revoke(2);

        vm.warp(endsAt - 1);
        payNode(node, 1e18);
        vm.warp(endsAt);
        assertEq(vault.debitable(developer, address(heu)), 0, "ended");
    }

    function test_RevokingNeverProlongsACap() public {
        uint64 verySoon = uint64(block.timestamp + 1);
        setCap(10e18, verySoon, 1);
        revoke(2);

        assertEq(vault.accountOf(developer, address(heu)).capExpiresAt, verySoon, "expiry");
    }

    function test_RevokingVoidsSignaturesUpToItsNonce() public {
        bytes memory signed = sign(developerKey, capDigest(developer, 10e18, soon, 5));
        revoke(5);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_StaleCapNonce.selector, 5, 5));
        vault.setSpendingCapBySig(developer, address(heu), 10e18, soon, 5, signed);
    }

    function test_RevertWhen_RevokingWithAStaleNonce() public {
        setCap(10e18, soon, 3);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_StaleCapNonce.selector, 3, 3));
        revoke(3);
    }

    /* HELPERS */

    function setCap(uint256 cap, uint64 expiresAt, uint256 nonce) private {
        vm.prank(developer);
        vault.setSpendingCap(address(heu), cap, expiresAt, nonce);
    }

    function revoke(uint256 nonce) private {
        vm.prank(developer);
        vault.revokeSpendingCap(address(heu), nonce);
    }

    function sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        return signature(key, digest);
    }

    function expectBadSignature(address account) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_BadCapSignature.selector, account));
    }

    function capDigest(address account, uint256 cap, uint64 expiresAt, uint256 nonce) private view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(CAP_TYPEHASH, account, address(heu), cap, expiresAt, nonce));
        return typedDigest(domainOf("Heurist CreditVault", address(vault)), structHash);
    }
}
