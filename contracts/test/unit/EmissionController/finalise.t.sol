// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EpochPhase, NodeReport} from "../../../src/interfaces/IEmissionController.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";

contract FinaliseTest is EconomyFixture {
    uint256 private epoch;

    function setUp() public override {
        super.setUp();
        epoch = epochNow();
    }

    function test_RevertWhen_TheEpochIsNotOver() public {
        vm.warp(startOf(epoch + 1) - 1);
        expectWrongPhase(EpochPhase.Running, EpochPhase.Ready);
        emission.finalise(epoch);
        expectWrongPhase(EpochPhase.Running, EpochPhase.Reporting);
        emission.open(epoch);
    }

    function test_RevertWhen_ClosedTwice() public {
        close(epoch, reports(reportOf(1, 10_000, 1, 1)));
        uint256 filled = reservoir.filled();
        expectWrongPhase(EpochPhase.Final, EpochPhase.Ready);
        vm.prank(stranger);
        emission.finalise(epoch);
        expectWrongPhase(EpochPhase.Final, EpochPhase.Reporting);
        report(epoch, reports(reportOf(2, 10_000, 1, 1)));
        emission.open(epoch);
        assertEq(reservoir.filled(), filled, "nothing more");
    }

    function test_RevertWhen_TheVaultIsUnderfunded() public {
        uint256 budget = budgetOf(epoch);
        vm.deal(address(emission), budget - 1);
        warpTo(epoch + 1);
        report(epoch, reports(reportOf(1, 10_000, 1, 1)));
        seal(epoch);
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_Underfunded.selector, budget - 1, budget));
        emission.finalise(epoch);

        (bool success,) = payable(address(emission)).call{value: 0}("");
        assertTrue(success, "takes coins");
        vm.deal(address(emission), budget);
        emission.finalise(epoch);
    }

    /* REVENUE */

    function test_RevenueSetsTheParts() public {
        // R in percent of the supply a year (x 100), and E the same way.
        uint256[6] memory revenue = [uint256(0), 100, 250, 500, 750, 1000];
        uint256[6] memory expected = [uint256(125), 175, 250, 375, 500, 500];
        for (uint256 i; i < revenue.length; ++i) {
            uint256 each = epoch + 20 * i;
            setRevenue(each, 1_000_000_000e18 * revenue[i] / 10_000 / 4, 0);
            warpTo(each + 1);
            emission.open(each);

            string memory label = vm.toString(revenue[i]);
            uint256 budget = budgetOf(each);
            assertEq(emission.emissionOf(each).revenueRateWad, revenue[i] * 1e14, label);
            assertEq(emission.emissionOf(each).basePart, budget / 4, label);
            uint256 nodes = emission.emissionOf(each).basePart + emission.emissionOf(each).dynamicPart;
            assertEq(nodes, budget * expected[i] / 500, label);
            assertEq(emission.emissionOf(each).reservoirPart, budget - nodes, label);
        }
    }

    function test_RevenueIsOfThirteenEpochs() public {
        setRevenue(20, 7_000_000e18, 0);
        setRevenue(32, 0, 150_000e6);
        setRevenue(33, 1_000_000e18, 0);

        // 150,000 USD at 0.05 USD are 3 M HEU.
        assertEq(emission.quoteRevenueRateWad(32), 10_000_000e18 * 4 / uint256(1e9), "20 to 32");
        assertEq(emission.quoteRevenueRateWad(33), 4_000_000e18 * 4 / uint256(1e9), "21 to 33");
        assertEq(emission.quoteRevenueRateWad(19), 0, "before");
        setRevenue(0, 1_000_000e18, 0);
        assertEq(emission.quoteRevenueRateWad(0), 1_000_000e18 * 4 / uint256(1e9), "missing weeks count as none");
    }

    function test_RevenueIsFixedWhenOpened() public {
        setRevenue(epoch, 0, 100_000e6);
        warpTo(epoch + 1);
        uint256 rate = emission.quoteRevenueRateWad(epoch);
        vm.expectEmit();
        emit Events.EpochOpened(
            epoch, rate, budgetOf(epoch) / 4, nodesPart(rate) - budgetOf(epoch) / 4, budgetOf(epoch) - nodesPart(rate)
        );
        vm.prank(stranger);
        emission.open(epoch);
        vm.prank(owner);
        vault.setHeuPriceUsdWad(0.001e18);
        emission.open(epoch);

        assertEq(emission.emissionOf(epoch).revenueRateWad, rate, "a later price changes nothing");
        assertTrue(emission.quoteRevenueRateWad(epoch) != rate, "though it would now");
    }

    /* NOBODY TO PAY */

    function test_NoReportGivesAllToTheReservoir() public {
        setRevenue(epoch, 1_000_000e18, 0);
        vm.warp(startOf(epoch + 1) + 3 days - 1);
        expectWrongPhase(EpochPhase.Reporting, EpochPhase.Ready);
        emission.finalise(epoch);
        vm.warp(block.timestamp + 1);

        vm.expectEmit();
        emit Events.EpochFinalised(epoch, 0, 0, budgetOf(epoch));
        vm.prank(stranger);
        emission.finalise(epoch);
        assertEq(reservoir.filled(), budgetOf(epoch), "all of it");
        assertEq(emission.owed(), 0, "nothing for nodes");
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NothingToClaim.selector, 1, epoch));
        emission.claim(1, epoch);
    }

    function test_ADeadSequencerLocksNothing() public {
        warpTo(600);
        vm.startPrank(stranger);
        for (uint256 i; i < 520; ++i) {
            emission.finalise(519 - i);
        }
        vm.stopPrank();
        assertEq(reservoir.filled(), EMISSION, "all of it");
        assertEq(address(emission).balance, 0, "nothing left");
    }

    function test_APartWithoutWeightGoesToTheReservoir() public {
        setRevenue(epoch, 1_000_000e18, 0);
        uint256 nodes = nodesPart(1_000_000e18 * 4 / uint256(1e9));
        uint256 base = budgetOf(epoch) / 4;
        close(epoch, reports(reportOf(1, 10_000, 1, 0)));
        assertEq(reservoir.filled(), budgetOf(epoch) - base, "no organic job");
        assertEq(emission.owed(), base, "base to nodes");

        setRevenue(epoch, 0, 0);
        setRevenue(epoch + 1, 1_000_000e18, 0);
        close(epoch + 1, reports(reportOf(1, 0, 1, 5)));
        assertEq(emission.rewardOf(1, epoch + 1), nodes - base, "nobody available: dynamic part only");
    }

    /* SUMS */

    function testFuzz_PartsAddUpToTheBudget(uint256 which, uint96 heuRevenue, uint96 usdRevenue, uint32[4] memory work)
        public
    {
        uint256 each = bound(which, epoch, 519);
        setRevenue(each, bound(heuRevenue, 0, 1e27), bound(usdRevenue, 0, 1e18));
        warpTo(each + 1);
        NodeReport[] memory items =
            reports(reportOf(1, uint64(work[0] % 10_001), work[1], work[2]), reportOf(3, 10_000, work[3], work[0]));
        close(each, items);

        uint256 nodes = emission.rewardOf(1, each) + emission.rewardOf(3, each);
        assertEq(emission.owed(), nodes, "what is owed is what nodes earned");
        assertEq(nodes + reservoir.filled(), budgetOf(each), "E + reservoir = 5 % (C2)");
    }

    function test_TheVaultEndsAtZero() public {
        // Opened reports and closes in an order that is neither forwards nor backwards; every third is never reported.
        uint256 paid;
        for (uint256 each = 1; each < 520; ++each) {
            setRevenue(each, each % 5 == 0 ? 3_000_000e18 : 1e18, 7);
            warpTo(each + 1);
            if (each % 3 == 0) continue;
            report(each, reports(reportOf(1, 9000, 3, 1), reportOf(2 + each % 2, 1234, 7, uint128(each % 4))));
            seal(each);
        }
        warpTo(530);
        for (uint256 i; i < 520; ++i) {
            uint256 each = i * 77 % 520;
            vm.prank(i % 2 == 0 ? stranger : alice);
            emission.finalise(each);
            for (uint256 nodeId = 1; nodeId <= 3; ++nodeId) {
                if (emission.rewardOf(nodeId, each) != 0) paid += emission.claim(nodeId, each);
            }
        }
        assertEq(address(emission).balance, 0, "exactly nothing");
        assertEq(emission.owed(), 0, "owes nothing");
        assertEq(paid + reservoir.filled(), EMISSION, "500 M went out");
        assertEq(payout.balance, paid, "to nodes");
    }

    /* HELPERS */

    function budgetOf(uint256 each) private pure returns (uint256) {
        return EMISSION * (each + 1) / 520 - EMISSION * each / 520;
    }

    function nodesPart(uint256 revenueRateWad) private view returns (uint256) {
        uint256 rate = 0.0125e18 + revenueRateWad / 2;
        return budgetOf(epoch) * (rate < 0.05e18 ? rate : 0.05e18) / 0.05e18;
    }

    function expectWrongPhase(EpochPhase phase, EpochPhase expected) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_WrongPhase.selector, epoch, phase, expected));
    }
}
