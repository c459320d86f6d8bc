// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardedPause} from "../../../src/interfaces/IGuardedPause.sol";
import {RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {IOwnable2Step, IOwnedVault} from "../../utils/Interfaces.sol";
import {OwnedFixture} from "../../utils/OwnedFixture.sol";

/// @notice Every setting that is an address; which one is drawn with the rest.
contract AddressesTest is OwnedFixture {
    struct Setting {
        address target;
        bytes4 set;
        bytes4 get;
        bool needed;
    }

    Setting[] private settings;

    function setUp() public override {
        super.setUp();
        optional(address(nodes), nodes.setJailer.selector, nodes.jailer.selector);
        optional(address(nodes), nodes.setSlasher.selector, nodes.slasher.selector);
        optional(address(nodes), nodes.setFloor.selector, nodes.floor.selector);
        optional(address(nodes), nodes.setRestake.selector, nodes.restake.selector);
        optional(address(validators), validators.setSlasher.selector, validators.slasher.selector);
        optional(address(refunds), refunds.setSlasher.selector, refunds.slasher.selector);
        optional(address(restake), restake.setSlasher.selector, restake.slasher.selector);
        optional(address(slasher), slasher.setRestake.selector, slasher.restake.selector);
        optional(address(floor), floor.setRestake.selector, floor.restake.selector);
        IGuardedPause[4] memory guarded = [IGuardedPause(address(vault)), settlement, staked, IGuardedPause(buyback)];
        for (uint256 i; i < guarded.length; ++i) {
            optional(address(guarded[i]), IGuardedPause.setGuardian.selector, IGuardedPause.guardian.selector);
        }
        needed(address(emission), emission.setSequencer.selector, emission.sequencer.selector);
        needed(address(settlement), settlement.setSequencer.selector, settlement.sequencer.selector);
        needed(address(settlement), settlement.setVoterRewards.selector, settlement.voterRewards.selector);
    }

    function testFuzz_IsWhatTheOwnerSays(uint256 which, address first, address second) public {
        Setting memory setting = settings[which % settings.length];
        vm.assume(first != address(0));
        call(setting, owner, first);
        assertEq(read(setting), first, "set");

        (bool success, bytes memory reason) = call(setting, owner, second);
        assertTrue(success == (second != address(0) || !setting.needed), "refuses nothing but a needed zero");
        assertEq(read(setting), success ? second : first, "set again");
        if (!success) assertEq(bytes32(reason), bytes32(Errors.Shared_ZeroAddress.selector), "why");
    }

    function testFuzz_RevertWhen_AnyoneElseSetsIt(uint256 which, address caller, address value) public {
        vm.assume(caller != owner);
        Setting memory setting = settings[which % settings.length];
        address before = read(setting);
        (bool success, bytes memory reason) = call(setting, caller, value);

        assertFalse(success, "refused");
        bytes memory expected = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller);
        assertEq(keccak256(reason), keccak256(expected), "why");
        assertEq(read(setting), before, "the same");
    }

    function testFuzz_TheVaultsSettlementIsSetOnce(address first, address second, address caller) public {
        vm.assume(first != address(0) && second != address(0) && caller != owner);
        bytes memory arguments = abi.encode(owner, heu, usd, HEU_PRICE_USD_WAD, WITHDRAWAL_DELAY);
        IOwnedVault fresh = IOwnedVault(deploy("CreditVault", arguments));
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller));
        vm.prank(caller);
        fresh.setSettlement(first);

        vm.startPrank(owner);
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        fresh.setSettlement(address(0));
        fresh.setSettlement(first);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_SettlementAlreadySet.selector, first));
        fresh.setSettlement(second);
        vm.stopPrank();
        assertEq(fresh.settlement(), first, "for ever");
    }

    function testFuzz_StHeuKnowsItsSourcesAndGauges(uint8 which, address source, address first, address second) public {
        RewardSource kind = RewardSource(which % 3);
        vm.startPrank(owner);
        staked.setRewardSource(kind, source);
        staked.setGauges(first, second);
        vm.stopPrank();

        assertEq(staked.rewardSourceOf(kind), source, "source");
        assertEq(staked.rewardSourceOf(RewardSource((which % 3 + 1) % 3)), address(0), "no other");
        assertEq(staked.nodeGauge(), first, "of nodes");
        assertEq(staked.podGauge(), second, "of pods");
    }

    function testFuzz_RevertWhen_AnyoneElseWiresStHeu(address caller, uint8 which, address value) public {
        vm.assume(caller != owner);
        bytes memory refused = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        staked.setRewardSource(RewardSource(which % 3), value);
        vm.expectRevert(refused);
        staked.setGauges(value, value);
        vm.stopPrank();
    }

    /* HELPERS */

    function optional(address target, bytes4 set, bytes4 get) private {
        settings.push(Setting(target, set, get, false));
    }

    function needed(address target, bytes4 set, bytes4 get) private {
        settings.push(Setting(target, set, get, true));
    }

    function call(Setting memory setting, address caller, address value) private returns (bool, bytes memory) {
        vm.prank(caller);
        return setting.target.call(abi.encodeWithSelector(setting.set, value));
    }

    function read(Setting memory setting) private view returns (address) {
        (, bytes memory answer) = setting.target.staticcall(abi.encodeWithSelector(setting.get));
        return abi.decode(answer, (address));
    }
}
