// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OperatorSet} from "../../../src/interfaces/external/IAllocationManager.sol";
import {Coverage} from "../../../src/interfaces/ICollateralFloor.sol";
import {Verdict} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {IOwnedFloor, IOwnedRestake, ISimulatedRestaking} from "../../utils/Interfaces.sol";
import {LaunchParameters} from "../../utils/SecurityParametersFixture.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract RestakeAdapterTest is SlasherFixture {
    uint128 private constant HEU_PER_ETH = 50_000e18;
    uint128 private constant CAP = 60_000e18;
    uint32 private constant DELAY = 100_800;
    uint32 private constant HORIZON = 50_000;

    ISimulatedRestaking private manager;
    IOwnedRestake private restake;
    IOwnedFloor private floor;

    function setUp() public override {
        super.setUp();
        manager = ISimulatedRestaking(deploy("SimulatedRestaking", abi.encode(DELAY)));
        restake = IOwnedRestake(deploy("RestakeAdapter", abi.encode(owner, nodes, manager)));
        floor = IOwnedFloor(deploy("CollateralFloor", abi.encode(owner, nodes, LaunchParameters.security())));
        vm.startPrank(owner);
        restake.open("ipfs://service", strategies());
        restake.setRates(HEU_PER_ETH, 2000, CAP);
        restake.setHorizon(HORIZON);
        restake.setSlasher(address(slasher));
        floor.setRestake(address(restake));
        nodes.setFloor(address(floor));
        nodes.setRestake(address(restake));
        slasher.setRestake(address(restake));
        vm.stopPrank();
    }

    /* BACKING */

    function test_RestakedEthCoversANode() public {
        vm.prank(owner);
        nodes.setMinCollateral(1000e18);
        assertFalse(nodes.isActive(hotKey), "HEU alone is not enough");
        back(nodeOwner, nodeId, 0.05 ether);

        // 0.05 ETH at 50,000 HEU, less 20 %.
        assertEq(restake.valueOf(nodeId), 2000e18, "value");
        Coverage memory coverage = nodes.coverageOf(nodeId);
        assertEq(coverage.bonded, MIN_COLLATERAL, "bonded");
        assertEq(coverage.restaked, 2000e18, "restaked");
        assertTrue(coverage.covered, "covered");
        assertTrue(nodes.isActive(hotKey), "active");
        assertEq(restake.operatorOf(nodeId), nodeOwner, "operator");
        assertEq(restake.nodeOf(nodeOwner), nodeId, "node");
    }

    function testFuzz_CountsAtMostTheCap(uint96 stake) public {
        back(nodeOwner, nodeId, stake);
        uint256 value = uint256(stake) * HEU_PER_ETH / 1e18 * 8000 / 10_000;
        assertEq(restake.valueOf(nodeId), value < CAP ? value : CAP, "value");
    }

    function test_RegistersOnRestakedEthAlone() public {
        bytes memory consent = consentOf("restaker", stranger);
        address key = makeAddr("restaker");
        operate(stranger, 1 ether, "");
        vm.prank(stranger);
        uint256 id = nodes.register(key, payout, deadline, consent);

        assertEq(nodes.getNode(id).collateral, 0, "no HEU");
        assertEq(restake.operatorOf(id), stranger, "linked");
        assertTrue(nodes.isActive(key), "active");
    }

    function test_RevertWhen_TheStakeIsTooSmall() public {
        bytes memory consent = consentOf("restaker", stranger);
        address key = makeAddr("restaker");
        operate(stranger, 0.0001 ether, "");
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_CollateralTooLow.selector, 4e18, MIN_COLLATERAL));
        vm.prank(stranger);
        nodes.register(key, payout, deadline, consent);

        // Nor without any stake.
        bytes memory other = consentOf("other", developer);
        key = makeAddr("other");
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_CollateralTooLow.selector, 0, MIN_COLLATERAL));
        vm.prank(developer);
        nodes.register(key, payout, deadline, other);
    }

    function test_RevertWhen_OneStakeBacksTwoNodes() public {
        uint256 second = registerNode("second", nodeOwner);
        back(nodeOwner, nodeId, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_AlreadyLinked.selector, nodeId, nodeOwner));
        vm.prank(nodeOwner);
        restake.link(second);

        vm.prank(nodeOwner);
        nodes.requestExit(nodeId);
        vm.warp(block.timestamp + UNBONDING);
        vm.startPrank(nodeOwner);
        nodes.withdraw(nodeId, nodeOwner);
        restake.link(second);
        vm.stopPrank();
        assertEq(restake.operatorOf(nodeId), address(0), "no more");
        assertEq(restake.nodeOf(nodeOwner), second, "now");
    }

    function test_RevertWhen_TheLinkIsNotTheOwners() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotOperator.selector, nodeOwner));
        vm.prank(nodeOwner);
        restake.link(nodeId);
        operate(stranger, 1 ether, "");
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotNodeOwner.selector, nodeId, stranger));
        vm.prank(stranger);
        restake.link(nodeId);
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotRegistry.selector, stranger));
        vm.prank(stranger);
        restake.linkNew(nodeId, nodeOwner);
    }

    /* LEAVING */

    function test_LeavingStakeCountsNoMoreAndIsSlashable() public {
        back(nodeOwner, nodeId, 1 ether);
        vm.prank(nodeOwner);
        manager.deallocate(address(restake), 0.4 ether);
        vm.roll(block.number + DELAY - HORIZON);
        assertEq(restake.valueOf(nodeId), 24_000e18, "what stays through the horizon");

        convict(2);
        assertEq(stakeOf(nodeOwner), 0.54 ether, "staying: 0.6, less 10 %");
        vm.roll(block.number + DELAY);
        manager.allocate(address(restake), 0);
        assertEq(stakeOf(nodeOwner), 0.54 ether, "left: 0.4, less 10 %");
    }

    function test_ADeregisteredOperatorIsSlashable() public {
        back(nodeOwner, nodeId, 1 ether);
        vm.prank(nodeOwner);
        manager.deregister(address(restake));
        assertEq(restake.valueOf(nodeId), 0, "counts no more");
        convict(2);
        assertEq(stakeOf(nodeOwner), 0.9 ether, "slashed all the same");
    }

    function test_RevertWhen_DeregisteringDuringADispute() public {
        back(nodeOwner, nodeId, 1 ether);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_OpenDispute.selector, nodeId));
        vm.prank(nodeOwner);
        manager.deregister(address(restake));
        convictUnanswered(caseId);
        vm.prank(nodeOwner);
        manager.deregister(address(restake));
    }

    /* SLASHING */

    function testFuzz_OneVerdictSlashesBoth(uint96 stake, bool objective) public {
        back(nodeOwner, nodeId, stake);
        uint256 caseId = bring(2, objective ? fault() : claim(LOG_E_SLASH));
        convictUnanswered(caseId);

        assertClosed(caseId, Verdict.Guilty);
        assertEq(nodes.getNode(nodeId).collateral, objective ? 0 : MIN_COLLATERAL * 9 / 10, "HEU");
        assertEq(stakeOf(nodeOwner), objective ? 0 : stake - uint256(stake) / 10, "ETH");
        assertEq(restake.pendingBps(nodeId), 0, "nothing pending");
    }

    function test_ARefusedSlashStaysPending() public {
        back(nodeOwner, nodeId, 1 ether);
        manager.setPaused(true);
        convict(2);

        assertEq(nodes.getNode(nodeId).collateral, MIN_COLLATERAL * 9 / 10, "HEU is slashed");
        assertEq(stakeOf(nodeOwner), 1 ether, "ETH not yet");
        assertEq(restake.pendingBps(nodeId), 1000, "pending");
        assertEq(restake.valueOf(nodeId), 0, "counts no more");
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_OpenDispute.selector, nodeId));
        vm.prank(nodeOwner);
        manager.deregister(address(restake));
        vm.expectRevert(Errors.SimulatedRestaking_Paused.selector);
        restake.retrySlash(nodeId);

        manager.setPaused(false);
        vm.expectEmit();
        emit Events.RestakeSlashed(nodeId, nodeOwner, 1000);
        restake.retrySlash(nodeId);
        assertEq(stakeOf(nodeOwner), 0.9 ether, "slashed");
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NothingPending.selector, nodeId));
        restake.retrySlash(nodeId);
    }

    function test_NothingRestakedNothingSlashed() public {
        convict(2);
        assertEq(restake.pendingBps(nodeId), 0, "nothing");
    }

    function test_RevertWhen_AStrangerSlashes() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotSlasher.selector, owner));
        vm.prank(owner);
        restake.slash(nodeId, 1);
    }

    /* REGISTRAR AND PARAMETERS */

    function test_RevertWhen_NotTheAllocationManager() public {
        bytes memory refused = abi.encodeWithSelector(Errors.RestakeAdapter_NotAllocationManager.selector, stranger);
        uint32[] memory ids = new uint32[](1);
        vm.startPrank(stranger);
        vm.expectRevert(refused);
        restake.registerOperator(stranger, address(restake), ids, "");
        vm.expectRevert(refused);
        restake.deregisterOperator(nodeOwner, address(restake), ids);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_WrongSet.selector, stranger));
        vm.prank(address(manager));
        restake.registerOperator(stranger, stranger, ids, "");
        assertTrue(restake.supportsAVS(address(restake)), "ours");
        assertFalse(restake.supportsAVS(stranger), "not ours");
    }

    function test_RevertWhen_StrategiesAreBad() public {
        IOwnedRestake fresh = IOwnedRestake(deploy("RestakeAdapter", abi.encode(owner, nodes, manager)));
        address[] memory descending = new address[](2);
        (descending[0], descending[1]) = (address(2), address(1));
        vm.startPrank(owner);
        vm.expectRevert(Errors.RestakeAdapter_BadStrategies.selector);
        fresh.open("", new address[](0));
        vm.expectRevert(Errors.RestakeAdapter_BadStrategies.selector);
        fresh.open("", descending);
        vm.expectRevert(Errors.RestakeAdapter_BadStrategies.selector);
        restake.open("", strategies());
        vm.stopPrank();
    }

    function test_RevertWhen_AParameterIsWrong() public {
        bytes[3] memory calls = [
            abi.encodeCall(restake.setRates, (0, 10_001, 0)),
            abi.encodeCall(restake.setHorizon, (126_001)),
            abi.encodeCall(restake.setSlasher, (stranger))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(restake).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger)),
                vm.toString(i)
            );
            if (i == 2) continue;
            vm.prank(owner);
            (success, reason) = address(restake).call(calls[i]);
            assertEq(bytes32(bytes4(reason)), bytes32(Errors.Shared_OutOfBounds.selector), vm.toString(i));
        }
    }

    function test_RevertWhen_SimulatedOnARealChain() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.SimulatedRestaking_NotADevChain.selector, 1));
        deploy("SimulatedRestaking", abi.encode(DELAY));
    }

    /* HELPERS */

    function strategies() private view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(manager);
    }

    function operate(address operator, uint256 stake, bytes memory data) private {
        vm.startPrank(operator);
        manager.allocate(address(restake), stake);
        manager.register(address(restake), data);
        vm.stopPrank();
    }

    function back(address operator, uint256 id, uint256 stake) private {
        operate(operator, stake, abi.encode(id));
    }

    function convict(uint256 accusers) private {
        uint256 caseId = bring(accusers, claim(LOG_E_SLASH));
        convictUnanswered(caseId);
        assertClosed(caseId, Verdict.Guilty);
    }

    /// @dev What the operator has left for good.
    function stakeOf(address operator) private view returns (uint256) {
        address[] memory operators = new address[](1);
        operators[0] = operator;
        return manager.getMinimumSlashableStake(
            OperatorSet(address(restake), 1), operators, strategies(), type(uint32).max
        )[0][0];
    }
}
