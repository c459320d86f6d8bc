// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {GaugesHandler} from "./GaugesHandler.sol";

/// @notice Invariants 30 to 34 of `README.md`.
contract GaugesInvariantTest is EconomyFixture {
    GaugesHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new GaugesHandler(nodeGauge, stake);
        for (uint256 i; i < handler.VOTERS(); ++i) {
            handler.enter(i, 1e24 * (i + 1));
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public view {
        uint256 last = handler.epochNow() + 1;
        uint256 first = last > handler.firstEpoch() + 1 ? last - 1 : handler.firstEpoch();
        for (uint256 epoch = first; epoch <= last; ++epoch) {
            checkEpoch(epoch, epoch == last);
        }
    }

    function checkEpoch(uint256 epoch, bool isNext) private view {
        uint256 total;
        for (uint256 id = 1; id <= handler.IDS(); ++id) {
            uint256 weight = nodeGauge.weightAt(bytes32(id), epoch);
            total += weight;
            uint256 ofVoters;
            for (uint256 i; i < handler.VOTERS(); ++i) {
                ofVoters += nodeGauge.voterWeightAt(bytes32(id), handler.voters(i), epoch);
            }
            assertEq(weight, ofVoters, "30: an id weighs what its voters give");
            if (!isNext) assertEq(weight, handler.weighedAt(epoch, id), "31: what has begun is final");
            if (!isNext) continue;
            assertGe(nodeGauge.multiplierWad(id, epoch), 1e18, "34: multiplier");
            assertLe(nodeGauge.multiplierWad(id, epoch), 2.5e18, "34: multiplier");
        }
        assertEq(nodeGauge.totalWeightAt(epoch), total, "30: the total is all ids");
        for (uint256 i; i < handler.VOTERS(); ++i) {
            checkVoter(epoch, handler.voters(i), isNext);
        }
    }

    function checkVoter(uint256 epoch, address voter, bool isNext) private view {
        uint256 held = isNext ? stake.balanceOf(voter) : handler.heldAt(epoch, voter);
        uint256 sum;
        for (uint256 id = 1; id <= handler.IDS(); ++id) {
            uint256 weight = nodeGauge.voterWeightAt(bytes32(id), voter, epoch);
            sum += weight;
            if (!isNext && !handler.waitedAt(epoch, voter)) {
                assertEq(weight, held * handler.bpsAt(epoch, voter, id), "33: balance times basis points");
            }
        }
        assertLe(sum, held * 10_000, "32: each unit at most once (C5)");
    }

    function test_EveryHandlerActionCanHappen() public {
        handler.vote(0, 3, 1);
        handler.vote(1, 31, 2);
        handler.delegate(0, 1);
        handler.voteBadly(0, 0);
        handler.voteBadly(0, 1);
        handler.voteBadly(0, 2);
        handler.lieAboutABalance(0, 1e30);
        handler.passToTheFlip(1);
        handler.move(0, 1, 1e24);
        handler.vote(2, 1, 1);
        handler.poke(1);
        handler.passToTheFlip(3);
        assertEq(handler.waitedAt(handler.epochNow(), handler.voters(1)) ? 1 : 0, 1, "waited");
        handler.poke(1);
        handler.leave(1, 5e23);
        handler.pass(20 days);
        invariant_AllLawsHold();

        string[8] memory actions = ["enter", "move", "leave", "delegate", "vote", "poke", "pass", "refused"];
        for (uint256 i; i < actions.length; ++i) {
            assertGe(handler.count(actions[i]), 1, actions[i]);
        }
        assertEq(handler.count("refused"), 6, "all bad calls were refused");
    }
}
