// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Frontend, IFrontendRegistry} from "../interfaces/IFrontendRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NameLib} from "../libraries/NameLib.sol";

/// @title FrontendRegistry
/// @notice Open registry of frontends.
contract FrontendRegistry is IFrontendRegistry, Ownable2Step {
    /* STORAGE */

    mapping(bytes32 frontendId => Frontend) private _frontends;

    /// @inheritdoc IFrontendRegistry
    uint16 public maxFeeBps;

    /* CONSTRUCTOR */

    constructor(address owner) Ownable(owner) {
        _setMaxFeeBps(Constants.FRONTEND_BPS);
    }

    /* REGISTRATION */

    /// @inheritdoc IFrontendRegistry
    function register(string calldata name, uint16 feeBps, address payout, bytes32 referralRoot)
        external
        returns (bytes32 frontendId)
    {
        NameLib.check(name);
        frontendId = frontendIdOf(msg.sender, name);
        require(_frontends[frontendId].owner == address(0), Errors.FrontendRegistry_AlreadyRegistered(frontendId));

        _frontends[frontendId].owner = msg.sender;

        emit Events.FrontendRegistered(frontendId, msg.sender, name);

        _update(frontendId, feeBps, payout, referralRoot);
    }

    /// @inheritdoc IFrontendRegistry
    function update(bytes32 frontendId, uint16 feeBps, address payout, bytes32 referralRoot) external {
        _owned(frontendId);

        _update(frontendId, feeBps, payout, referralRoot);
    }

    /// @inheritdoc IFrontendRegistry
    function transferFrontend(bytes32 frontendId, address newOwner) external {
        Frontend storage frontend = _owned(frontendId);
        require(newOwner != address(0), Errors.Shared_ZeroAddress());

        frontend.owner = newOwner;

        emit Events.FrontendOwnerChanged(frontendId, msg.sender, newOwner);
    }

    function _update(bytes32 frontendId, uint16 feeBps, address payout, bytes32 referralRoot) private {
        require(feeBps <= maxFeeBps, Errors.FrontendRegistry_FeeTooHigh(feeBps, maxFeeBps));
        require(payout != address(0), Errors.Shared_ZeroAddress());

        Frontend storage frontend = _frontends[frontendId];
        frontend.feeBps = feeBps;
        frontend.payout = payout;
        frontend.referralRoot = referralRoot;

        emit Events.FrontendUpdated(frontendId, feeBps, payout, referralRoot);
    }

    /* PARAMETERS */

    /// @inheritdoc IFrontendRegistry
    function setMaxFeeBps(uint16 maxFeeBps_) external onlyOwner {
        _setMaxFeeBps(maxFeeBps_);
    }

    function _setMaxFeeBps(uint16 maxFeeBps_) private {
        Bounds.check(maxFeeBps_, 0, Constants.MAX_FRONTEND_FEE_BPS);

        maxFeeBps = maxFeeBps_;

        emit Events.MaxFeeChanged(maxFeeBps_);
    }

    /* VIEWS */

    /// @inheritdoc IFrontendRegistry
    function isReferred(bytes32 frontendId, address hotKey, bytes32[] calldata proof) external view returns (bool) {
        // Hashed twice, so that no inner node of the tree can pass for a leaf. No proof leads to a zero root.
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(hotKey))));

        return MerkleProof.verifyCalldata(proof, _existing(frontendId).referralRoot, leaf);
    }

    /// @inheritdoc IFrontendRegistry
    function frontendIdOf(address owner, string calldata name) public pure returns (bytes32 frontendId) {
        return keccak256(abi.encode(owner, name));
    }

    /// @inheritdoc IFrontendRegistry
    function getFrontend(bytes32 frontendId) external view returns (Frontend memory) {
        return _existing(frontendId);
    }

    /* INTERNAL */

    function _existing(bytes32 frontendId) private view returns (Frontend storage frontend) {
        frontend = _frontends[frontendId];
        require(frontend.owner != address(0), Errors.FrontendRegistry_UnknownFrontend(frontendId));
    }

    function _owned(bytes32 frontendId) private view returns (Frontend storage frontend) {
        frontend = _existing(frontendId);
        require(frontend.owner == msg.sender, Errors.FrontendRegistry_NotOwner(frontendId, msg.sender));
    }
}
