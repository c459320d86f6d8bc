// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVestingWallet, VestingTerms} from "../../../src/interfaces/IVestingWallet.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {VestingSchedule} from "../../../src/libraries/VestingMath.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IOwnable2Step, IOwnedVestingWallets} from "../../utils/Interfaces.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";

contract VestingTest is Fixture {
    uint32 private constant CLIFF = 90 days;
    uint32 private constant VEST = 720 days;
    uint128 private constant TOTAL = 1000e18;

    IOwnedVestingWallets private wallets;
    IVestingWallet private wallet;
    address private alice;
    uint64 private start;

    function setUp() public override {
        super.setUp();
        alice = makeAddr("alice");
        start = uint64(block.timestamp);
        wallets = IOwnedVestingWallets(deploy("VestingWallets", abi.encode(owner, heu)));
        wallet = create(terms(true));
    }

    /* CREATE */

    function test_CreatesAFundedWallet() public view {
        assertEq(wallets.walletCount(), 1, "count");
        assertEq(wallets.walletAt(0), address(wallet), "listed");
        assertTrue(wallets.isWallet(address(wallet)), "known");
        assertEq(heu.balanceOf(address(wallet)), TOTAL, "funded");
        assertEq(wallet.beneficiary(), alice, "beneficiary");
        assertEq(wallet.terms().schedule.total, TOTAL, "terms");
    }

    function test_RevertWhen_FundingIsNotTheTotal() public {
        VestingTerms memory asked = terms(false);
        vm.deal(owner, 2 * TOTAL);
        for (uint256 i; i < 3; ++i) {
            uint256 amount = i == 0 ? 0 : i == 1 ? TOTAL - 1 : TOTAL + 1;
            vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_WrongFunding.selector, amount, TOTAL));
            vm.prank(owner);
            wallets.create{value: amount}("x", asked);
        }
        asked.schedule.total = 0;
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_WrongFunding.selector, 0, 0));
        vm.prank(owner);
        wallets.create("x", asked);
    }

    function test_RevertWhen_TermsAreBad() public {
        vm.deal(owner, TOTAL);
        vm.startPrank(owner);
        VestingTerms memory asked = terms(false);
        asked.beneficiary = address(0);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        wallets.create{value: TOTAL}("x", asked);

        asked = terms(false);
        asked.schedule.startBps = 10_001;
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, 10_001, 0, 10_000));
        wallets.create{value: TOTAL}("x", asked);

        asked = terms(false);
        asked.schedule.vestSeconds = 20 * 365 days;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, 20 * 365 days + uint256(CLIFF), 0, 20 * 365 days)
        );
        wallets.create{value: TOTAL}("x", asked);
    }

    function test_RevertWhen_AStrangerCreatesOrRevokes() public {
        VestingTerms memory asked = terms(false);
        vm.deal(stranger, TOTAL);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger));
        wallets.create{value: TOTAL}("x", asked);
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger));
        wallets.revoke(address(wallet));
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotFactory.selector, stranger));
        wallet.revoke(stranger);
    }

    /* RELEASE */

    function testFuzz_ReleasesWhatIsFree(uint32 first, uint32 second) public {
        uint256 free;
        for (uint256 i; i < 2; ++i) {
            vm.warp(block.timestamp + (i == 0 ? first : second) % (2 * (CLIFF + VEST)));
            free = expected(block.timestamp - start);
            assertEq(wallet.vestedAt(uint64(block.timestamp)), free, "vested");
            if (free > wallet.released()) wallet.release();
            assertEq(alice.balance, free, "paid in native HEU");
        }
        assertEq(heu.balanceOf(address(wallet)), TOTAL - free, "the rest stays");
    }

    function test_RevertWhen_NothingIsFree() public {
        wallet.release();
        vm.warp(start + CLIFF);
        vm.expectRevert(Errors.Vesting_NothingToRelease.selector);
        wallet.release();
        assertEq(wallet.vestedAt(start - 1), 0, "nothing before the start");
    }

    function test_PaysAllAtTheEndAndNoMore() public {
        vm.warp(start + CLIFF + VEST);
        assertEq(wallet.release(), TOTAL, "all");
        vm.warp(start + 100 * 365 days);
        vm.expectRevert(Errors.Vesting_NothingToRelease.selector);
        wallet.release();
    }

    function test_ARefusingBeneficiaryBlocksOnlyItself() public {
        VestingTerms memory asked = terms(false);
        asked.beneficiary = address(new RevertingReceiver());
        IVestingWallet blocked = create(asked);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, asked.beneficiary));
        blocked.release();
        assertEq(wallet.release(), TOTAL / 10, "others are paid");
    }

    function test_ReentryFindsNothing() public {
        Reentrant thief = new Reentrant();
        VestingTerms memory asked = terms(false);
        asked.beneficiary = address(thief);
        IVestingWallet own = create(asked);
        thief.arm(address(own), abi.encodeCall(own.release, ()));

        own.release();
        assertEq(address(thief).balance, TOTAL / 10, "once");
        assertFalse(thief.succeeded(), "in vain");
    }

    /* VOTES */

    function test_DelegatesAllVotesFreeOrNot() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotBeneficiary.selector, stranger));
        vm.prank(stranger);
        wallet.delegate(stranger);

        vm.prank(alice);
        wallet.delegate(alice);
        assertEq(heu.getVotes(alice), TOTAL, "vested and unvested");
        wallet.release();
        assertEq(heu.getVotes(alice), TOTAL - TOTAL / 10, "released HEU is native");
    }

    /* BENEFICIARY */

    function test_PassesOnInTwoSteps() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotBeneficiary.selector, stranger));
        vm.prank(stranger);
        wallet.offerTo(stranger);
        vm.prank(alice);
        wallet.offerTo(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotOffered.selector, node));
        vm.prank(node);
        wallet.accept();
        vm.prank(stranger);
        wallet.accept();

        assertEq(wallet.beneficiary(), stranger, "new beneficiary");
        wallet.release();
        assertEq(stranger.balance, TOTAL / 10, "paid");
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotOffered.selector, stranger));
        vm.prank(stranger);
        wallet.accept();
    }

    /* REVOKE */

    function testFuzz_RevokingReturnsWhatIsNotFree(uint32 after_) public {
        vm.warp(start + after_ % (2 * (CLIFF + VEST)));
        uint256 free = expected(block.timestamp - start);
        vm.prank(owner);
        assertEq(wallets.revoke(address(wallet)), TOTAL - free, "returned");

        assertEq(owner.balance, TOTAL - free, "the treasury has it");
        vm.warp(start + 10 * (CLIFF + VEST));
        wallet.release();
        assertEq(alice.balance, free, "what was free stays, and grows no more");
        assertEq(heu.balanceOf(address(wallet)), 0, "nothing left");
    }

    function test_RevertWhen_NotRevocableOrTwiceOrUnknown() public {
        IVestingWallet fixed_ = create(terms(false));
        vm.startPrank(owner);
        vm.expectRevert(Errors.Vesting_NotRevocable.selector);
        wallets.revoke(address(fixed_));
        wallets.revoke(address(wallet));
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_AlreadyRevoked.selector, block.timestamp));
        wallets.revoke(address(wallet));
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_UnknownWallet.selector, alice));
        wallets.revoke(alice);
    }

    /* HELPERS */

    function terms(bool revocable) private view returns (VestingTerms memory) {
        return VestingTerms({
            beneficiary: alice,
            start: start,
            revocable: revocable,
            schedule: VestingSchedule({total: TOTAL, startBps: 1000, cliffSeconds: CLIFF, vestSeconds: VEST})
        });
    }

    function create(VestingTerms memory asked) private returns (IVestingWallet) {
        vm.deal(owner, TOTAL);
        vm.prank(owner);
        return IVestingWallet(wallets.create{value: TOTAL}("team", asked));
    }

    function expected(uint256 elapsed) private pure returns (uint256) {
        if (elapsed < CLIFF) return TOTAL / 10;
        if (elapsed >= CLIFF + VEST) return TOTAL;
        return TOTAL / 10 + (uint256(TOTAL) * 9 / 10) * (elapsed - CLIFF) / VEST;
    }
}
