// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Case, Stage, Verdict} from "../../src/interfaces/ISlasher.sol";
import {SlasherFixture} from "../utils/SlasherFixture.sol";
import {CasesHandler} from "./CasesHandler.sol";

/// @notice Invariants 50 to 57 of `README.md`.
contract CasesInvariantTest is SlasherFixture {
    CasesHandler private handler;

    function setUp() public override {
        super.setUp();
        registerNode("second", stranger);
        registerNode("third", nodeOwner);
        fundHeu(developer, 1000e18);
        capAll(developer);
        payNode(nodeOwner, 10e18);
        payNode(stranger, 10e18);
        pass(2 * WINDOW);
        handler = new CasesHandler(settlement, nodes, slasher, validators, v);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public view {
        assertMoney();
        assertEq(handler.escapes(), 0, "54: no exit before an open dispute");
        assertEq(handler.thaws(), 0, "57: a jailed node's owner is paid nothing");
        assertEq(handler.refusals(), 0, "57: nobody else waits");
        (uint256 bonds, uint256 locked) = sums();
        assertEq(validators.totalBonds(), bonds, "51: bonds");
        assertEq(openLocks(), locked, "52: locked = engaged in open cases");
        uint256 pots;
        for (uint256 caseId = 1; caseId <= slasher.caseCount(); ++caseId) {
            (uint256 amount,,) = refunds.potOf(caseId);
            pots += amount;
            Case memory c = slasher.getCase(caseId);
            bool open = slasher.openCaseOf(c.nodeId) == caseId;
            assertTrue(open == (c.stage != Stage.Closed), "55: one open case a node");
            assertTrue((c.verdict == Verdict.Open) == open, "55: a verdict ends it");
        }
        assertEq(address(refunds).balance, pots, "53: refunds");
        assertEq(pots, refundsOf(handler.slashed()), "53: a fifth of what was slashed");
    }

    /// @dev Rounded down case by case, so at most a wei a case below.
    function refundsOf(uint256 slashed) private view returns (uint256) {
        uint256 most = slashed / 5;
        uint256 held = address(refunds).balance;
        return held <= most && most - held <= slasher.caseCount() ? held : most;
    }

    function sums() private view returns (uint256 bonds, uint256 locked) {
        for (uint256 i; i < v.length; ++i) {
            bonds += bondOf(v[i]);
            locked += lockedOf(v[i]);
            assertLe(lockedOf(v[i]), bondOf(v[i]), "52: a lock is covered");
        }
    }

    function openLocks() private view returns (uint256 locked) {
        uint256 engagements;
        for (uint256 i; i < v.length; ++i) {
            engagements += validators.getValidator(v[i]).engagements;
            if (validators.getValidator(v[i]).engagements != 0) locked += lockedOf(v[i]);
        }
        bool anyOpen = slasher.openCaseOf(1) != 0 || slasher.openCaseOf(2) != 0 || slasher.openCaseOf(3) != 0;
        if (!anyOpen) assertEq(engagements, 0, "52: nobody is held without a case");
    }

    function test_EveryHandlerActionCanHappen() public {
        handler.accuse(0, 0, LOG_E_SLASH, false);
        handler.claimEarnings(2);
        assertEq(handler.earned(), 0, "frozen, also by its other node");
        handler.claimEarnings(1);
        assertEq(handler.earned(), 10e18, "the other owner is not");
        handler.accuse(1, 0, LOG_E_SLASH, false);
        handler.gather(0, type(uint256).max / 255 * 0xb5);
        handler.expire(0);
        handler.draw(0, 1);
        handler.judge(0, type(uint256).max);
        handler.accuse(2, 1, LOG_E_SLASH, false);
        handler.accuse(3, 1, LOG_E_SLASH, false);
        handler.escape(1, 1e18);
        handler.gather(1, 5 + (5 << 3));
        handler.dispute(1);
        handler.draw(1, 1);
        handler.judge(1, type(uint256).max);
        handler.pass(3 days);
        handler.leave(5);
        handler.pass(3 days);
        handler.comeBack(5);
        handler.withdraw(1);
        handler.withdraw(2);

        assertGe(slasher.caseCount(), 2, "cases");
        assertGe(handler.slashed(), 1, "slashed");
        assertGe(handler.paid(), 1, "paid");
        assertGe(handler.bondsOut(), 1, "left");
        invariant_AllLawsHold();
    }
}
