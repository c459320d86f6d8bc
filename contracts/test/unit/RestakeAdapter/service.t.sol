// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CreateSetParams, OperatorSet, SlashingParams} from "../../../src/interfaces/external/IAllocationManager.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {IOwnedRestake, ISimulatedRestaking} from "../../utils/Interfaces.sol";
import {NodeFixture} from "../NodeRegistry/NodeFixture.sol";

/// @notice The adapter with this test as its slasher, and the simulated protocol behind it.
contract ServiceTest is NodeFixture {
    uint32 private constant DELAY = 100;

    ISimulatedRestaking private manager;
    IOwnedRestake private restake;
    uint256 private nodeId;

    function setUp() public override {
        super.setUp();
        manager = ISimulatedRestaking(deploy("SimulatedRestaking", abi.encode(DELAY)));
        restake = IOwnedRestake(deploy("RestakeAdapter", abi.encode(owner, nodes, manager)));
        vm.startPrank(owner);
        restake.open("ipfs://service", strategies());
        restake.setRates(1e18, 0, 10_000_000e18);
        restake.setHorizon(1);
        // It answers that nothing is disputed.
        restake.setSlasher(address(this));
        vm.stopPrank();
        nodeId = registerNode("hot", nodeOwner);
    }

    function hasOpenDispute(uint256) external pure returns (bool) {
        return false;
    }

    /* THE REGISTRAR */

    function testFuzz_RevertWhen_NotTheAllocationManager(address caller, address avs) public {
        vm.assume(caller != address(manager) && avs != address(restake));
        bytes memory refused = abi.encodeWithSelector(Errors.RestakeAdapter_NotAllocationManager.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        restake.registerOperator(nodeOwner, address(restake), new uint32[](1), "");
        vm.expectRevert(refused);
        restake.deregisterOperator(nodeOwner, address(restake), new uint32[](1));
        vm.stopPrank();
        bytes memory wrong = abi.encodeWithSelector(Errors.RestakeAdapter_WrongSet.selector, avs);
        vm.startPrank(address(manager));
        vm.expectRevert(wrong);
        restake.registerOperator(nodeOwner, avs, new uint32[](1), "");
        vm.expectRevert(wrong);
        restake.deregisterOperator(nodeOwner, avs, new uint32[](1));
        vm.stopPrank();
    }

    function testFuzz_RevertWhen_TheLinkIsNotItsOwn(address caller, uint256 id) public {
        vm.assume(caller != nodeOwner && caller != address(nodes));
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotOperator.selector, caller));
        restake.link(id);
        manager.register(address(restake), "");
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotNodeOwner.selector, nodeId, caller));
        restake.link(nodeId);
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotRegistry.selector, caller));
        restake.linkNew(nodeId, nodeOwner);
        vm.stopPrank();
        assertEq(restake.operatorOf(nodeId), address(0), "nobody's");
    }

    function testFuzz_ALinkCountsWhatItsOperatorAllocated(uint96 stake, uint96 leaves) public {
        vm.startPrank(nodeOwner);
        manager.allocate(address(restake), stake);
        manager.register(address(restake), "");
        restake.link(nodeId);
        uint256 all = stake < 10_000_000e18 ? stake : 10_000_000e18;
        assertEq(restake.valueOf(nodeId), all, "all of it, up to the cap");
        manager.deallocate(address(restake), leaves);
        vm.roll(block.number + DELAY);
        uint256 rest = leaves < stake ? stake - leaves : 0;
        assertEq(restake.valueOf(nodeId), rest < 10_000_000e18 ? rest : 10_000_000e18, "what stays");
        manager.deregister(address(restake));
        vm.stopPrank();
        assertEq(restake.valueOf(nodeId), 0, "nothing");
    }

    function testFuzz_LinkingANewNodeAsksWhetherItIsAnOperators(bool registered, uint96 stake) public {
        vm.startPrank(nodeOwner);
        manager.allocate(address(restake), stake);
        if (registered) manager.register(address(restake), "");
        vm.stopPrank();
        vm.prank(address(nodes));
        uint256 value = restake.linkNew(nodeId, nodeOwner);

        assertEq(value, registered ? restake.valueOf(nodeId) : 0, "value");
        assertEq(restake.operatorOf(nodeId), registered ? nodeOwner : address(0), "operator");
    }

    /* SLASHING */

    function testFuzz_ASlashTakesItsShareOnceHoweverItComes(uint96 stake, uint16 bps, uint16 more, bool paused) public {
        bps = uint16(bound(bps, 1, 10_000));
        more = uint16(bound(more, 1, 10_000));
        back(stake);
        manager.setPaused(paused);
        restake.slash(nodeId, bps);
        uint256 left = stake - uint256(stake) * bps / 10_000;
        assertEq(stakeOf(), paused ? stake : left, "at once, or not yet");
        assertEq(restake.pendingBps(nodeId), paused ? bps : 0, "pending");

        restake.slash(nodeId, more);
        manager.setPaused(false);
        (bool success,) = address(restake).call(abi.encodeCall(restake.retrySlash, (nodeId)));
        uint256 sum = uint256(bps) + more < 10_000 ? uint256(bps) + more : 10_000;
        assertTrue(success == paused, "only what is pending");
        assertEq(restake.pendingBps(nodeId), 0, "nothing left");
        assertEq(stakeOf(), paused ? stake - uint256(stake) * sum / 10_000 : left - left * more / 10_000, "both, once");
    }

    function testFuzz_RevertWhen_AnyoneElseSlashes(address caller, uint16 bps) public {
        vm.assume(caller != address(this));
        back(1e18);
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NotSlasher.selector, caller));
        restake.slash(nodeId, bps);
        vm.expectRevert(abi.encodeWithSelector(Errors.RestakeAdapter_NothingPending.selector, nodeId));
        restake.retrySlash(nodeId);
        vm.stopPrank();
        assertEq(stakeOf(), 1e18, "all there");
    }

    /* PARAMETERS */

    function testFuzz_RatesAreTakenWholeOrNotAtAll(uint128 price, uint16 haircut, uint128 cap, bool fit) public {
        if (fit) (price, haircut, cap) = (price % 1e27, haircut % 10_001, cap % 10_000_000e18);
        bool fits = price <= 1e27 && haircut <= 10_000 && cap <= 10_000_000e18;
        vm.prank(owner);
        (bool success,) = address(restake).call(abi.encodeCall(restake.setRates, (price, haircut, cap)));
        (uint128 priceNow, uint16 haircutNow, uint128 capNow) = restake.rates();

        assertTrue(success == fits, "exactly what fits");
        assertEq(priceNow, success ? price : 1e18, "price");
        assertEq(haircutNow, success ? haircut : 0, "haircut");
        assertEq(capNow, success ? cap : 10_000_000e18, "cap");
    }

    function testFuzz_RevertWhen_AnyoneElseGoverns(address caller) public {
        vm.assume(caller != owner);
        bytes memory refused = abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        restake.setRates(0, 0, 0);
        vm.expectRevert(refused);
        restake.open("", strategies());
        vm.stopPrank();
    }

    function testFuzz_OpensOnceForAscendingStrategies(address first, address second) public {
        IOwnedRestake fresh = IOwnedRestake(deploy("RestakeAdapter", abi.encode(owner, nodes, manager)));
        address[] memory two = new address[](2);
        (two[0], two[1]) = (first, second);
        vm.startPrank(owner);
        (bool success,) = address(fresh).call(abi.encodeCall(fresh.open, ("", two)));
        assertTrue(success == (first < second), "ascending, so each once");
        assertEq(fresh.strategies().length, success ? 2 : 0, "kept");
        if (success) vm.expectRevert(Errors.RestakeAdapter_BadStrategies.selector);
        fresh.open("", strategies());
        vm.stopPrank();
    }

    /* THE SIMULATED PROTOCOL */

    function testFuzz_RevertWhen_AnyoneActsForAService(address caller, address registrar) public {
        vm.assume(caller != address(restake));
        bytes memory refused = abi.encodeWithSelector(Errors.SimulatedRestaking_NotAuthorised.selector, caller);
        SlashingParams memory params;
        vm.startPrank(caller);
        vm.expectRevert(refused);
        manager.updateAVSMetadataURI(address(restake), "");
        vm.expectRevert(refused);
        manager.setAVSRegistrar(address(restake), registrar);
        vm.expectRevert(refused);
        manager.createOperatorSets(address(restake), new CreateSetParams[](0));
        vm.expectRevert(refused);
        manager.slashOperator(address(restake), params);
        vm.stopPrank();
    }

    /* HELPERS */

    function strategies() private view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(manager);
    }

    function back(uint256 stake) private {
        vm.startPrank(nodeOwner);
        manager.allocate(address(restake), stake);
        manager.register(address(restake), abi.encode(nodeId));
        vm.stopPrank();
    }

    function stakeOf() private view returns (uint256) {
        address[] memory operators = new address[](1);
        operators[0] = nodeOwner;
        OperatorSet memory set = OperatorSet(address(restake), 1);
        return manager.getMinimumSlashableStake(set, operators, strategies(), type(uint32).max)[0][0];
    }
}
