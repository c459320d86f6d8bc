// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Coverage} from "../../../src/interfaces/ICollateralFloor.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {SecurityParameters} from "../../../src/libraries/SecurityModel.sol";
import {IOwnedFloor} from "../../utils/Interfaces.sol";
import {LaunchParameters} from "../../utils/SecurityParametersFixture.sol";
import {NodeFixture} from "../NodeRegistry/NodeFixture.sol";

contract CollateralFloorTest is NodeFixture {
    uint256 private constant BPS = 10_000;
    uint256 private constant WAD = 1e18;

    IOwnedFloor private floor;
    uint256 private nodeId;

    function setUp() public override {
        super.setUp();
        floor = IOwnedFloor(deploy("CollateralFloor", abi.encode(owner, nodes, LaunchParameters.security())));
        vm.prank(owner);
        nodes.setFloor(address(floor));
        nodeId = registerNode("hot", nodeOwner);
    }

    /* DEPLOYMENT */

    function test_KeepsWhatItWasGiven() public view {
        assertEq(floor.registry(), address(nodes), "registry");
        assertEq(floor.owner(), owner, "owner");
        assertEq(floor.restake(), address(0), "no restaking yet");
        assertEq(
            keccak256(abi.encode(floor.parameters())), keccak256(abi.encode(LaunchParameters.security())), "parameters"
        );
    }

    function test_RevertWhen_RegistryIsZero() public {
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        deploy("CollateralFloor", abi.encode(owner, address(0), LaunchParameters.security()));
    }

    /* FLOOR */

    function test_FloorOfTheLaunchParameters() public {
        // g = 0.00045 + 0.75 * 0.0004 = 0.00075; (g + 0.002) * (60 + 600) = 1.815; / 10 % = 18.15; / 70 % = 25.93.
        assertEq(floor.quote(LaunchParameters.security(), 0), 25_928_571_428_571_428_572, "model");
        vm.prank(owner);
        nodes.setMinCollateral(1);
        assertEq(floor.floorOf(nodeId), 25_928_571_428_571_428_572, "in force");
    }

    function test_FloorIsNeverBelowTheMinimum() public view {
        assertEq(floor.floorOf(nodeId), MIN_COLLATERAL, "the minimum is higher");
        assertTrue(floor.isCovered(nodeId), "covered");
    }

    /// @dev The inequality in exact integers, both sides times everything that divides, written without the library.
    function holds(SecurityParameters memory p, uint256 collateral, uint256 escrow) private pure returns (bool) {
        uint256 n = (p.auditsToDetect * BPS + p.auditShareBps - 1) / p.auditShareBps + p.latencyTasks;
        uint256 profit = p.rewardWei - p.honestCostWei;
        // Times s: g + B = (C_h - C_m + B) + (R - C_h)(1 - 1/s).
        uint256 exposure =
            (uint256(p.honestCostWei - p.cheatCostWei + p.outsideGainWei)
                    * p.speedupWad
                    + profit
                    * (p.speedupWad - WAD)) * n;
        uint256 future = profit * p.discountWad / (WAD - p.discountWad);
        if (future > p.identityCostWei) future = p.identityCostWei;
        // F S (1 - haircut): a share of a share of the collateral, times BPS twice.
        uint256 loss = collateral * p.slashBps * (BPS - p.heuHaircutBps) + (escrow + future) * BPS * BPS;
        return loss * p.speedupWad >= exposure * BPS * BPS;
    }

    function testFuzz_FloorIsTheLeastThatHolds(uint256 seed) public view {
        SecurityParameters memory p = anyParameters(seed);
        uint256 escrow = pick(seed, 20, 0, 10e18);
        uint256 least = floor.quote(p, escrow);

        assertTrue(holds(p, least, escrow), "holds at the floor");
        // Rounding up costs at most one wei of gain a task, scaled by F and the haircut.
        uint256 n = p.auditsToDetect * BPS / p.auditShareBps + 1 + p.latencyTasks;
        uint256 slack = (n * BPS / p.slashBps + 2) * BPS / (BPS - p.heuHaircutBps) + 2;
        if (least > slack) assertFalse(holds(p, least - slack - 1, escrow), "not below");
    }

    function testFuzz_EscrowLowersTheFloor(uint256 seed, uint256 escrow) public view {
        SecurityParameters memory p = anyParameters(seed);
        assertLe(floor.quote(p, escrow), floor.quote(p, 0), "never higher");
        assertEq(floor.quote(p, type(uint256).max), 0, "at least zero");
    }

    function testFuzz_FloorIsMonotone(uint256 seed) public view {
        SecurityParameters memory p = anyParameters(seed);
        uint256 before = floor.quote(p, 0);

        p.outsideGainWei += 1e12;
        uint256 gain = floor.quote(p, 0);
        assertGe(gain, before, "gain");
        p.latencyTasks += 1;
        uint256 latency = floor.quote(p, 0);
        assertGe(latency, gain, "latency");
        if (p.heuHaircutBps < 9000) p.heuHaircutBps += 1;
        uint256 haircut = floor.quote(p, 0);
        assertGe(haircut, latency, "haircut");
        if (p.auditShareBps < BPS) p.auditShareBps += 1;
        assertLe(floor.quote(p, 0), haircut, "more audits");
        p.identityCostWei += 1e18;
        assertLe(floor.quote(p, 0), haircut, "names that cost");
    }

    function test_ThePrintedConditionOfA6HoldsWithoutStake() public view {
        SecurityParameters memory p = LaunchParameters.security();
        (p.rewardWei, p.honestCostWei, p.cheatCostWei, p.outsideGainWei) = (1e18, 0.6e18, 0.2e18, 0);
        (p.speedupWad, p.discountWad, p.latencyTasks, p.auditsToDetect) = (1e18, 0.9e18, 0, 1);
        (p.auditShareBps, p.slashBps, p.heuHaircutBps) = (100, 10_000, 0);

        // As printed: (R - C_h) / (1 - delta) = 4 > R - C_m - P F S = 0.8 with S = 0.
        uint256 honest = uint256(p.rewardWei - p.honestCostWei) * WAD / (WAD - p.discountWad);
        assertGe(honest, p.rewardWei - p.cheatCostWei + 1, "printed: safe with nothing at stake");
        // A.4, which is what A.6 really simplifies to: S > (C_h - C_m) / (P F) = 40.
        assertEq(floor.quote(p, 0), 40e18, "corrected");
        // Not even a priceless name makes up for it: the future that is lost is worth 0.9 * 4 = 3.6.
        p.identityCostWei = 1_000_000e18;
        assertEq(floor.quote(p, 0), 36.4e18, "corrected, with a future to lose");
    }

    /* COVERAGE */

    function testFuzz_CoveredExactlyAtTheFloor(uint128 latency, uint128 surplus) public {
        SecurityParameters memory p = LaunchParameters.security();
        p.latencyTasks = uint32(bound(latency, 600, 10_000_000));
        surplus = uint128(bound(surplus, 0, 400_000e18));
        vm.prank(owner);
        floor.setParameters(p);
        vm.deal(address(this), surplus);
        nodes.addCollateral{value: surplus}(nodeId);

        Coverage memory coverage = nodes.coverageOf(nodeId);
        assertEq(coverage.floor, floor.floorOf(nodeId), "floor");
        assertEq(coverage.bonded, uint256(MIN_COLLATERAL) + surplus, "bonded");
        assertEq(coverage.restaked, 0, "restaked");
        bool expected = coverage.bonded >= coverage.floor;
        assertTrue(coverage.covered == expected, "covered");
        assertTrue(floor.isCovered(nodeId) == expected, "isCovered");
        assertTrue(nodes.isActive(hotKey) == expected, "active");
    }

    function test_ARaisedFloorIdlesTheNode() public {
        SecurityParameters memory p = LaunchParameters.security();
        p.latencyTasks = 10_000;
        vm.expectEmit();
        emit Events.SecurityParametersChanged(27.665e18, 276.65e18, 395_214_285_714_285_714_286, 60);
        vm.prank(owner);
        floor.setParameters(p);

        assertFalse(nodes.isActive(hotKey), "idle");
        uint256 missing = floor.floorOf(nodeId) - MIN_COLLATERAL;
        vm.deal(address(this), missing);
        nodes.addCollateral{value: missing - 1}(nodeId);
        assertFalse(nodes.isActive(hotKey), "one wei short");
        nodes.addCollateral{value: 1}(nodeId);
        assertTrue(nodes.isActive(hotKey), "covered");
    }

    function test_RevertWhen_NodeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 7));
        floor.isCovered(7);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, 7));
        nodes.coverageOf(7);
    }

    /* PARAMETERS */

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes[4] memory calls = [
            abi.encodeCall(floor.setParameters, (LaunchParameters.security())),
            abi.encodeCall(floor.setRestake, (stranger)),
            abi.encodeCall(nodes.setFloor, (stranger)),
            abi.encodeCall(nodes.setRestake, (stranger))
        ];
        for (uint256 i; i < calls.length; ++i) {
            address target = i < 2 ? address(floor) : address(nodes);
            vm.prank(stranger);
            (bool success, bytes memory reason) = target.call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger)),
                vm.toString(i)
            );
        }
    }

    function test_RevertWhen_CostsAreOutOfOrder() public {
        SecurityParameters memory p = LaunchParameters.security();
        p.honestCostWei = p.rewardWei + 1;
        expectOutOfOrder(p);
        p = LaunchParameters.security();
        p.cheatCostWei = p.honestCostWei + 1;
        expectOutOfOrder(p);
    }

    function test_RevertWhen_AValueIsOutOfBounds() public {
        SecurityParameters[10] memory bad;
        for (uint256 i; i < bad.length; ++i) {
            bad[i] = LaunchParameters.security();
        }
        bad[0].rewardWei = 1_000_000e18 + 1;
        bad[1].outsideGainWei = 1_000_000e18 + 1;
        bad[2].identityCostWei = 1_000_000e18 + 1;
        bad[3].speedupWad = 1e18 - 1;
        bad[4].discountWad = 0.9999e18 + 1;
        bad[5].auditsToDetect = 0;
        bad[6].latencyTasks = 10_000_001;
        bad[7].auditShareBps = 0;
        bad[8].slashBps = 10_001;
        bad[9].heuHaircutBps = 9001;
        for (uint256 i; i < bad.length; ++i) {
            vm.prank(owner);
            (bool success, bytes memory reason) = address(floor).call(abi.encodeCall(floor.setParameters, (bad[i])));
            assertFalse(success, vm.toString(i));
            assertEq(bytes32(bytes4(reason)), bytes32(Errors.Shared_OutOfBounds.selector), vm.toString(i));
        }
    }

    /* HELPERS */

    function expectOutOfOrder(SecurityParameters memory p) private {
        bytes memory reason = abi.encodeWithSelector(
            Errors.CollateralFloor_CostsOutOfOrder.selector, p.rewardWei, p.honestCostWei, p.cheatCostWei
        );
        vm.expectRevert(reason);
        vm.prank(owner);
        floor.setParameters(p);
        vm.expectRevert(reason);
        floor.quote(p, 0);
    }

    function pick(uint256 seed, uint256 index, uint256 min, uint256 max) private pure returns (uint256) {
        return bound(uint256(keccak256(abi.encode(seed, index))), min, max);
    }

    function anyParameters(uint256 seed) private pure returns (SecurityParameters memory p) {
        p.rewardWei = uint96(pick(seed, 0, 0, 10e18));
        p.honestCostWei = uint96(pick(seed, 1, 0, p.rewardWei));
        p.cheatCostWei = uint96(pick(seed, 2, 0, p.honestCostWei));
        p.outsideGainWei = uint96(pick(seed, 3, 0, 10e18));
        p.identityCostWei = uint96(pick(seed, 4, 0, 100e18));
        p.speedupWad = uint64(pick(seed, 5, 1e18, 15e18));
        p.discountWad = uint64(pick(seed, 6, 0, 0.9999e18));
        p.auditsToDetect = uint32(pick(seed, 7, 1, 1000));
        p.latencyTasks = uint32(pick(seed, 8, 0, 100_000));
        p.auditShareBps = uint16(pick(seed, 9, 1, BPS));
        p.slashBps = uint16(pick(seed, 10, 1, BPS));
        p.heuHaircutBps = uint16(pick(seed, 11, 0, 9000));
    }
}
