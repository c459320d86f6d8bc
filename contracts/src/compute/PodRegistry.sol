// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IPodRegistry, Pod, PodVersion} from "../interfaces/IPodRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NameLib} from "../libraries/NameLib.sol";

/// @title PodRegistry
/// @notice Open registry of pods: append-only versions of manifest hash, price and deployer's share.
contract PodRegistry is IPodRegistry, Ownable2Step {
    /* STORAGE */

    mapping(bytes32 podId => Pod) private _pods;
    mapping(bytes32 podId => mapping(uint256 version => PodVersion)) private _versions;

    /// @inheritdoc IPodRegistry
    uint16 public maxDeployerBps;

    /* CONSTRUCTOR */

    constructor(address owner) Ownable(owner) {
        _setMaxDeployerBps(Constants.DEPLOYER_BPS);
    }

    /* REGISTRATION */

    /// @inheritdoc IPodRegistry
    function register(
        string calldata name,
        bytes32 manifestHash,
        uint128 inputNanoCreditsPerMillion,
        uint128 outputNanoCreditsPerMillion,
        uint16 deployerBps
    ) external returns (bytes32 podId) {
        NameLib.check(name);
        podId = podIdOf(msg.sender, name);
        require(_pods[podId].deployer == address(0), Errors.PodRegistry_AlreadyRegistered(podId));

        _pods[podId] = Pod({deployer: msg.sender, active: true, versionCount: 0});

        emit Events.PodRegistered(podId, msg.sender, name);

        _publish(podId, manifestHash, inputNanoCreditsPerMillion, outputNanoCreditsPerMillion, deployerBps);
    }

    /// @inheritdoc IPodRegistry
    function publish(
        bytes32 podId,
        bytes32 manifestHash,
        uint128 inputNanoCreditsPerMillion,
        uint128 outputNanoCreditsPerMillion,
        uint16 deployerBps
    ) external returns (uint256 version) {
        _checkDeployer(podId);

        return _publish(podId, manifestHash, inputNanoCreditsPerMillion, outputNanoCreditsPerMillion, deployerBps);
    }

    /// @inheritdoc IPodRegistry
    function setActive(bytes32 podId, bool active) external {
        _checkDeployer(podId);

        _pods[podId].active = active;

        emit Events.PodActivityChanged(podId, active);
    }

    function _publish(
        bytes32 podId,
        bytes32 manifestHash,
        uint128 inputNanoCreditsPerMillion,
        uint128 outputNanoCreditsPerMillion,
        uint16 deployerBps
    ) private returns (uint256 version) {
        require(manifestHash != bytes32(0), Errors.PodRegistry_ZeroManifest());
        require(deployerBps <= maxDeployerBps, Errors.PodRegistry_ShareTooHigh(deployerBps, maxDeployerBps));

        version = ++_pods[podId].versionCount;
        _versions[podId][version] = PodVersion({
            manifestHash: manifestHash,
            inputNanoCreditsPerMillion: inputNanoCreditsPerMillion,
            outputNanoCreditsPerMillion: outputNanoCreditsPerMillion,
            publishedAt: uint64(block.timestamp),
            deployerBps: deployerBps
        });

        emit Events.PodVersionPublished({
            podId: podId,
            version: version,
            manifestHash: manifestHash,
            inputNanoCreditsPerMillion: inputNanoCreditsPerMillion,
            outputNanoCreditsPerMillion: outputNanoCreditsPerMillion,
            deployerBps: deployerBps
        });
    }

    /* PARAMETERS */

    /// @inheritdoc IPodRegistry
    function setMaxDeployerBps(uint16 maxDeployerBps_) external onlyOwner {
        _setMaxDeployerBps(maxDeployerBps_);
    }

    function _setMaxDeployerBps(uint16 maxDeployerBps_) private {
        Bounds.check(maxDeployerBps_, 0, Constants.MAX_DEPLOYER_SHARE_BPS);

        maxDeployerBps = maxDeployerBps_;

        emit Events.MaxDeployerShareChanged(maxDeployerBps_);
    }

    /* VIEWS */

    /// @inheritdoc IPodRegistry
    function podIdOf(address deployer, string calldata name) public pure returns (bytes32 podId) {
        return keccak256(abi.encode(deployer, name));
    }

    /// @inheritdoc IPodRegistry
    function getPod(bytes32 podId) external view returns (Pod memory) {
        return _existing(podId);
    }

    /// @inheritdoc IPodRegistry
    function currentVersion(bytes32 podId) external view returns (uint256 version, PodVersion memory) {
        version = _existing(podId).versionCount;
        return (version, _versions[podId][version]);
    }

    /// @inheritdoc IPodRegistry
    function getVersion(bytes32 podId, uint256 version) external view returns (PodVersion memory) {
        require(
            version != 0 && version <= _existing(podId).versionCount, Errors.PodRegistry_UnknownVersion(podId, version)
        );

        return _versions[podId][version];
    }

    /* INTERNAL */

    function _existing(bytes32 podId) private view returns (Pod memory pod) {
        pod = _pods[podId];
        require(pod.deployer != address(0), Errors.PodRegistry_UnknownPod(podId));
    }

    function _checkDeployer(bytes32 podId) private view {
        require(_existing(podId).deployer == msg.sender, Errors.PodRegistry_NotDeployer(podId, msg.sender));
    }
}
