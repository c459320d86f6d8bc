// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {Authorizations} from "../../utils/Authorizations.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

/// @notice What ERC-20 and EIP-2612 demand of every token here, whatever else it can do.
abstract contract Erc20Suite is StakeFixture, Authorizations {
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 internal constant MOST = 1e24;

    IERC20 internal token;
    bytes32 internal domain;

    /// @dev Makes `account` own that much of the token.
    function give(address account, uint256 amount) internal virtual;

    /* TRANSFER */

    function testFuzz_ATransferMovesExactlyTheAmount(uint96 held, uint96 moved, address to) public {
        uint256 amount = own(developer, held);
        uint256 sent = bound(moved, 0, amount);
        vm.assume(to != address(0) && to != developer);
        (uint256 before, uint256 supply) = (token.balanceOf(to), token.totalSupply());

        vm.expectEmit();
        emit IERC20.Transfer(developer, to, sent);
        vm.prank(developer);
        assertTrue(token.transfer(to, sent), "says so");

        assertEq(token.balanceOf(developer), amount - sent, "sender");
        assertEq(token.balanceOf(to), before + sent, "receiver");
        assertEq(token.totalSupply(), supply, "supply");
    }

    function testFuzz_ATransferToOneselfChangesNothing(uint96 held, uint96 moved) public {
        uint256 amount = own(developer, held);
        vm.prank(developer);
        assertTrue(token.transfer(developer, bound(moved, 0, amount)), "says so");
        assertEq(token.balanceOf(developer), amount, "the same");
    }

    function testFuzz_RevertWhen_ATransferExceedsTheBalance(uint96 held, uint128 excess) public {
        uint256 amount = own(developer, held);
        uint256 sent = amount + bound(excess, 1, type(uint128).max);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, developer, amount, sent));
        vm.prank(developer);
        token.transfer(alice, sent);
    }

    function test_RevertWhen_ThereIsNoReceiver() public {
        own(developer, 1e18);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        vm.prank(developer);
        token.transfer(address(0), 1);
    }

    /* ALLOWANCE */

    function testFuzz_AnAllowanceIsWhatWasApprovedLast(uint256 first, uint256 second, address spender) public {
        vm.assume(spender != address(0));
        vm.startPrank(developer);
        token.approve(spender, first);
        vm.expectEmit();
        emit IERC20.Approval(developer, spender, second);
        assertTrue(token.approve(spender, second), "says so");
        vm.stopPrank();
        assertEq(token.allowance(developer, spender), second, "allowance");
    }

    function testFuzz_ASpenderSpendsItsAllowance(uint96 held, uint256 allowance, uint96 moved) public {
        uint256 amount = own(developer, held);
        allowance = bound(allowance, 0, type(uint256).max - 1);
        uint256 sent = bound(moved, 0, allowance < amount ? allowance : amount);
        vm.prank(developer);
        token.approve(bob, allowance);
        vm.prank(bob);
        assertTrue(token.transferFrom(developer, alice, sent), "says so");

        assertEq(token.balanceOf(alice), sent, "receiver");
        assertEq(token.balanceOf(developer), amount - sent, "owner");
        assertEq(token.allowance(developer, bob), allowance - sent, "the rest");
    }

    function testFuzz_RevertWhen_ASpenderExceedsItsAllowance(uint96 held, uint96 allowance) public {
        uint256 amount = own(developer, held);
        allowance = uint96(bound(allowance, 0, amount - 1));
        vm.prank(developer);
        token.approve(bob, allowance);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, bob, allowance, allowance + 1)
        );
        vm.prank(bob);
        token.transferFrom(developer, alice, uint256(allowance) + 1);
    }

    function testFuzz_AnUnlimitedAllowanceStays(uint96 held) public {
        uint256 amount = own(developer, held);
        vm.prank(developer);
        token.approve(bob, type(uint256).max);
        vm.prank(bob);
        token.transferFrom(developer, alice, amount);
        assertEq(token.allowance(developer, bob), type(uint256).max, "unlimited");
    }

    /* PERMIT */

    function testFuzz_APermitIsAnApprovalOnce(uint256 key, address spender, uint256 value, uint64 deadline) public {
        key = bound(key, 1, 1 << 250);
        vm.assume(spender != address(0));
        deadline = uint64(bound(deadline, block.timestamp, type(uint64).max));
        address signer = vm.addr(key);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, permitDigest(domain, signer, spender, value, 0, deadline));
        permits().permit(signer, spender, value, deadline, v, r, s);

        assertEq(token.allowance(signer, spender), value, "allowance");
        assertEq(permits().nonces(signer), 1, "nonce");
        vm.expectRevert();
        permits().permit(signer, spender, value, deadline, v, r, s);
    }

    function testFuzz_RevertWhen_APermitSaysAnythingElse(address spender, uint256 value, uint8 field) public {
        vm.assume(spender != address(0));
        value = bound(value, 1, type(uint256).max - 1);
        uint256 signedNonce = field % 6 == 0 ? 1 : 0;
        bytes32 where = field % 6 == 1 ? domainOf("Another token", address(token)) : domain;
        bytes32 digest = permitDigest(where, developer, spender, value, signedNonce, FAR_FUTURE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(field % 6 == 2 ? makeKey("alice") : developerKey, digest);
        if (field % 6 == 3) value += 1;
        if (field % 6 == 4) vm.chainId(1);
        uint64 deadline = field % 6 == 5 ? FAR_FUTURE + 1 : FAR_FUTURE;
        vm.expectRevert();
        permits().permit(developer, spender, value, deadline, v, r, s);
    }

    function test_RevertWhen_APermitIsLateOrMalleated() public {
        bytes32 digest = permitDigest(domain, developer, bob, 1, 0, block.timestamp);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(developerKey, digest);
        vm.expectRevert();
        permits().permit(developer, bob, 1, block.timestamp, v == 27 ? 28 : 27, r, bytes32(N - uint256(s)));
        uint256 deadline = block.timestamp;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSignature("ERC2612ExpiredSignature(uint256)", deadline));
        permits().permit(developer, bob, 1, deadline, v, r, s);
    }

    /* HELPERS */

    function permits() private view returns (IERC20Permit) {
        return IERC20Permit(address(token));
    }

    function own(address account, uint96 amount) private returns (uint256) {
        give(account, bound(amount, 1e9, MOST));
        return token.balanceOf(account);
    }
}

contract WrappedHeuErc20Test is Erc20Suite {
    function setUp() public override {
        super.setUp();
        token = heu;
        domain = domainOf("Wrapped HEU", address(heu));
    }

    function give(address account, uint256 amount) internal override {
        wrapFor(account, amount);
    }
}

contract StakedHeuErc20Test is Erc20Suite {
    /// @dev A rate above one, so that shares are not assets.
    function setUp() public override {
        super.setUp();
        stake(stranger, 100e18);
        rewardFully(77e18);
        token = staked;
        domain = domainOf("Staked HEU", address(staked));
    }

    function give(address account, uint256 amount) internal override {
        stake(account, amount);
    }
}

contract DevUsdErc20Test is Erc20Suite {
    function setUp() public override {
        super.setUp();
        token = usd;
        domain = domainOf("Dev USD", address(usd));
    }

    function give(address account, uint256 amount) internal override {
        usd.mint(account, bound(amount, 1, 100_000e6));
    }
}
