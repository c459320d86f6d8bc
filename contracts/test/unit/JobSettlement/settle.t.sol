// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch, Escrow} from "../../../src/interfaces/IJobSettlement.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {Rows} from "../../utils/Rows.sol";

contract SettleTest is Fixture {
    uint256 private constant FUNDS_HEU = 1000e18;
    uint256 private constant FUNDS_USD = 1000e6;
    bytes32 private constant POD = keccak256("a pod");

    address private deployer;
    address private frontend;
    address private voters;

    function setUp() public override {
        super.setUp();
        deployer = makeAddr("deployer");
        frontend = makeAddr("frontend");
        voters = settlement.potOf(POD);
        fundAndCap(developer, FUNDS_HEU, FUNDS_USD);
    }

    /* HEADER */

    function test_RevertWhen_CallerIsNotTheSequencer() public {
        Batch memory batch = paymentOf(10e18);

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_NotSequencer.selector, stranger));
        vm.prank(stranger);
        settlement.settle(batch);
    }

    function test_RevertWhen_BatchWasSettledBefore() public {
        Batch memory batch = paymentOf(10e18);
        post(batch);

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_WrongNumber.selector, 1, 2));
        post(batch);
    }

    function test_RevertWhen_NumberSkipsOne() public {
        Batch memory batch = paymentOf(10e18);
        batch.number = 2;

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_WrongNumber.selector, 2, 1));
        post(batch);
    }

    function test_RevertWhen_PredecessorIsAnother() public {
        post(paymentOf(10e18));
        Batch memory batch = paymentOf(10e18);
        bytes32 expected = batch.previousHash;
        batch.previousHash = settlement.genesisHash();

        vm.expectRevert(
            abi.encodeWithSelector(Errors.JobSettlement_WrongPredecessor.selector, settlement.genesisHash(), expected)
        );
        post(batch);
    }

    function test_RevertWhen_ThereAreNoJobs() public {
        Batch memory batch = paymentOf(10e18);
        batch.jobCount = 0;

        vm.expectRevert(Errors.JobSettlement_NoJobs.selector);
        post(batch);
    }

    function test_RevertWhen_RootIsZero() public {
        Batch memory batch = paymentOf(10e18);
        batch.receiptsRoot = bytes32(0);

        vm.expectRevert(Errors.JobSettlement_ZeroRoot.selector);
        post(batch);
    }

    /* ROWS */

    function test_RevertWhen_CreditsAreUnsorted() public {
        Batch memory batch = paymentOf(10e18);
        (batch.credits[0], batch.credits[1]) = (batch.credits[1], batch.credits[0]);

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_UnsortedCredits.selector, 1));
        post(batch);
    }

    function test_RevertWhen_CreditRowIsDoubled() public {
        Batch memory batch = nextBatch(
            Rows.list(Rows.debit(developer, Rows.HEU, 10e18)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 4e18), Rows.credit(node, Rows.NODE, Rows.HEU, 6e18))
        );

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_UnsortedCredits.selector, 1));
        post(batch);
    }

    function testFuzz_RevertWhen_CreditedAccountIsZero(uint8 tag) public {
        uint256 row = (uint256(tag) << 88) | 1;
        Batch memory batch = nextBatch(Rows.list(Rows.debit(developer, Rows.HEU, 1)), Rows.list(row));

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_UnsortedCredits.selector, 0));
        post(batch);
    }

    function test_RevertWhen_RoleIsUnknown() public {
        Batch memory batch = nextBatch(
            Rows.list(Rows.debit(developer, Rows.HEU, 10e18)), Rows.list(Rows.credit(node, 5, Rows.HEU, 10e18))
        );

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_BadRow.selector, 0, 0x50));
        post(batch);
    }

    function test_RevertWhen_CreditAssetIsUnknown() public {
        Batch memory batch = nextBatch(
            Rows.list(Rows.debit(developer, Rows.HEU, 10e18)), Rows.list(Rows.credit(node, Rows.NODE, 2, 10e18))
        );

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_BadRow.selector, 0, 2));
        post(batch);
    }

    /* TOTALS */

    function test_RevertWhen_CreditsExceedDebits() public {
        Batch memory batch = nextBatch(
            Rows.list(Rows.debit(developer, Rows.HEU, 10e18)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 10e18 + 1))
        );

        expectUnbalanced(address(heu), 10e18, 10e18 + 1);
        post(batch);
    }

    function test_RevertWhen_CreditsFallShortOfDebits() public {
        Batch memory batch = nextBatch(
            Rows.list(Rows.debit(developer, Rows.HEU, 10e18)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 10e18 - 1))
        );

        expectUnbalanced(address(heu), 10e18, 10e18 - 1);
        post(batch);
    }

    function test_RevertWhen_OneAssetPaysForTheOther() public {
        Batch memory batch = nextBatch(
            Rows.list(Rows.debit(developer, Rows.USD, 10e6)), Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 10e6))
        );

        expectUnbalanced(address(heu), 0, 10e6);
        post(batch);
    }

    function testFuzz_RevertWhen_ARoleGetsMoreThanItsShare(uint256 payment, uint256 role, bool inUsd) public {
        role = bound(role, Rows.DEPLOYER, Rows.PROTOCOL);
        uint256 asset = inUsd ? Rows.USD : Rows.HEU;
        payment = bound(payment, 1, inUsd ? FUNDS_USD : FUNDS_HEU);
        uint256 tooMuch = payment * shareBpsOf(role) / 10_000 + 1;
        uint256[] memory credits = Rows.list(
            Rows.credit(node, Rows.NODE, asset, payment - tooMuch), Rows.credit(voters, role, asset, tooMuch)
        );
        Batch memory batch = nextBatch(Rows.list(Rows.debit(developer, asset, payment)), Rows.sort(credits));

        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.JobSettlement_ShareTooHigh.selector, inUsd ? address(usd) : address(heu), role, tooMuch, payment
            )
        );
        post(batch);
    }

    /* SUCCESS */

    function test_LinksBatchesByNumberAndHash() public {
        (uint64 number, bytes32 hash) = settlement.lastBatch();
        assertEq(number, 0, "no batch yet");
        assertEq(hash, settlement.genesisHash(), "genesis");

        Batch memory first = paymentOf(10e18);
        bytes32 firstHash = post(first);
        Batch memory second = paymentOf(20e18);
        bytes32 secondHash = post(second);

        assertEq(second.previousHash, firstHash, "linked");
        (number, hash) = settlement.lastBatch();
        assertEq(number, 2, "number");
        assertEq(hash, secondHash, "hash");
        assertEq(settlement.batchHashOf(0), settlement.genesisHash(), "before the first");
        assertEq(settlement.batchHashOf(1), firstHash, "first");
        assertEq(settlement.batchHashOf(2), secondHash, "second");
        assertEq(settlement.batchHashOf(3), bytes32(0), "not there yet");
    }

    function test_HashCommitsToHeaderAndRows() public {
        Batch memory batch = paymentOf(10e18);
        (batch.openHeu, batch.jobCount) = (4e18, 9);
        bytes32 content = Rows.contentHash(batch);
        bytes32 expected = keccak256(bytes.concat(batch.previousHash, batch.receiptsRoot, content));

        vm.expectEmit();
        emit Events.BatchSettled(1, expected, batch.receiptsRoot, content, 9);
        assertEq(post(batch), expected, "hash");
    }

    function test_MovesDebitsIntoEscrow() public {
        post(paymentOf(100e18));

        assertEq(vault.accountOf(developer, address(heu)).balance, FUNDS_HEU - 100e18, "debited");
        assertEq(vault.spent(developer, address(heu)), 100e18, "spent");
        assertEq(vault.reserveOf(address(heu)), 100e18, "reserve");
        assertEq(settlement.pendingOf(node, address(heu)), 80e18, "node");
        assertEq(settlement.pendingOf(deployer, address(heu)), 8e18, "deployer");
        assertEq(settlement.pendingOf(frontend, address(heu)), 5e18, "frontend");
        assertEq(settlement.pendingVotersOf(POD, address(heu)), 2e18, "voters");
        assertEq(settlement.pendingOf(voters, address(heu)), 0, "the pot is nobody's account");
        assertEq(settlement.pendingOf(protocol, address(heu)), 5e18, "protocol");
    }

    function test_GivesAMissingPartysShareToTheNode() public {
        payNode(node, 10e18);

        assertEq(settlement.pendingOf(node, address(heu)), 10e18, "all of it");
    }

    function test_AddsUpOneAccountInTwoRoles() public {
        settle(
            Rows.list(Rows.debit(developer, Rows.HEU, 100e18)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 92e18), Rows.credit(node, Rows.DEPLOYER, Rows.HEU, 8e18))
        );

        assertEq(settlement.pendingOf(node, address(heu)), 100e18, "node and deployer");
    }

    function test_AcceptsABatchOfFreeJobs() public {
        settle(Rows.list(), Rows.list());

        (uint64 number,) = settlement.lastBatch();
        assertEq(number, 1, "settled");
    }

    function test_RevertingRowsLeaveNothingBehind() public {
        (, bytes32 hashBefore) = settlement.lastBatch();
        Batch memory batch = paymentOf(FUNDS_HEU + 1);

        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.CreditVault_InsufficientBalance.selector, developer, address(heu), FUNDS_HEU, FUNDS_HEU + 1
            )
        );
        post(batch);

        (uint64 number, bytes32 hash) = settlement.lastBatch();
        assertEq(number, 0, "number");
        assertEq(hash, hashBefore, "hash");
        assertEq(settlement.pendingOf(node, address(heu)), 0, "escrow");
    }

    function testFuzz_SettlesBothAssetsAtOnce(uint256 heuPayment, uint256 usdPayment) public {
        heuPayment = bound(heuPayment, 0, FUNDS_HEU);
        usdPayment = bound(usdPayment, 0, FUNDS_USD);
        settle(
            Rows.sort(
                Rows.list(Rows.debit(developer, Rows.HEU, heuPayment), Rows.debit(developer, Rows.USD, usdPayment))
            ),
            Rows.sort(
                Rows.list(
                    Rows.credit(node, Rows.NODE, Rows.HEU, heuPayment),
                    Rows.credit(node, Rows.NODE, Rows.USD, usdPayment)
                )
            )
        );

        assertEq(settlement.pendingOf(node, address(heu)), heuPayment, "HEU");
        assertEq(settlement.pendingOf(node, address(usd)), usdPayment, "USD");
        assertEq(vault.reserveOf(address(heu)), heuPayment, "HEU reserve");
        assertEq(vault.reserveOf(address(usd)), usdPayment, "USD reserve");
    }

    /* HELPERS */

    function post(Batch memory batch) private returns (bytes32) {
        vm.prank(sequencer);
        return settlement.settle(batch);
    }

    function expectUnbalanced(address asset, uint256 debits, uint256 credits) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_Unbalanced.selector, asset, debits, credits));
    }

    function shareBpsOf(uint256 role) private pure returns (uint256) {
        return [uint256(8000), 800, 500, 200, 500][role];
    }

    /// @dev A HEU payment with all five parties, split exactly at the shares.
    function paymentOf(uint256 payment) private view returns (Batch memory) {
        address[5] memory accounts = [node, deployer, frontend, voters, protocol];
        uint256[] memory credits = new uint256[](5);
        uint256 rest = payment;
        for (uint256 role = 1; role < 5; ++role) {
            uint256 share = payment * shareBpsOf(role) / 10_000;
            rest -= share;
            credits[role] = Rows.credit(accounts[role], role, Rows.HEU, share);
        }
        credits[0] = Rows.credit(accounts[0], 0, Rows.HEU, rest);

        return nextBatch(Rows.list(Rows.debit(developer, Rows.HEU, payment)), Rows.sort(credits));
    }
}
