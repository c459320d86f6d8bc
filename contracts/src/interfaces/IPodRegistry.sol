// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One published version of a pod. Never changed, never removed.
/// @param manifestHash keccak256 of the canonical manifest.
/// @param inputNanoCreditsPerMillion Price of 1,000,000 input units (tokens for an LLM), in nano-credits.
/// @param outputNanoCreditsPerMillion Price of 1,000,000 output units, in nano-credits.
/// @param publishedAt Unix seconds.
/// @param deployerBps The deployer's share of a payment, basis points.
struct PodVersion {
    bytes32 manifestHash;
    uint128 inputNanoCreditsPerMillion;
    uint128 outputNanoCreditsPerMillion;
    uint64 publishedAt;
    uint16 deployerBps;
}

/// @notice One pod.
/// @param deployer May publish versions; receives the deployer's share.
/// @param active Whether new jobs are wanted.
/// @param versionCount Versions published; they are numbered from 1.
struct Pod {
    address deployer;
    bool active;
    uint64 versionCount;
}

/// @title IPodRegistry
/// @notice What can be run, by whom, at what price. Anyone can register.
interface IPodRegistry {
    /// @notice Registers the caller's pod `name` (1 to 64 bytes) with its first version. It starts active.
    /// @param deployerBps At most `maxDeployerBps`.
    /// @return podId `keccak256(abi.encode(deployer, name))`.
    function register(
        string calldata name,
        bytes32 manifestHash,
        uint128 inputNanoCreditsPerMillion,
        uint128 outputNanoCreditsPerMillion,
        uint16 deployerBps
    ) external returns (bytes32 podId);

    /// @notice Appends a version. Only the deployer.
    /// @return version Its number.
    function publish(
        bytes32 podId,
        bytes32 manifestHash,
        uint128 inputNanoCreditsPerMillion,
        uint128 outputNanoCreditsPerMillion,
        uint16 deployerBps
    ) external returns (uint256 version);

    /// @notice Bounds the deployers' shares of versions from now on, basis points. Only the contract's owner.
    /// @dev Keep it at or below the deployers' share of `JobSettlement`: a batch whose deployers get more is refused.
    function setMaxDeployerBps(uint16 maxDeployerBps) external;

    /// @notice Says whether new jobs are wanted. Only the deployer.
    function setActive(bytes32 podId, bool active) external;

    /// @notice The id of `deployer`'s pod `name`, registered or not.
    function podIdOf(address deployer, string calldata name) external pure returns (bytes32 podId);

    /// @notice Reverts with `PodRegistry_UnknownPod` for an id that is not there.
    function getPod(bytes32 podId) external view returns (Pod memory);

    /// @notice The version in force: the last one.
    function currentVersion(bytes32 podId) external view returns (uint256 version, PodVersion memory);

    /// @notice Version `version`, counted from 1.
    function getVersion(bytes32 podId, uint256 version) external view returns (PodVersion memory);

    function maxDeployerBps() external view returns (uint16);
}
