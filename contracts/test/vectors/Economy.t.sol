// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EmissionMath} from "../../src/libraries/EmissionMath.sol";
import {GaugeMath} from "../../src/libraries/GaugeMath.sol";
import {Test} from "../utils/Test.sol";

/// @notice Holds the rules of emission and votes against `vectors/emission.json` and `vectors/gauges.json`.
contract EconomyVectorsTest is Test {
    function test_BudgetsMatchAndEndAtZero() public view {
        string memory json = vm.readFile("vectors/emission.json");
        uint256[] memory budgets = vm.parseJsonUintArray(json, ".budgets");
        assertEq(budgets.length, 520, "epochs");
        uint256 sum;
        for (uint256 i; i < budgets.length; ++i) {
            assertEq(EmissionMath.budgetOf(i), budgets[i], vm.toString(i));
            sum += EmissionMath.budgetOf(i);
        }
        assertEq(sum, 500_000_000e18, "half of the supply, to the wei");
        assertEq(EmissionMath.budgetOf(520), 0, "then nothing");
        assertEq(EmissionMath.budgetOf(type(uint256).max), 0, "ever");
    }

    function test_EmissionCurveMatches() public view {
        string memory json = vm.readFile("vectors/emission.json");
        uint256[] memory epochs = column(json, ".curve.epoch");
        uint256[] memory revenue = column(json, ".curve.trailingRevenue");
        uint256[] memory revenueRates = column(json, ".curve.revenueRateWad");
        uint256[] memory rates = column(json, ".curve.rateWad");
        uint256[][3] memory expected =
            [column(json, ".curve.base"), column(json, ".curve.dynamic"), column(json, ".curve.reservoir")];
        assertGe(epochs.length, 100, "cases");

        for (uint256 i; i < epochs.length; ++i) {
            string memory label = vm.toString(i);
            assertEq(EmissionMath.revenueRateWadDown(revenue[i]), revenueRates[i], label);
            assertEq(EmissionMath.rateWadDown(revenueRates[i]), rates[i], label);
            uint256 budget = EmissionMath.budgetOf(epochs[i]);
            (uint256 base, uint256 dynamic, uint256 reservoir) = EmissionMath.cut(budget, revenueRates[i]);
            assertEq(base, expected[0][i], label);
            assertEq(dynamic, expected[1][i], label);
            assertEq(reservoir, expected[2][i], label);
        }
    }

    function test_NodeSharesMatch() public view {
        string memory json = vm.readFile("vectors/emission.json");
        uint256[] memory pools = column(json, ".shares.pool");
        uint256[] memory weights = column(json, ".shares.weight");
        uint256[] memory before = column(json, ".shares.weightBefore");
        uint256[] memory totals = column(json, ".shares.totalWeight");
        uint256[] memory payouts = column(json, ".shares.payout");
        assertGe(pools.length, 20, "cases");

        for (uint256 i; i < pools.length; ++i) {
            uint256 payout = EmissionMath.cutDown(pools[i], before[i], weights[i], totals[i]);
            assertEq(payout, payouts[i], vm.toString(i));
        }
    }

    function test_DollarsMatch() public view {
        string memory json = vm.readFile("vectors/emission.json");
        uint256[] memory usd = column(json, ".dollars.usd");
        uint256[] memory prices = column(json, ".dollars.heuPriceUsdWad");
        uint256[] memory heu = column(json, ".dollars.heu");
        assertGe(usd.length, 20, "cases");

        for (uint256 i; i < usd.length; ++i) {
            assertEq(EmissionMath.heuForUsdDown(usd[i], prices[i]), heu[i], vm.toString(i));
        }
    }

    function test_VoteSharesMatch() public view {
        string memory json = vm.readFile("vectors/gauges.json");
        uint256[] memory weights = column(json, ".share.weight");
        uint256[] memory totals = column(json, ".share.totalWeight");
        uint256[] memory quorums = column(json, ".share.quorumWeight");
        uint256[] memory shares = column(json, ".share.shareWad");
        assertGe(weights.length, 20, "cases");

        for (uint256 i; i < weights.length; ++i) {
            assertEq(GaugeMath.shareWadDown(weights[i], totals[i], quorums[i]), shares[i], vm.toString(i));
        }
    }

    function test_MultipliersMatch() public view {
        string memory json = vm.readFile("vectors/gauges.json");
        uint256[] memory shares = column(json, ".multiplier.shareWad");
        uint256[] memory saturations = column(json, ".multiplier.saturationBps");
        uint256[] memory multipliers = column(json, ".multiplier.multiplierWad");
        assertGe(shares.length, 40, "cases");

        for (uint256 i; i < shares.length; ++i) {
            assertEq(GaugeMath.multiplierWadDown(shares[i], saturations[i]), multipliers[i], vm.toString(i));
        }
    }

    function test_CeilingsMatch() public view {
        string memory json = vm.readFile("vectors/gauges.json");
        uint256[] memory shares = column(json, ".ceiling.shareWad");
        uint256[] memory slots = column(json, ".ceiling.networkSlots");
        uint256[] memory factors = column(json, ".ceiling.factorBps");
        uint256[] memory minima = column(json, ".ceiling.guaranteedReplicas");
        uint256[] memory ceilings = column(json, ".ceiling.ceiling");
        assertGe(shares.length, 100, "cases");

        for (uint256 i; i < shares.length; ++i) {
            uint256 ceiling = GaugeMath.replicaCeilingDown(shares[i], slots[i], factors[i], minima[i]);
            assertEq(ceiling, ceilings[i], vm.toString(i));
        }
    }

    function test_VoterPartsMatch() public view {
        string memory json = vm.readFile("vectors/gauges.json");
        uint256[] memory pots = column(json, ".voters.pot");
        uint256[] memory mine = column(json, ".voters.voterWeight");
        uint256[] memory all = column(json, ".voters.weight");
        uint256[] memory amounts = column(json, ".voters.amount");
        assertGe(pots.length, 20, "cases");

        for (uint256 i; i < pots.length; ++i) {
            assertEq(GaugeMath.voterPartDown(pots[i], mine[i], all[i]), amounts[i], vm.toString(i));
        }
    }

    function column(string memory json, string memory key) private pure returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, key);
    }
}
