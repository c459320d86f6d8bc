// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {IVestingWallet, VestingTerms} from "../../src/interfaces/IVestingWallet.sol";
import {VestingSchedule} from "../../src/libraries/VestingMath.sol";
import {IOwnedVestingWallets} from "../utils/Interfaces.sol";
import {StakeFixture} from "../utils/StakeFixture.sol";

/// @notice Ten years of stHEU and every vesting schedule, against `vectors/{stake,vesting}.json`.
contract StakeVectorsTest is StakeFixture {
    string private json;
    uint256 private start;

    function column(string memory name) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, string.concat(".timeline.", name));
    }

    function test_TheRateOverTenYearsMatches() public {
        json = vm.readFile("vectors/stake.json");
        start = block.timestamp;
        uint256[] memory at = column("at");
        uint256[] memory operation = column("operation");
        uint256[] memory amount = column("amount");
        uint256[] memory result = column("result");
        assertGe(at.length, 100, "operations");
        uint256[][4] memory expected =
            [column("totalAssets"), column("totalShares"), column("unstreamed"), column("rateWad")];

        for (uint256 i; i < at.length; ++i) {
            string memory label = string.concat("operation ", vm.toString(i));
            vm.warp(start + at[i]);
            assertEq(apply_(operation[i], amount[i]), result[i], label);
            assertEq(staked.totalAssets(), expected[0][i], label);
            assertEq(staked.totalSupply(), expected[1][i], label);
            assertEq(staked.unstreamedRewards(), expected[2][i], label);
            assertEq(staked.rateWad(), expected[3][i], label);
        }
    }

    function apply_(uint256 operation, uint256 amount) private returns (uint256) {
        if (operation == 0) return stake(alice, amount);
        if (operation == 1) {
            reward(RewardSource.Buyback, amount);
            return staked.streamEndsAt() - block.timestamp;
        }
        if (operation == 2) {
            requestExit(alice, amount);
            return staked.exitAt(alice, staked.exitCount(alice) - 1).assets;
        }
        return 0;
    }

    function test_VestingMatches() public {
        json = vm.readFile("vectors/vesting.json");
        IOwnedVestingWallets wallets = IOwnedVestingWallets(deploy("VestingWallets", abi.encode(owner, heu)));
        uint256[] memory total = vm.parseJsonUintArray(json, ".schedule.total");
        uint256[] memory startBps = vm.parseJsonUintArray(json, ".schedule.startBps");
        uint256[] memory cliff = vm.parseJsonUintArray(json, ".schedule.cliffSeconds");
        uint256[] memory vest = vm.parseJsonUintArray(json, ".schedule.vestSeconds");
        uint256[] memory elapsed = vm.parseJsonUintArray(json, ".schedule.elapsedSeconds");
        uint256[] memory vested = vm.parseJsonUintArray(json, ".schedule.vested");
        assertGe(total.length, 80, "cases");

        vm.startPrank(owner);
        for (uint256 i; i < total.length; ++i) {
            vm.deal(owner, total[i]);
            VestingSchedule memory schedule =
                VestingSchedule(uint128(total[i]), uint16(startBps[i]), uint32(cliff[i]), uint32(vest[i]));
            address wallet = wallets.create{value: total[i]}("x", VestingTerms(alice, 1_000_000, false, schedule));
            assertEq(
                IVestingWallet(wallet).vestedAt(uint64(1_000_000 + elapsed[i])),
                vested[i],
                string.concat("case ", vm.toString(i))
            );
        }
    }
}
