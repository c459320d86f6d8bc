// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Authorizations} from "../../utils/Authorizations.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

/// @notice ERC-5805 of each token that votes.
abstract contract DelegationSuite is StakeFixture, Authorizations {
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    IERC5805 internal votes;
    bytes32 internal domain;

    /// @dev Makes `account` own some of the token.
    function give(address account, uint256 amount) internal virtual;

    function testFuzz_AllVotesGoToTheLastDelegate(uint96 amount, address first, address second) public {
        vm.assume(first != address(0) && second != address(0));
        give(developer, bound(amount, 1e9, 1e24));
        vm.startPrank(developer);
        votes.delegate(first);
        votes.delegate(second);
        vm.stopPrank();

        assertEq(votes.delegates(developer), second, "delegate");
        assertEq(votes.getVotes(second), IERC20(address(votes)).balanceOf(developer), "all");
        if (first != second) assertEq(votes.getVotes(first), 0, "once");
    }

    function testFuzz_ASignatureDelegatesOnce(uint256 key, uint96 amount, address delegatee, uint32 life) public {
        key = bound(key, 1, 1 << 250);
        vm.assume(delegatee != address(0));
        uint256 expiry = block.timestamp + life;
        address signer = vm.addr(key);
        give(signer, bound(amount, 1e9, 1e24));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, delegationDigest(domain, delegatee, 0, expiry));
        votes.delegateBySig(delegatee, 0, expiry, v, r, s);

        assertEq(votes.delegates(signer), delegatee, "delegate");
        assertEq(votes.getVotes(delegatee), IERC20(address(votes)).balanceOf(signer), "all");
        vm.expectRevert(abi.encodeWithSignature("InvalidAccountNonce(address,uint256)", signer, 1));
        votes.delegateBySig(delegatee, 0, expiry, v, r, s);
    }

    function testFuzz_ASignatureForElsewhereMovesNoVotes(uint64 chainId, address delegatee, bool otherToken) public {
        vm.assume(chainId != block.chainid && chainId != 0 && delegatee != address(0));
        give(developer, 1e18);
        bytes32 where = otherToken ? domainOf("Another token", address(votes)) : domain;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, delegationDigest(where, delegatee, 0, FAR_FUTURE));
        if (!otherToken) vm.chainId(chainId);
        // It is some account's signature, that has no votes.
        votes.delegateBySig(delegatee, 0, FAR_FUTURE, v, r, s);
        assertEq(votes.getVotes(delegatee), 0, "none");
        assertEq(votes.delegates(developer), address(0), "nobody");
    }

    function testFuzz_RevertWhen_TheSignatureIsMalleated(uint256 key, address delegatee) public {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(bound(key, 1, 1 << 250), delegationDigest(domain, delegatee, 0, FAR_FUTURE));
        bytes32 other = bytes32(N - uint256(s));
        vm.expectRevert(abi.encodeWithSignature("ECDSAInvalidSignatureS(bytes32)", other));
        votes.delegateBySig(delegatee, 0, FAR_FUTURE, v == 27 ? 28 : 27, r, other);
    }

    function testFuzz_RevertWhen_TheSignatureIsLate(uint32 life, uint32 more, address delegatee) public {
        uint256 expiry = block.timestamp + life;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, delegationDigest(domain, delegatee, 0, expiry));
        vm.warp(expiry + 1 + more);
        vm.expectRevert(abi.encodeWithSignature("VotesExpiredSignature(uint256)", expiry));
        votes.delegateBySig(delegatee, 0, expiry, v, r, s);
        assertEq(votes.delegates(developer), address(0), "nobody");
    }
}

contract WrappedHeuDelegationTest is DelegationSuite {
    function setUp() public override {
        super.setUp();
        votes = heu;
        domain = domainOf("Wrapped HEU", address(heu));
    }

    function give(address account, uint256 amount) internal override {
        wrapFor(account, amount);
    }
}

contract StakedHeuDelegationTest is DelegationSuite {
    function setUp() public override {
        super.setUp();
        votes = staked;
        domain = domainOf("Staked HEU", address(staked));
    }

    function give(address account, uint256 amount) internal override {
        stake(account, amount);
    }
}
