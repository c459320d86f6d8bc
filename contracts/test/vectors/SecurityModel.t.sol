// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SecurityModel, SecurityParameters} from "../../src/libraries/SecurityModel.sol";
import {Test} from "../utils/Test.sol";

/// @notice Appendix A, computed by exact fractions outside, by TypeScript, and here.
contract SecurityModelVectorsTest is Test {
    string private json;

    function test_SecurityModelMatchesTheVectors() public {
        json = vm.readFile("vectors/security-model.json");
        uint256[] memory escrow = column("escrowWei");
        assertGe(escrow.length, 50, "cases");
        for (uint256 i; i < escrow.length; ++i) {
            SecurityParameters memory p = parametersAt(i);
            string memory label = vm.toString(i);
            assertEq(SecurityModel.gainUp(p), at("gain", i), label);
            assertEq(SecurityModel.tasksToDetectUp(p), at("tasksToDetect", i), label);
            assertEq(SecurityModel.exposureUp(p), at("exposure", i), label);
            assertEq(SecurityModel.lostFutureDown(p), at("lostFuture", i), label);
            assertEq(SecurityModel.requiredUp(p, escrow[i]), at("required", i), label);
            assertEq(SecurityModel.floorUp(p, escrow[i]), at("floor", i), label);
        }
    }

    function parametersAt(uint256 i) private view returns (SecurityParameters memory p) {
        p.rewardWei = uint96(at("rewardWei", i));
        p.honestCostWei = uint96(at("honestCostWei", i));
        p.cheatCostWei = uint96(at("cheatCostWei", i));
        p.outsideGainWei = uint96(at("outsideGainWei", i));
        p.identityCostWei = uint96(at("identityCostWei", i));
        p.speedupWad = uint64(at("speedupWad", i));
        p.discountWad = uint64(at("discountWad", i));
        p.auditsToDetect = uint32(at("auditsToDetect", i));
        p.latencyTasks = uint32(at("latencyTasks", i));
        p.auditShareBps = uint16(at("auditShareBps", i));
        p.slashBps = uint16(at("slashBps", i));
        p.heuHaircutBps = uint16(at("heuHaircutBps", i));
    }

    function at(string memory name, uint256 i) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(".floor.", name, "[", vm.toString(i), "]"));
    }

    function column(string memory name) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, string.concat(".floor.", name));
    }
}
