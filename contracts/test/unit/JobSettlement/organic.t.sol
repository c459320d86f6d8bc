// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch, Escrow} from "../../../src/interfaces/IJobSettlement.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {Rows} from "../../utils/Rows.sol";

contract OrganicTest is Fixture {
    bytes32 private constant POD = keccak256("a pod");
    uint256 private constant FUNDS = 1_000_000e18;

    address private rewards;

    function setUp() public override {
        super.setUp();
        rewards = makeAddr("voter rewards");
        vm.prank(owner);
        settlement.setVoterRewards(rewards);
        fundAndCap(developer, FUNDS, 1000e6);
    }

    /* OPEN TOTALS */

    function testFuzz_RevertWhen_OpenPaymentsExceedPayments(uint256 payment, uint256 open, bool inUsd) public {
        payment = bound(payment, 0, 100e6);
        open = bound(open, payment + 1, type(uint96).max);
        Batch memory batch = paymentOf(inUsd ? Rows.USD : Rows.HEU, payment, 0);
        if (inUsd) batch.openUsd = uint96(open);
        else batch.openHeu = uint96(open);

        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.JobSettlement_OpenTooHigh.selector, inUsd ? address(usd) : address(heu), open, payment
            )
        );
        post(batch);
    }

    function test_CountsOpenJobsWhole() public {
        Batch memory batch = paymentOf(Rows.HEU, 100e18, 5e18);
        batch.openHeu = 100e18;
        post(batch);

        assertEq(organicHeu(), 100e18, "whole");
    }

    function test_CountsOthersUpToTheProtocolsShare() public {
        Batch memory batch = paymentOf(Rows.HEU, 100e18, 5e18);
        batch.openHeu = 40e18;
        post(batch);

        assertEq(organicHeu(), 40e18 + 3e18, "40 whole, 5 % of 60");
    }

    function test_CountsOnlyWhatTheProtocolReallyGot() public {
        post(paymentOf(Rows.HEU, 100e18, 1e18));
        assertEq(organicHeu(), 1e18, "1 % instead of 5");

        post(paymentOf(Rows.HEU, 100e18, 0));
        assertEq(organicHeu(), 1e18, "a payment that gives nothing away counts for nothing");
    }

    function test_CountsEachEpochAndAssetByItself() public {
        post(paymentOf(Rows.HEU, 100e18, 5e18));
        post(paymentOf(Rows.USD, 100e6, 5e6));
        vm.warp(block.timestamp + 7 days);
        post(paymentOf(Rows.USD, 200e6, 10e6));

        uint256 epoch = (block.timestamp - EPOCH_GENESIS) / 7 days;
        assertOrganic(epoch - 1, 5e18, 5e6);
        assertOrganic(epoch, 0, 10e6);
        assertOrganic(epoch + 1, 0, 0);
    }

    function testFuzz_OrganicRevenueIsBounded(uint256 payment, uint256 open, uint256 share) public {
        payment = bound(payment, 1, FUNDS);
        open = bound(open, 0, payment);
        share = bound(share, 0, payment * 500 / 10_000);
        Batch memory batch = paymentOf(Rows.HEU, payment, share);
        batch.openHeu = uint96(open);
        post(batch);

        assertGe(organicHeu(), open, "open jobs count whole");
        assertLe(organicHeu(), open + share, "others up to what the protocol got");
        assertLe(organicHeu(), payment, "never more than was paid");
    }

    /* POTS */

    function test_PaysThePotToVoterRewards() public {
        creditVoters(settlement.potOf(POD), 2e18);
        assertEq(settlement.pendingVotersOf(POD, address(heu)), 2e18, "waits");
        assertEq(settlement.claimableVotersOf(POD, address(heu)), 0, "not yet");
        vm.warp(block.timestamp + 2 * WINDOW);
        assertEq(settlement.claimableVotersOf(POD, address(heu)), 2e18, "final");

        vm.expectEmit();
        emit Events.Claimed(settlement.potOf(POD), address(heu), rewards, 2e18);
        vm.prank(rewards);
        assertEq(settlement.claimVoters(POD, address(heu)), 2e18, "paid");

        assertEq(rewards.balance, 2e18, "arrived");
        vm.expectRevert(
            abi.encodeWithSelector(Errors.JobSettlement_NothingToClaim.selector, settlement.potOf(POD), address(heu))
        );
        vm.prank(rewards);
        settlement.claimVoters(POD, address(heu));
    }

    function test_RevertWhen_AStrangerClaimsAPot() public {
        creditVoters(settlement.potOf(POD), 2e18);
        vm.warp(block.timestamp + 2 * WINDOW);

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_NotVoterRewards.selector, stranger));
        vm.prank(stranger);
        settlement.claimVoters(POD, address(heu));
    }

    /// @dev Else anyone could send what voters earned to an address without a key.
    function test_RevertWhen_APotIsClaimedAsAnAccount() public {
        address pot = settlement.potOf(POD);
        creditVoters(pot, 2e18);
        vm.warp(block.timestamp + 2 * WINDOW);

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_NothingToClaim.selector, pot, address(heu)));
        vm.prank(stranger);
        settlement.claimFor(pot, address(heu));
    }

    function test_KeepsPotAndAccountApart() public {
        address pot = settlement.potOf(POD);
        settle(
            Rows.list(Rows.debit(developer, Rows.HEU, 100e18)),
            Rows.list(Rows.credit(pot, Rows.NODE, Rows.HEU, 98e18), Rows.credit(pot, Rows.VOTERS, Rows.HEU, 2e18))
        );

        assertEq(settlement.pendingOf(pot, address(heu)), 98e18, "account");
        assertEq(settlement.pendingVotersOf(POD, address(heu)), 2e18, "pot");
        Escrow memory stored = settlement.escrowOfPot(pot, address(heu));
        assertEq(stored.newest, 2e18, "stored");
    }

    function test_RevertWhen_VoterRewardsAreBad() public {
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        settlement.setVoterRewards(stranger);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        vm.prank(owner);
        settlement.setVoterRewards(address(0));

        vm.expectEmit();
        emit Events.VoterRewardsChanged(stranger);
        vm.prank(owner);
        settlement.setVoterRewards(stranger);
        assertEq(settlement.voterRewards(), stranger, "named");
    }

    /* PAUSE */

    function test_RevertWhen_Paused() public {
        post(paymentOf(Rows.HEU, 100e18, 5e18));
        vm.warp(block.timestamp + 2 * WINDOW);
        vm.prank(owner);
        settlement.setGuardian(stranger);
        vm.prank(stranger);
        settlement.pause();

        Batch memory batch = paymentOf(Rows.HEU, 100e18, 5e18);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_Paused.selector, settlement.pausedUntil()));
        post(batch);

        assertEq(settlement.claimFor(node, address(heu)), 95e18, "claims go on");
        vm.warp(settlement.pausedUntil());
        batch = paymentOf(Rows.HEU, 100e18, 5e18);
        post(batch);
    }

    /* HELPERS */

    function paymentOf(uint256 asset, uint256 payment, uint256 share) private view returns (Batch memory) {
        return nextBatch(
            Rows.list(Rows.debit(developer, asset, payment)),
            Rows.sort(
                Rows.list(
                    Rows.credit(node, Rows.NODE, asset, payment - share),
                    Rows.credit(protocol, Rows.PROTOCOL, asset, share)
                )
            )
        );
    }

    function creditVoters(address pot, uint256 amount) private {
        settle(
            Rows.list(Rows.debit(developer, Rows.HEU, 50 * amount)),
            Rows.sort(
                Rows.list(
                    Rows.credit(node, Rows.NODE, Rows.HEU, 49 * amount), Rows.credit(pot, Rows.VOTERS, Rows.HEU, amount)
                )
            )
        );
    }

    function post(Batch memory batch) private {
        vm.prank(sequencer);
        settlement.settle(batch);
    }

    function organicHeu() private view returns (uint256 amount) {
        (amount,) = settlement.organicRevenueOf((block.timestamp - EPOCH_GENESIS) / 7 days);
    }

    function assertOrganic(uint256 epoch, uint256 heuAmount, uint256 usdAmount) private view {
        (uint256 heuRevenue, uint256 usdRevenue) = settlement.organicRevenueOf(epoch);
        assertEq(heuRevenue, heuAmount, "HEU");
        assertEq(usdRevenue, usdAmount, "stablecoin");
    }
}
