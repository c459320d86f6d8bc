// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title NodeRegistry
/// @notice Open registry of compute nodes and their collateral in native HEU.
contract NodeRegistry is INodeRegistry, Ownable2Step, EIP712 {
    using SafeCast for uint256;

    /* TYPES */

    bytes32 private constant NODE_CONSENT_TYPEHASH =
        keccak256("NodeConsent(address owner,address hotKey,uint64 deadline)");

    /* STORAGE */

    mapping(uint256 nodeId => Node) private _nodes;

    /// @inheritdoc INodeRegistry
    mapping(address hotKey => uint256 nodeId) public nodeOf;

    /// @inheritdoc INodeRegistry
    uint256 public nodeCount;

    /// @inheritdoc INodeRegistry
    uint256 public totalCollateral;

    /// @inheritdoc INodeRegistry
    address public jailer;

    /// @inheritdoc INodeRegistry
    address public slasher;

    /// @inheritdoc INodeRegistry
    uint128 public minCollateral;

    /// @inheritdoc INodeRegistry
    uint32 public unbondingDelaySeconds;

    /* CONSTRUCTOR */

    /// @param minCollateral_ Wei of HEU.
    /// @param unbondingDelaySeconds_ Seconds.
    constructor(address owner, uint128 minCollateral_, uint32 unbondingDelaySeconds_)
        Ownable(owner)
        EIP712("Heurist NodeRegistry", "1")
    {
        _setMinCollateral(minCollateral_);
        _setUnbondingDelay(unbondingDelaySeconds_);
    }

    /* REGISTRATION */

    /// @inheritdoc INodeRegistry
    function register(address hotKey, address payout, uint64 deadline, bytes calldata consent)
        external
        payable
        returns (uint256 nodeId)
    {
        require(payout != address(0), Errors.Shared_ZeroAddress());
        require(msg.value >= minCollateral, Errors.NodeRegistry_CollateralTooLow(msg.value, minCollateral));

        nodeId = ++nodeCount;
        _takeKey(nodeId, hotKey, deadline, consent);
        _nodes[nodeId] = Node({
            owner: msg.sender,
            registeredAt: uint64(block.timestamp),
            jailed: false,
            payout: payout,
            exitableAt: 0,
            hotKey: hotKey,
            collateral: msg.value.toUint128()
        });
        totalCollateral += msg.value;

        emit Events.NodeRegistered({
            nodeId: nodeId, owner: msg.sender, hotKey: hotKey, payout: payout, collateral: msg.value
        });
    }

    /// @inheritdoc INodeRegistry
    function addCollateral(uint256 nodeId) external payable {
        Node storage node = _existing(nodeId);

        node.collateral += msg.value.toUint128();
        totalCollateral += msg.value;

        emit Events.CollateralAdded(nodeId, msg.sender, msg.value, node.collateral);
    }

    /// @inheritdoc INodeRegistry
    function rotateHotKey(uint256 nodeId, address newKey, uint64 deadline, bytes calldata consent) external {
        Node storage node = _owned(nodeId);

        _takeKey(nodeId, newKey, deadline, consent);
        address oldKey = node.hotKey;
        node.hotKey = newKey;

        emit Events.HotKeyRotated(nodeId, oldKey, newKey);
    }

    /// @inheritdoc INodeRegistry
    function setPayout(uint256 nodeId, address payout) external {
        Node storage node = _owned(nodeId);
        require(payout != address(0), Errors.Shared_ZeroAddress());

        node.payout = payout;

        emit Events.PayoutChanged(nodeId, payout);
    }

    /// @dev Binds `hotKey` to the node for ever, if it agrees to serve `msg.sender`.
    function _takeKey(uint256 nodeId, address hotKey, uint64 deadline, bytes calldata consent) private {
        require(nodeOf[hotKey] == 0, Errors.NodeRegistry_KeyTaken(hotKey));
        require(block.timestamp <= deadline, Errors.NodeRegistry_ConsentExpired(deadline));
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(NODE_CONSENT_TYPEHASH, msg.sender, hotKey, deadline)));
        require(
            SignatureChecker.isValidSignatureNowCalldata(hotKey, digest, consent),
            Errors.NodeRegistry_BadConsent(hotKey)
        );

        nodeOf[hotKey] = nodeId;
    }

    /* EXIT */

    /// @inheritdoc INodeRegistry
    function requestExit(uint256 nodeId) external {
        Node storage node = _owned(nodeId);
        require(node.exitableAt == 0, Errors.NodeRegistry_AlreadyExiting(nodeId));

        node.exitableAt = uint64(block.timestamp + unbondingDelaySeconds);

        emit Events.ExitRequested(nodeId, node.exitableAt);
    }

    /// @inheritdoc INodeRegistry
    function withdraw(uint256 nodeId, address receiver) external {
        Node storage node = _owned(nodeId);
        uint64 exitableAt = node.exitableAt;
        require(exitableAt != 0, Errors.NodeRegistry_NotExiting(nodeId));
        require(block.timestamp >= exitableAt, Errors.NodeRegistry_StillUnbonding(nodeId, exitableAt));
        uint64 heldUntil = exitableAt + Constants.MAX_JAIL_HOLD;
        require(!node.jailed || block.timestamp >= heldUntil, Errors.NodeRegistry_Jailed(nodeId, heldUntil));

        uint256 amount = node.collateral;
        delete _nodes[nodeId];
        totalCollateral -= amount;

        emit Events.CollateralWithdrawn(nodeId, receiver, amount);

        NativeTransfer.send(receiver, amount);
    }

    /* DISCIPLINE */

    /// @inheritdoc INodeRegistry
    function setJailed(uint256 nodeId, bool jailed) external {
        require(msg.sender == jailer, Errors.NodeRegistry_NotJailer(msg.sender));
        Node storage node = _existing(nodeId);

        node.jailed = jailed;

        if (jailed) emit Events.NodeJailed(nodeId);
        else emit Events.NodeUnjailed(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function slash(uint256 nodeId, uint256 amount) external returns (uint256 slashed) {
        require(msg.sender == slasher, Errors.NodeRegistry_NotSlasher(msg.sender));
        Node storage node = _existing(nodeId);

        slashed = amount < node.collateral ? amount : node.collateral;
        // Safe cast: at most `node.collateral`.
        node.collateral -= uint128(slashed);
        totalCollateral -= slashed;

        emit Events.NodeSlashed(nodeId, slashed, node.collateral);

        NativeTransfer.send(msg.sender, slashed);
    }

    /* PARAMETERS */

    /// @inheritdoc INodeRegistry
    function setJailer(address jailer_) external onlyOwner {
        jailer = jailer_;

        emit Events.JailerChanged(jailer_);
    }

    /// @inheritdoc INodeRegistry
    function setSlasher(address slasher_) external onlyOwner {
        slasher = slasher_;

        emit Events.SlasherChanged(slasher_);
    }

    /// @inheritdoc INodeRegistry
    function setMinCollateral(uint128 minCollateral_) external onlyOwner {
        _setMinCollateral(minCollateral_);
    }

    /// @inheritdoc INodeRegistry
    function setUnbondingDelay(uint32 unbondingDelaySeconds_) external onlyOwner {
        _setUnbondingDelay(unbondingDelaySeconds_);
    }

    function _setMinCollateral(uint128 minCollateral_) private {
        Bounds.check(minCollateral_, 0, Constants.MAX_MIN_COLLATERAL);

        minCollateral = minCollateral_;

        emit Events.MinCollateralChanged(minCollateral_);
    }

    function _setUnbondingDelay(uint32 delaySeconds) private {
        Bounds.check(delaySeconds, Constants.MIN_UNBONDING_DELAY, Constants.MAX_UNBONDING_DELAY);

        unbondingDelaySeconds = delaySeconds;

        emit Events.UnbondingDelayChanged(delaySeconds);
    }

    /* VIEWS */

    /// @inheritdoc INodeRegistry
    function getNode(uint256 nodeId) external view returns (Node memory) {
        return _existing(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function isActive(address hotKey) external view returns (bool) {
        Node storage node = _nodes[nodeOf[hotKey]];
        return node.hotKey == hotKey && node.owner != address(0) && !node.jailed && node.exitableAt == 0
            && node.collateral >= minCollateral;
    }

    /* INTERNAL */

    function _existing(uint256 nodeId) private view returns (Node storage node) {
        node = _nodes[nodeId];
        require(node.owner != address(0), Errors.NodeRegistry_UnknownNode(nodeId));
    }

    function _owned(uint256 nodeId) private view returns (Node storage node) {
        node = _existing(nodeId);
        require(node.owner == msg.sender, Errors.NodeRegistry_NotOwner(nodeId, msg.sender));
    }
}
