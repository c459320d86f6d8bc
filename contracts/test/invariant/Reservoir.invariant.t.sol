// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Grant, ReservoirUse} from "../../src/interfaces/IReservoir.sol";
import {ReservoirFixture} from "../utils/ReservoirFixture.sol";
import {ReservoirHandler} from "./ReservoirHandler.sol";

/// @notice Invariants 70 to 72 of `README.md`.
contract ReservoirInvariantTest is ReservoirFixture {
    ReservoirHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new ReservoirHandler(reservoir, owner);
        handler.setBudget(0, 200e18);
        handler.setBudget(1, 300e18);
        handler.setBudget(2, 200e18);
        handler.grant(10e18, 30 days);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public view {
        uint256 booked = reservoir.unallocated() + reservoir.owedToGrants();
        uint256 spent;
        for (uint256 use = 0; use < 3; use++) {
            booked += reservoir.budgetOf(ReservoirUse(use));
            spent += reservoir.spentOn(ReservoirUse(use));
        }
        assertEq(address(reservoir).balance, booked + handler.forced(), "70: everything is booked");
        assertEq(1_000e18 + handler.filled(), booked + spent, "71: conservation");
        uint256 owed;
        for (uint256 id = 1; id <= reservoir.grantCount(); ++id) {
            Grant memory stored = reservoir.getGrant(id);
            assertEq(stored.claimed, handler.paid(id), "72: paid what was claimed");
            assertLe(stored.claimed + reservoir.claimableOf(id), stored.amount, "72: never more than the grant");
            owed += stored.amount - stored.claimed;
        }
        assertEq(reservoir.owedToGrants(), owed, "72: the sum of remainders");
    }

    function test_EveryHandlerActionCanHappen() public {
        handler.fill(5e18);
        handler.force(1e18);
        handler.rent(20e18);
        handler.topUp(30e18);
        handler.grant(40e18, 10 days);
        handler.pass(3 days);
        handler.claim(1);
        handler.cancel(1);
        handler.claim(0);
        handler.pass(20 days);

        assertEq(reservoir.grantCount(), 2, "grants");
        assertEq(handler.paid(2), 12e18, "three days of forty");
        assertEq(reservoir.spentOn(ReservoirUse.Rental), 20e18, "rented");
        assertEq(reservoir.spentOn(ReservoirUse.Staking), 30e18, "topped up");
        invariant_AllLawsHold();
    }
}
