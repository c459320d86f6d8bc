// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVestingWallet, VestingTerms} from "../../../src/interfaces/IVestingWallet.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {VestingSchedule} from "../../../src/libraries/VestingMath.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IOwnedVestingWallets} from "../../utils/Interfaces.sol";

contract HandOverTest is Fixture {
    IOwnedVestingWallets private wallets;
    address private alice;

    function setUp() public override {
        super.setUp();
        alice = makeAddr("alice");
        wallets = IOwnedVestingWallets(deploy("VestingWallets", abi.encode(owner, heu)));
    }

    function testFuzz_AWalletHoldsExactlyItsTotal(uint96 total, uint96 sent, uint16 startBps, uint32 cliff, uint32 vest)
        public
    {
        VestingTerms memory asked = termsOf(total, startBps, cliff, vest);
        vm.deal(owner, sent);
        vm.prank(owner);
        (bool success, bytes memory answer) =
            address(wallets).call{value: sent}(abi.encodeCall(wallets.create, ("team", asked)));
        bool fits = startBps <= 10_000 && uint256(cliff) + vest <= 20 * 365 days;

        assertTrue(success == (total == sent && sent > 0 && fits), "exactly what is allowed");
        assertEq(wallets.walletCount(), success ? 1 : 0, "listed");
        assertEq(owner.balance, success ? 0 : sent, "paid");
        if (success) assertEq(heu.balanceOf(abi.decode(answer, (address))), total, "funded");
    }

    function testFuzz_FundedTermsMakeAWallet(uint96 total, uint16 startBps, uint32 cliff, uint32 vest, uint64 at)
        public
    {
        total = uint96(bound(total, 1, type(uint96).max));
        startBps = uint16(bound(startBps, 0, 10_000));
        cliff = uint32(bound(cliff, 0, 20 * 365 days));
        vest = uint32(bound(vest, 0, 20 * 365 days - cliff));
        IVestingWallet wallet = create(termsOf(total, startBps, cliff, vest));

        assertEq(heu.balanceOf(address(wallet)), total, "funded");
        assertTrue(wallets.isWallet(address(wallet)), "known");
        assertLe(wallet.vestedAt(at), total, "never more");
        assertEq(wallet.vestedAt(uint64(block.timestamp) + cliff + vest), total, "all at the end");
    }

    function testFuzz_MovesToWhomItWasOfferedLast(address first, address second, address caller) public {
        vm.assume(second != address(0) && first != second && caller != alice && caller != second && second != alice);
        IVestingWallet wallet = create(termsOf(1e18, 0, 0, 100));
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotBeneficiary.selector, caller));
        vm.prank(caller);
        wallet.offerTo(caller);
        vm.startPrank(alice);
        wallet.offerTo(first);
        wallet.offerTo(second);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotOffered.selector, first));
        vm.prank(first);
        wallet.accept();
        assertEq(wallet.beneficiary(), alice, "until it is accepted");
        vm.prank(second);
        wallet.accept();

        assertEq(wallet.beneficiary(), second, "beneficiary");
        assertEq(wallet.offeredTo(), address(0), "once");
        assertEq(heu.balanceOf(address(wallet)), 1e18, "nothing paid");
    }

    function testFuzz_AllItsVotesGoWhereTheBeneficiarySays(uint96 total, address first, address second, address caller)
        public
    {
        vm.assume(caller != alice && first != address(0) && second != address(0));
        total = uint96(bound(total, 1, type(uint96).max));
        IVestingWallet wallet = create(termsOf(total, 0, 0, 100));
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotBeneficiary.selector, caller));
        vm.prank(caller);
        wallet.delegate(caller);
        vm.startPrank(alice);
        wallet.delegate(first);
        wallet.delegate(second);
        vm.stopPrank();

        assertEq(heu.getVotes(second), total, "all");
        if (first != second) assertEq(heu.getVotes(first), 0, "once");
    }

    function testFuzz_RevertWhen_AnyoneRevokesAWalletDirectly(address caller) public {
        vm.assume(caller != address(wallets));
        IVestingWallet wallet = create(termsOf(1e18, 0, 0, 100));
        vm.expectRevert(abi.encodeWithSelector(Errors.Vesting_NotFactory.selector, caller));
        vm.prank(caller);
        wallet.revoke(caller);
        assertEq(heu.balanceOf(address(wallet)), 1e18, "all there");
    }

    /* HELPERS */

    function termsOf(uint128 total, uint16 startBps, uint32 cliff, uint32 vest)
        private
        view
        returns (VestingTerms memory)
    {
        VestingSchedule memory schedule = VestingSchedule(total, startBps, cliff, vest);
        return VestingTerms({beneficiary: alice, start: uint64(block.timestamp), revocable: true, schedule: schedule});
    }

    function create(VestingTerms memory asked) private returns (IVestingWallet) {
        vm.deal(owner, asked.schedule.total);
        vm.prank(owner);
        return IVestingWallet(wallets.create{value: asked.schedule.total}("team", asked));
    }
}
