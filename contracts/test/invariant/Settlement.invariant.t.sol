// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Escrow} from "../../src/interfaces/IJobSettlement.sol";
import {Fixture} from "../utils/Fixture.sol";
import {SettlementHandler} from "./SettlementHandler.sol";

/// @notice Invariants 1 to 9 and 20 to 22 of `README.md`.
contract SettlementInvariantTest is Fixture {
    SettlementHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new SettlementHandler(SettlementHandler.World(heu, usd, vault, settlement, sequencer));
        vm.prank(owner);
        settlement.setVoterRewards(address(handler));
        // Everybody starts with money and a cap, so that most settlements move something.
        for (uint256 i; i < 3; ++i) {
            handler.depositHeu(i, 1e23);
            handler.depositUsd(i, 50_000e6);
            handler.raiseCap(i, false, 1e24, 30 days);
            handler.raiseCap(i, true, 1e24, 30 days);
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public view {
        for (uint256 asset; asset < 2; ++asset) {
            address token = vault.assetOf(asset);
            uint256 balances = sumOfBalances(token);
            uint256 reserve = vault.reserveOf(token);
            uint256 holdings = asset == 0 ? address(vault).balance : usd.balanceOf(address(vault));
            assertGe(holdings, balances + reserve, "1: the vault is solvent");
            assertEq(handler.deposited(asset), balances + reserve + handler.paidOut(asset), "2: conservation");
            uint256 owed = checkEarners(asset, token) + checkPots(asset, token);
            assertEq(reserve, owed, "3: the reserve is the escrow");
            checkOrganic(asset);
            checkPayers(asset, token);
            checkShares(asset);
        }
        assertLe(heu.totalSupply(), address(heu).balance, "6: wrapped HEU is backed");
        (uint64 number, bytes32 hash) = settlement.lastBatch();
        assertEq(number, handler.batches(), "7: the number counts batches");
        assertEq(hash, handler.lastHash(), "7: the hashes are linked");
    }

    function sumOfBalances(address token) private view returns (uint256 sum) {
        for (uint256 i; i < 3; ++i) {
            sum += vault.accountOf(handler.payers(i), token).balance;
        }
    }

    function checkEarners(uint256 asset, address token) private view returns (uint256 owed) {
        for (uint256 i; i < 4; ++i) {
            address earner = handler.earners(i);
            Escrow memory escrow = settlement.escrowOf(earner, token);
            uint256 mine = escrow.newest + escrow.maturing + escrow.claimable;
            uint256 credited = handler.creditedOf(asset, earner);
            uint256 claimed = handler.claimedOf(asset, earner);
            uint256 claimable = settlement.claimableOf(earner, token);
            assertEq(credited - claimed, mine, "4: credits minus claims are owed");
            assertEq(claimable + settlement.pendingOf(earner, token), mine, "4: claimable and pending are all");
            assertLe(
                claimed + claimable,
                handler.finalAtMost(asset, earner, settlement.challengeWindowSeconds()),
                "9: nothing is final before its window"
            );
            owed += mine;
        }
    }

    function checkPots(uint256 asset, address token) private view returns (uint256 owed) {
        for (uint256 i; i < 2; ++i) {
            bytes32 podId = handler.podIds(i);
            address pot = settlement.potOf(podId);
            Escrow memory escrow = settlement.escrowOfPot(pot, token);
            uint256 mine = escrow.newest + escrow.maturing + escrow.claimable;
            assertEq(
                handler.creditedOf(asset, pot) - handler.claimedOf(asset, pot),
                mine,
                "20: pots keep what is not claimed"
            );
            uint256 claimable = settlement.claimableVotersOf(podId, token);
            assertEq(claimable + settlement.pendingVotersOf(podId, token), mine, "20: claimable and pending are all");
            assertEq(
                settlement.claimableOf(pot, token) + settlement.pendingOf(pot, token), 0, "21: a pot is no account"
            );
            owed += mine;
        }
    }

    /// @dev The handler's calls stay within the first few epochs.
    function checkOrganic(uint256 asset) private view {
        uint256 organic;
        uint256 last = (block.timestamp - EPOCH_GENESIS) / 7 days;
        for (uint256 epoch; epoch <= last; ++epoch) {
            (uint256 heuRevenue, uint256 usdRevenue) = settlement.organicRevenueOf(epoch);
            organic += asset == 0 ? heuRevenue : usdRevenue;
        }
        assertGe(organic, handler.openOf(asset), "22: open jobs count whole");
        assertLe(organic, handler.organicAtMost(asset), "22: others count up to the protocol's share");
        assertLe(organic, handler.paymentsOf(asset), "22: organic revenue was really paid");
    }

    function checkPayers(uint256 asset, address token) private view {
        for (uint256 i; i < 3; ++i) {
            address payer = handler.payers(i);
            uint256 spent = vault.spent(payer, token);
            assertEq(spent, handler.debitedOf(asset, payer), "5: spent is what was debited");
            assertLe(spent, vault.capOf(payer, token).cumulative, "5: within the cap");
        }
    }

    function checkShares(uint256 asset) private view {
        uint256[5] memory totals;
        uint256 all;
        for (uint256 role; role < 5; ++role) {
            totals[role] = handler.creditedTo(asset, role);
            all += totals[role];
        }
        assertGe(totals[0] * 2, all, "8: nodes got at least half");
        assertLe(totals[1] * 10_000, all * 800, "8: deployers");
        assertLe(totals[2] * 10_000, all * 500, "8: frontends");
        assertLe(totals[3] * 10_000, all * 200, "8: voters");
        assertLe(totals[4] * 10_000, all * 500, "8: protocol");
    }

    /// @dev The handler's branches are all reachable: a bound that silently skips everything would prove nothing.
    function test_EveryHandlerActionCanHappen() public {
        handler.depositWrapped(0, 5e18);
        handler.settleOne(0, false, 1e20, 12_345);
        handler.settleBoth(1, 1e20, 1e6, 54_321);
        handler.requestWithdrawal(2, true, 1e6);
        handler.pass(2 hours);
        handler.executeWithdrawal(2, true);
        for (uint256 i; i < 4; ++i) {
            handler.claim(i, false, i % 2 == 0);
        }
        for (uint256 i; i < 2; ++i) {
            handler.claimVoters(i, false);
        }
        handler.revokeCap(0, false);
        string[11] memory actions = [
            "depositHeu",
            "depositWrapped",
            "depositUsd",
            "raiseCap",
            "revokeCap",
            "requestWithdrawal",
            "executeWithdrawal",
            "settleOne",
            "settleBoth",
            "claim",
            "claimVoters"
        ];
        for (uint256 i; i < actions.length; ++i) {
            assertGe(handler.count(actions[i]), 1, actions[i]);
        }
        invariant_AllLawsHold();
    }
}
