// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch} from "../../src/interfaces/IJobSettlement.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Rows} from "../utils/Rows.sol";

/// @notice Gas of one settlement transaction (base fee and calldata included), all rows in one asset, with one deployer,
/// one frontend, the voters and the protocol besides the nodes. The plain figure is the steady state of a sequencer that
/// posts every few minutes: every account known and in its open escrow window. The others say what the edges cost.
contract SettlementGasTest is Fixture {
    uint256 private asset = Rows.HEU;

    function test_Gas_1Job() public {
        measure("1 job, 1 account, 1 node", 1, 1, 1);
    }

    function test_Gas_100Jobs() public {
        measure("100 jobs, 10 accounts, 10 nodes", 100, 10, 10);
    }

    function test_Gas_1000Jobs() public {
        measure("1000 jobs, 10 accounts, 50 nodes", 1000, 10, 50);
    }

    /// @dev What the design's bar cannot mean: 604 rows cost about 6,000 gas each, so 1,000 jobs share 3.6 million.
    function test_Gas_1000JobsOfManyAccounts() public {
        measure("1000 jobs, 100 accounts, 500 nodes", 1000, 100, 500);
    }

    function test_Gas_100000Jobs() public {
        measure("100000 jobs, 100 accounts, 500 nodes", 100_000, 100, 500);
    }

    /// @dev The stablecoin's reserve has a slot of its own, HEU's shares one.
    function test_Gas_1000JobsInUsd() public {
        asset = Rows.USD;
        measure("1000 jobs, 10 accounts, 50 nodes, stablecoin", 1000, 10, 50);
    }

    function measure(string memory name, uint256 jobs, uint256 payers, uint256 earners) private {
        (uint256[] memory debits, uint256[] memory credits) = rowsOf(jobs, payers, earners);
        fundPayers(payers);

        record(string.concat(name, ": first batch ever"), batchOf(jobs, debits, credits), jobs);
        record(name, batchOf(jobs, debits, credits), jobs);
        vm.warp(block.timestamp + WINDOW);
        record(string.concat(name, ": first batch of a window"), batchOf(jobs, debits, credits), jobs);
        vm.warp(block.timestamp + WINDOW);
        settlementPost(batchOf(jobs, debits, credits));
        vm.warp(block.timestamp + WINDOW);
        record(string.concat(name, ": first batch of a later window"), batchOf(jobs, debits, credits), jobs);
    }

    function record(string memory name, Batch memory batch, uint256 jobs) private {
        settlementPost(batch);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("settle", name, gas);
        vm.snapshotValue("settle-per-job", name, gas / jobs);
    }

    function settlementPost(Batch memory batch) private {
        vm.prank(sequencer);
        settlement.settle(batch);
    }

    function batchOf(uint256 jobs, uint256[] memory debits, uint256[] memory credits)
        private
        view
        returns (Batch memory batch)
    {
        batch = nextBatch(debits, credits);
        batch.jobCount = uint32(jobs);
    }

    function fundPayers(uint256 payers) private {
        for (uint256 i; i < payers; ++i) {
            address payer = vm.addr(makeKey(string.concat("payer", vm.toString(i))));
            fundHeu(payer, 1_000_000e18);
            fundUsd(payer, 100_000e6);
            capAll(payer);
        }
    }

    /// @dev Every payer pays the same, every node earns the same; one deployer, one frontend, the voters and the
    /// protocol get their shares.
    function rowsOf(uint256 jobs, uint256 payers, uint256 earners)
        private
        view
        returns (uint256[] memory debits, uint256[] memory credits)
    {
        uint256 total = (asset == Rows.HEU ? 0.0123456789e18 : 12_345) * jobs;
        debits = new uint256[](payers);
        for (uint256 i; i < payers; ++i) {
            uint256 amount = i == 0 ? total - total / payers * (payers - 1) : total / payers;
            debits[i] = Rows.debit(vm.addr(makeKey(string.concat("payer", vm.toString(i)))), asset, amount);
        }

        credits = new uint256[](earners + 4);
        uint256 rest = total;
        uint16[5] memory bps = [0, 800, 500, 200, 500];
        for (uint256 role = 1; role < 5; ++role) {
            uint256 share = total * bps[role] / 10_000;
            rest -= share;
            credits[earners + role - 1] =
                Rows.credit(vm.addr(makeKey(string.concat("party", vm.toString(role)))), role, asset, share);
        }
        for (uint256 i; i < earners; ++i) {
            uint256 amount = i == 0 ? rest - rest / earners * (earners - 1) : rest / earners;
            credits[i] = Rows.credit(vm.addr(makeKey(string.concat("node", vm.toString(i)))), Rows.NODE, asset, amount);
        }
        Rows.sort(debits);
        Rows.sort(credits);
    }
}
