// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "../../utils/Fixture.sol";
import {IAuthorizedToken} from "../../utils/Interfaces.sol";
import {ContractAccount} from "../../utils/Receivers.sol";

/// @notice EIP-3009 and EIP-2612 of `Erc3009`, on the stablecoin; WrappedHeu shares the code.
contract Erc3009Test is Fixture {
    string private constant FIELDS =
        "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private constant NONCE = keccak256("a random nonce");

    function setUp() public override {
        super.setUp();
        usd.mint(developer, 100e6);
    }

    /* TRANSFER */

    function test_TransfersByEitherForm() public {
        bytes32 second = keccak256("another");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, transferDigest(10e6, 0, FAR_FUTURE, NONCE));
        usd.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, v, r, s);
        bytes memory signed = signature(developerKey, transferDigest(5e6, 0, FAR_FUTURE, second));
        usd.transferWithAuthorization(developer, stranger, 5e6, 0, FAR_FUTURE, second, signed);

        assertEq(usd.balanceOf(stranger), 15e6, "received");
        assertTrue(usd.authorizationState(developer, NONCE), "first is used");
        assertTrue(usd.authorizationState(developer, second), "second is used");
    }

    function test_RevertWhen_UsedInTheOtherForm() public {
        bytes32 digest = transferDigest(10e6, 0, FAR_FUTURE, NONCE);
        bytes memory signed = signature(developerKey, digest);
        usd.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);

        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, digest);
        expectUsed();
        usd.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, v, r, s);
    }

    function test_TransfersFromAContractAccount() public {
        ContractAccount account = new ContractAccount();
        usd.mint(address(account), 10e6);
        account.approve(digestOf("TransferWithAuthorization", address(account), stranger, 10e6, 0, FAR_FUTURE, NONCE));
        usd.transferWithAuthorization(address(account), stranger, 10e6, 0, FAR_FUTURE, NONCE, "");

        assertEq(usd.balanceOf(stranger), 10e6, "received");
    }

    function testFuzz_RevertWhen_OutsideItsTime(uint64 after_, uint64 before_) public {
        vm.assume(!(after_ < block.timestamp && block.timestamp < before_));
        bytes memory signed = signature(developerKey, transferDigest(10e6, after_, before_, NONCE));

        vm.expectRevert(
            abi.encodeWithSelector(IAuthorizedToken.ERC3009InvalidAuthorizationTime.selector, after_, before_)
        );
        usd.transferWithAuthorization(developer, stranger, 10e6, after_, before_, NONCE, signed);
    }

    function test_RevertWhen_SignatureIsMalleated() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, transferDigest(10e6, 0, FAR_FUTURE, NONCE));
        bytes memory malleated = abi.encodePacked(r, bytes32(N - uint256(s)), v == 27 ? uint8(28) : uint8(27));

        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        usd.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, malleated);
    }

    function test_RevertWhen_SignedForAnotherChainOrToken() public {
        bytes memory signed = signature(developerKey, transferDigest(10e6, 0, FAR_FUTURE, NONCE));
        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        heu.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);

        vm.chainId(1);
        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        usd.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);
    }

    function testFuzz_RevertWhen_SignatureIsGarbage(bytes calldata garbage) public {
        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        usd.transferWithAuthorization(developer, stranger, 1, 0, FAR_FUTURE, NONCE, garbage);
    }

    /* RECEIVE */

    function test_OnlyTheReceiverCanReceive() public {
        bytes32 digest = digestOf("ReceiveWithAuthorization", developer, stranger, 10e6, 0, FAR_FUTURE, NONCE);
        bytes memory signed = signature(developerKey, digest);

        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC20InvalidReceiver.selector, stranger));
        vm.prank(node);
        usd.receiveWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);

        vm.prank(stranger);
        usd.receiveWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);
        assertEq(usd.balanceOf(stranger), 10e6, "received");
    }

    function test_RevertWhen_ATransferIsPresentedAsAReceipt() public {
        bytes memory signed = signature(developerKey, transferDigest(10e6, 0, FAR_FUTURE, NONCE));

        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        vm.prank(stranger);
        usd.receiveWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);
    }

    /* CANCEL */

    function test_CancelsByEitherForm() public {
        bytes32 second = keccak256("another");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, cancelDigest(NONCE));
        usd.cancelAuthorization(developer, NONCE, v, r, s);
        usd.cancelAuthorization(developer, second, signature(developerKey, cancelDigest(second)));

        assertTrue(usd.authorizationState(developer, second), "second is used");
        bytes memory signed = signature(developerKey, transferDigest(10e6, 0, FAR_FUTURE, NONCE));
        expectUsed();
        usd.transferWithAuthorization(developer, stranger, 10e6, 0, FAR_FUTURE, NONCE, signed);
    }

    function test_RevertWhen_AStrangerCancels() public {
        bytes memory signed = signature(makeKey("stranger"), cancelDigest(NONCE));

        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        usd.cancelAuthorization(developer, NONCE, signed);
    }

    /* PERMIT */

    function test_PermitsOnce() public {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                developer,
                stranger,
                uint256(9e6),
                uint256(0),
                uint256(FAR_FUTURE)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, typed(structHash));
        usd.permit(developer, stranger, 9e6, FAR_FUTURE, v, r, s);
        assertEq(usd.allowance(developer, stranger), 9e6, "allowance");

        vm.expectRevert();
        usd.permit(developer, stranger, 9e6, FAR_FUTURE, v, r, s);
    }

    /* HELPERS */

    function expectUsed() private {
        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC3009UsedAuthorization.selector, developer, NONCE));
    }

    function transferDigest(uint256 value, uint256 after_, uint256 before_, bytes32 nonce)
        private
        view
        returns (bytes32)
    {
        return digestOf("TransferWithAuthorization", developer, stranger, value, after_, before_, nonce);
    }

    function cancelDigest(bytes32 nonce) private view returns (bytes32) {
        return typed(
            keccak256(abi.encode(keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), developer, nonce))
        );
    }

    function digestOf(
        string memory name,
        address from,
        address to,
        uint256 value,
        uint256 after_,
        uint256 before_,
        bytes32 nonce
    ) private view returns (bytes32) {
        bytes32 typeHash = keccak256(bytes(string.concat(name, FIELDS)));
        return typed(keccak256(abi.encode(typeHash, from, to, value, after_, before_, nonce)));
    }

    function typed(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", usd.DOMAIN_SEPARATOR(), structHash));
    }
}
