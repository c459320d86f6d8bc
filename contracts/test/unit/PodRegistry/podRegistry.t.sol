// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PodVersion} from "../../../src/interfaces/IPodRegistry.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";

contract PodRegistryTest is Fixture {
    bytes32 private constant MANIFEST = keccak256("manifest");

    /* REGISTER */

    function test_RegistersUnderDeployerAndName() public {
        bytes32 expected = keccak256(abi.encode(developer, "chat"));

        vm.expectEmit();
        emit Events.PodRegistered(expected, developer, "chat");
        vm.expectEmit();
        emit Events.PodVersionPublished(expected, 1, MANIFEST, 10e9, 30e9, 800);
        bytes32 podId = register("chat");

        assertEq(podId, expected, "id");
        assertEq(pods.podIdOf(developer, "chat"), expected, "computed");
        assertEq(pods.getPod(podId).deployer, developer, "deployer");
        assertTrue(pods.getPod(podId).active, "active");
        (uint256 version, PodVersion memory current) = pods.currentVersion(podId);
        assertEq(version, 1, "version");
        assertEq(current.manifestHash, MANIFEST, "manifest");
        assertEq(current.inputNanoCreditsPerMillion, 10e9, "input price");
        assertEq(current.outputNanoCreditsPerMillion, 30e9, "output price");
        assertEq(current.publishedAt, block.timestamp, "time");
        assertEq(current.deployerBps, 800, "share");
    }

    function test_TwoDeployersCanShareAName() public {
        register("chat");
        vm.prank(stranger);
        pods.register("chat", MANIFEST, 1, 1, 800);

        assertTrue(pods.podIdOf(developer, "chat") != pods.podIdOf(stranger, "chat"), "two pods");
    }

    function test_RevertWhen_NameIsRegistered() public {
        bytes32 podId = register("chat");

        vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_AlreadyRegistered.selector, podId));
        register("chat");
    }

    function test_RevertWhen_NameIsEmptyOrTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_BadName.selector, 0));
        register("");
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_BadName.selector, 65));
        register(string(new bytes(65)));
        register(string(new bytes(64)));
    }

    function test_RevertWhen_ManifestIsZero() public {
        vm.expectRevert(Errors.PodRegistry_ZeroManifest.selector);
        vm.prank(developer);
        pods.register("chat", bytes32(0), 1, 1, 800);
    }

    /* PUBLISH */

    function testFuzz_VersionsAreAppended(uint128 input, uint128 output) public {
        bytes32 podId = register("chat");
        bytes32 second = keccak256("second");
        vm.prank(developer);
        assertEq(pods.publish(podId, second, input, output, 300), 2, "number");

        (uint256 version, PodVersion memory current) = pods.currentVersion(podId);
        assertEq(version, 2, "current");
        assertEq(current.manifestHash, second, "manifest");
        assertEq(current.inputNanoCreditsPerMillion, input, "input price");
        assertEq(current.outputNanoCreditsPerMillion, output, "output price");
        assertEq(pods.getVersion(podId, 1).manifestHash, MANIFEST, "the first stays");
    }

    function test_RevertWhen_AStrangerChangesThePod() public {
        bytes32 podId = register("chat");

        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_NotDeployer.selector, podId, stranger));
        pods.publish(podId, MANIFEST, 1, 1, 800);
        vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_NotDeployer.selector, podId, stranger));
        pods.setActive(podId, false);
        vm.stopPrank();
    }

    function test_SwitchesOffAndOn() public {
        bytes32 podId = register("chat");
        vm.startPrank(developer);
        vm.expectEmit();
        emit Events.PodActivityChanged(podId, false);
        pods.setActive(podId, false);
        assertFalse(pods.getPod(podId).active, "off");
        pods.setActive(podId, true);
        assertTrue(pods.getPod(podId).active, "on");
        vm.stopPrank();
    }

    /* UNKNOWN */

    function test_RevertWhen_PodIsUnknown() public {
        bytes memory unknown = abi.encodeWithSelector(Errors.PodRegistry_UnknownPod.selector, MANIFEST);
        vm.expectRevert(unknown);
        pods.getPod(MANIFEST);
        vm.expectRevert(unknown);
        pods.currentVersion(MANIFEST);
        vm.expectRevert(unknown);
        pods.getVersion(MANIFEST, 1);
        vm.expectRevert(unknown);
        pods.publish(MANIFEST, MANIFEST, 1, 1, 800);
    }

    function test_RevertWhen_VersionIsUnknown() public {
        bytes32 podId = register("chat");
        uint256[2] memory versions = [uint256(0), 2];
        for (uint256 i; i < versions.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_UnknownVersion.selector, podId, versions[i]));
            pods.getVersion(podId, versions[i]);
        }
    }

    function register(string memory name) private returns (bytes32) {
        vm.prank(developer);
        return pods.register(name, MANIFEST, 10e9, 30e9, 800);
    }

    /* DEPLOYER'S SHARE */

    function testFuzz_RevertWhen_TheShareIsTooHigh(uint16 share, uint16 max) public {
        max = uint16(bound(max, 0, 2000));
        share = uint16(bound(share, uint256(max) + 1, type(uint16).max));
        vm.prank(owner);
        pods.setMaxDeployerBps(max);

        vm.expectRevert(abi.encodeWithSelector(Errors.PodRegistry_ShareTooHigh.selector, share, max));
        vm.prank(developer);
        pods.register("chat", MANIFEST, 1, 1, share);
    }

    function test_ALowerMaximumLeavesOldVersionsAlone() public {
        bytes32 podId = register("chat");
        vm.expectEmit();
        emit Events.MaxDeployerShareChanged(100);
        vm.prank(owner);
        pods.setMaxDeployerBps(100);

        (, PodVersion memory current) = pods.currentVersion(podId);
        assertEq(current.deployerBps, 800, "as published");
        vm.prank(developer);
        pods.publish(podId, MANIFEST, 1, 1, 100);
        (, current) = pods.currentVersion(podId);
        assertEq(current.deployerBps, 100, "the next one");
    }

    function test_RevertWhen_TheMaximumIsBad() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, 2001, 0, 2000));
        vm.prank(owner);
        pods.setMaxDeployerBps(2001);
        vm.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        pods.setMaxDeployerBps(1);
    }
}
