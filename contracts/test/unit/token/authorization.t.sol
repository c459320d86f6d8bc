// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Authorizations} from "../../utils/Authorizations.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IAuthorizedToken} from "../../utils/Interfaces.sol";

/// @notice EIP-3009 of each token that has it, for any key, amount and nonce, in either form.
abstract contract AuthorizationSuite is Fixture, Authorizations {
    IAuthorizedToken internal token;
    bytes32 internal domain;

    /// @dev Makes `account` own that much of the token.
    function give(address account, uint256 amount) internal virtual;

    function testFuzz_TransfersWhatWasSignedOnce(uint256 key, uint64 value, uint64 sent, bytes32 nonce, bool split)
        public
    {
        key = bound(key, 1, 1 << 250);
        address from = vm.addr(key);
        vm.assume(from != stranger);
        value = uint64(bound(value, 1, 100_000e6));
        sent = uint64(bound(sent, 0, value));
        give(from, value);
        Authorization memory said = Authorization(from, stranger, sent, 0, FAR_FUTURE, nonce);
        transferBy(said, key, split);

        assertEq(token.balanceOf(stranger), sent, "received");
        assertEq(token.balanceOf(from), value - sent, "sent");
        assertTrue(token.authorizationState(from, nonce), "used");
        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC3009UsedAuthorization.selector, from, nonce));
        this.transferBy(said, key, !split);
    }

    function testFuzz_TheReceiverAloneReceives(address caller, uint64 value, bytes32 nonce, bool split) public {
        vm.assume(caller != stranger);
        value = uint64(bound(value, 1, 100_000e6));
        give(developer, value);
        Authorization memory said = Authorization(developer, stranger, value, 0, FAR_FUTURE, nonce);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC20InvalidReceiver.selector, stranger));
        this.receiveBy(said, caller, split);
        receiveBy(said, stranger, split);

        assertEq(token.balanceOf(stranger), value, "received");
        assertEq(token.balanceOf(developer), 0, "sent");
    }

    function testFuzz_ACancelledNonceIsUsed(bytes32 nonce, bytes32 other, uint256 key, bool split) public {
        vm.assume(other != nonce);
        key = bound(key, 1, 1 << 250);
        vm.assume(key != developerKey);
        bytes memory forged = signature(key, cancelDigest(domain, developer, nonce));
        vm.expectRevert(IAuthorizedToken.ERC3009InvalidSignature.selector);
        token.cancelAuthorization(developer, nonce, forged);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, cancelDigest(domain, developer, nonce));
        if (split) token.cancelAuthorization(developer, nonce, v, r, s);
        else token.cancelAuthorization(developer, nonce, abi.encodePacked(r, s, v));

        assertTrue(token.authorizationState(developer, nonce), "used");
        assertFalse(token.authorizationState(developer, other), "no other");
        give(developer, 1);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizedToken.ERC3009UsedAuthorization.selector, developer, nonce));
        this.transferBy(Authorization(developer, stranger, 1, 0, FAR_FUTURE, nonce), developerKey, split);
    }

    /* HELPERS */

    function transferBy(Authorization memory said, uint256 key, bool split) public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, transferDigest(domain, said));
        if (split) {
            token.transferWithAuthorization(said.from, said.to, said.value, 0, FAR_FUTURE, said.nonce, v, r, s);
        } else {
            bytes memory signed = abi.encodePacked(r, s, v);
            token.transferWithAuthorization(said.from, said.to, said.value, 0, FAR_FUTURE, said.nonce, signed);
        }
    }

    function receiveBy(Authorization memory said, address caller, bool split) public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, receiveDigest(domain, said));
        vm.prank(caller);
        if (split) {
            token.receiveWithAuthorization(said.from, said.to, said.value, 0, FAR_FUTURE, said.nonce, v, r, s);
        } else {
            bytes memory signed = abi.encodePacked(r, s, v);
            token.receiveWithAuthorization(said.from, said.to, said.value, 0, FAR_FUTURE, said.nonce, signed);
        }
    }
}

contract WrappedHeuAuthorizationTest is AuthorizationSuite {
    function setUp() public override {
        super.setUp();
        token = heu;
        domain = domainOf("Wrapped HEU", address(heu));
    }

    function give(address account, uint256 amount) internal override {
        vm.deal(address(this), amount);
        heu.depositFor{value: amount}(account);
    }
}

contract DevUsdAuthorizationTest is AuthorizationSuite {
    function setUp() public override {
        super.setUp();
        token = usd;
        domain = domainOf("Dev USD", address(usd));
    }

    function give(address account, uint256 amount) internal override {
        usd.mint(account, amount);
    }
}
