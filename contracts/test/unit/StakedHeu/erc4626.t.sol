// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {IErc7540Operator, IErc7540Redeem} from "../../../src/interfaces/IErc7540.sol";
import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {StakeFixture} from "../../utils/StakeFixture.sol";

/// @notice The properties that ERC-4626 demands of the way in, and ERC-7540 of the way out, in a vault with any history:
/// stakes, rewards that have arrived in part, exits on the way.
contract StakeErc4626Test is StakeFixture {
    struct History {
        uint96 staked;
        uint96 gain;
        uint96 left;
        uint32 passed;
    }

    modifier after_(History memory history) {
        uint256 shares = stake(bob, bound(history.staked, 1e18, 1e26));
        reward(RewardSource.Buyback, bound(history.gain, 1, 1e26));
        pass(bound(history.passed, 0, 10 days));
        requestExit(bob, bound(history.left, 1e9, shares));
        _;
    }

    /* THE WAY IN */

    function testFuzz_APreviewIsExactlyWhatADepositGives(History memory history, uint96 assets) public after_(history) {
        uint256 amount = bound(assets, 1e9, 1e26);
        ready(alice, amount);
        uint256 preview = staked.previewDeposit(amount);
        uint256 total = staked.totalAssets();

        vm.expectEmit();
        emit IERC4626.Deposit(alice, stranger, amount, preview);
        vm.prank(alice);
        assertEq(staked.deposit(amount, stranger), preview, "shares");
        assertEq(staked.balanceOf(stranger), preview, "the receiver's");
        assertEq(heu.balanceOf(alice), 0, "paid by the caller");
        assertEq(staked.totalAssets(), total + amount, "counted whole");
    }

    function testFuzz_APreviewIsExactlyWhatAMintAsks(History memory history, uint96 shares) public after_(history) {
        uint256 amount = bound(shares, 1e9, 1e26);
        uint256 preview = staked.previewMint(amount);
        ready(alice, preview);

        vm.prank(alice);
        assertEq(staked.mint(amount, stranger), preview, "assets");
        assertEq(staked.balanceOf(stranger), amount, "exactly the shares");
        assertEq(heu.balanceOf(alice), 0, "paid");
    }

    function testFuzz_ConversionsRoundDownAndAskNobodyWho(History memory history, uint96 amount, address caller)
        public
        after_(history)
    {
        uint256 shares = staked.convertToShares(amount);
        uint256 assets = staked.convertToAssets(amount);
        assertLe(staked.convertToAssets(shares), amount, "assets there and back");
        assertLe(staked.convertToShares(assets), amount, "shares there and back");
        assertLe(staked.previewDeposit(amount), shares, "a deposit gives no more");
        assertGe(staked.previewMint(amount), assets, "a mint asks no less");
        vm.prank(caller);
        assertEq(staked.convertToShares(amount), shares, "the same for everyone");
    }

    function testFuzz_GoingInAndOutNeverGains(History memory history, uint96 assets) public after_(history) {
        uint256 amount = bound(assets, 1e9, 1e26);
        ready(alice, amount);
        vm.startPrank(alice);
        uint256 shares = staked.deposit(amount, alice);
        staked.requestRedeem(shares, alice, alice);
        pass(EXIT_DELAY);
        assertLe(staked.redeem(shares, alice, alice), amount, "no more than was put in");
        vm.stopPrank();
    }

    function testFuzz_TheMostIsWhatIsTaken(History memory history, address who) public after_(history) {
        assertEq(staked.maxDeposit(who), type(uint256).max, "any deposit");
        assertEq(staked.maxMint(who), type(uint256).max, "any mint");
        vm.prank(guardian);
        staked.pause();
        assertEq(staked.maxDeposit(who), 0, "none while paused");
        assertEq(staked.maxMint(who), 0, "none while paused");
        assertEq(staked.asset(), address(heu), "asset");
    }

    /* THE WAY OUT */

    function testFuzz_ARequestIsPendingThenClaimableThenGone(History memory history, uint96 part)
        public
        after_(history)
    {
        uint256 held = stake(alice, 1e24);
        uint256 shares = bound(part, 1e9, held);
        vm.expectEmit();
        emit IErc7540Redeem.RedeemRequest(stranger, alice, 0, alice, shares);
        vm.prank(alice);
        staked.requestRedeem(shares, stranger, alice);
        assertEq(staked.pendingRedeemRequest(0, stranger), shares, "pending");
        assertEq(staked.claimableRedeemRequest(0, stranger) + staked.maxRedeem(stranger), 0, "not claimable");

        pass(EXIT_DELAY);
        assertEq(staked.pendingRedeemRequest(0, stranger), 0, "no more pending");
        assertEq(staked.claimableRedeemRequest(0, stranger), shares, "claimable");
        assertEq(staked.maxRedeem(stranger), shares, "at most that");
        uint256 worth = staked.maxWithdraw(stranger);
        vm.expectEmit();
        emit IERC4626.Withdraw(stranger, bob, stranger, worth, shares);
        vm.prank(stranger);
        assertEq(staked.redeem(shares, bob, stranger), worth, "all of it");
        assertEq(staked.maxRedeem(stranger) + staked.maxWithdraw(stranger), 0, "once");
    }

    function testFuzz_AnOperatorActsForItsController(address operator, uint96 part) public {
        vm.assume(operator != alice && operator != address(0));
        uint256 shares = bound(part, 1e9, stake(alice, 1e24));
        vm.expectRevert();
        vm.prank(operator);
        staked.requestRedeem(shares, alice, alice);

        vm.expectEmit();
        emit IErc7540Operator.OperatorSet(alice, operator, true);
        vm.prank(alice);
        assertTrue(staked.setOperator(operator, true), "says so");
        vm.prank(operator);
        staked.requestRedeem(shares, alice, alice);
        pass(EXIT_DELAY);
        vm.prank(operator);
        assertEq(staked.redeem(shares, stranger, alice), shares, "claimed for it");

        vm.prank(alice);
        staked.setOperator(operator, false);
        vm.expectRevert();
        vm.prank(operator);
        staked.requestRedeem(1e9, alice, alice);
    }

    /* HELPERS */

    function ready(address account, uint256 assets) private {
        wrapFor(account, assets);
        vm.prank(account);
        heu.approve(address(staked), assets);
    }
}
