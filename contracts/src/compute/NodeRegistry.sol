// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Coverage, ICollateralFloor} from "../interfaces/ICollateralFloor.sol";
import {INodeRegistry, Node, Unbonding} from "../interfaces/INodeRegistry.sol";
import {IRestakeAdapter} from "../interfaces/IRestakeAdapter.sol";
import {ISlasher} from "../interfaces/ISlasher.sol";
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
    mapping(uint256 nodeId => Unbonding) private _unbonding;

    /// @inheritdoc INodeRegistry
    mapping(address hotKey => uint256 nodeId) public nodeOf;

    /// @inheritdoc INodeRegistry
    mapping(address owner => uint256) public jailedNodesOf;

    /// @inheritdoc INodeRegistry
    uint256 public nodeCount;

    /// @inheritdoc INodeRegistry
    uint256 public totalCollateral;

    /// @inheritdoc INodeRegistry
    address public jailer;

    /// @inheritdoc INodeRegistry
    address public slasher;

    /// @inheritdoc INodeRegistry
    address public floor;

    /// @inheritdoc INodeRegistry
    address public restake;

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
        require(!_isBarred(msg.sender), Errors.NodeRegistry_Barred(msg.sender));

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

        uint256 backing = msg.value;
        if (backing < minCollateral && restake != address(0)) {
            backing += IRestakeAdapter(restake).linkNew(nodeId, msg.sender);
        }
        require(backing >= minCollateral, Errors.NodeRegistry_CollateralTooLow(backing, minCollateral));
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

    /* PARTIAL UNBONDING */

    /// @inheritdoc INodeRegistry
    function requestUnbond(uint256 nodeId, uint128 amount) external {
        Node storage node = _owned(nodeId);
        require(node.exitableAt == 0, Errors.NodeRegistry_AlreadyExiting(nodeId));
        require(_unbonding[nodeId].releasableAt == 0, Errors.NodeRegistry_AlreadyUnbonding(nodeId));
        require(
            amount != 0 && amount <= node.collateral, Errors.NodeRegistry_UnbondTooMuch(nodeId, amount, node.collateral)
        );

        uint64 releasableAt = uint64(block.timestamp + unbondingDelaySeconds);
        _unbonding[nodeId] = Unbonding(amount, releasableAt);

        emit Events.UnbondRequested(nodeId, amount, releasableAt);
    }

    /// @inheritdoc INodeRegistry
    function cancelUnbond(uint256 nodeId) external {
        _owned(nodeId);
        Unbonding memory unbonding = _unbonding[nodeId];
        require(unbonding.releasableAt != 0, Errors.NodeRegistry_NotUnbonding(nodeId));

        delete _unbonding[nodeId];

        emit Events.UnbondCancelled(nodeId, unbonding.amount);
    }

    /// @inheritdoc INodeRegistry
    function completeUnbond(uint256 nodeId, address receiver) external returns (uint256 amount) {
        Node storage node = _owned(nodeId);
        Unbonding memory unbonding = _unbonding[nodeId];
        require(unbonding.releasableAt != 0, Errors.NodeRegistry_NotUnbonding(nodeId));
        _demandLeave(nodeId, node.jailed, unbonding.releasableAt);

        amount = unbonding.amount;
        delete _unbonding[nodeId];
        node.collateral -= unbonding.amount;
        totalCollateral -= amount;

        emit Events.Unbonded({nodeId: nodeId, receiver: receiver, amount: amount, collateral: node.collateral});

        NativeTransfer.send(receiver, amount);
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
        _demandLeave(nodeId, node.jailed, exitableAt);

        uint256 amount = node.collateral;
        if (node.jailed) jailedNodesOf[msg.sender] -= 1;
        delete _nodes[nodeId];
        delete _unbonding[nodeId];
        totalCollateral -= amount;

        emit Events.CollateralWithdrawn(nodeId, receiver, amount);

        NativeTransfer.send(receiver, amount);
    }

    /// @dev Collateral leaves after its delay, not past a jail, and never past an open dispute.
    function _demandLeave(uint256 nodeId, bool jailed, uint64 dueAt) private view {
        require(block.timestamp >= dueAt, Errors.NodeRegistry_StillUnbonding(nodeId, dueAt));
        uint64 heldUntil = dueAt + Constants.MAX_JAIL_HOLD;
        require(!jailed || block.timestamp >= heldUntil, Errors.NodeRegistry_Jailed(nodeId, heldUntil));
        require(!_hasOpenDispute(nodeId), Errors.NodeRegistry_OpenDispute(nodeId));
    }

    /* DISCIPLINE */

    /// @inheritdoc INodeRegistry
    function setJailed(uint256 nodeId, bool jailed) external {
        require(msg.sender == jailer, Errors.NodeRegistry_NotJailer(msg.sender));
        Node storage node = _existing(nodeId);

        // A verdict may jail a node that is jailed already: it counts once.
        if (node.jailed != jailed) {
            node.jailed = jailed;
            if (jailed) jailedNodesOf[node.owner] += 1;
            else jailedNodesOf[node.owner] -= 1;
        }

        if (jailed) emit Events.NodeJailed(nodeId);
        else emit Events.NodeUnjailed(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function slash(uint256 nodeId, uint256 amount) external returns (uint256 slashed) {
        require(msg.sender == slasher, Errors.NodeRegistry_NotSlasher(msg.sender));
        Node storage node = _existing(nodeId);

        uint256 before = node.collateral;
        slashed = amount < before ? amount : before;
        // Safe cast: at most `node.collateral`.
        node.collateral -= uint128(slashed);
        Unbonding storage unbonding = _unbonding[nodeId];
        if (unbonding.amount != 0) {
            // What leaves and what stays lose the same share; rounded down, so the rest covers it. Safe cast: not above
            // the amount before. `before` is not zero, because what leaves was part of it.
            unbonding.amount = uint128(uint256(unbonding.amount) * node.collateral / before);
        }
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
    function setFloor(address floor_) external onlyOwner {
        floor = floor_;

        emit Events.FloorChanged(floor_);
    }

    /// @inheritdoc INodeRegistry
    function setRestake(address restake_) external onlyOwner {
        restake = restake_;

        emit Events.RestakeChanged(restake_);
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
            && coverageOf(nodeOf[hotKey]).covered;
    }

    /// @inheritdoc INodeRegistry
    function unbondingOf(uint256 nodeId) external view returns (Unbonding memory) {
        return _unbonding[nodeId];
    }

    /// @inheritdoc INodeRegistry
    function bondedOf(uint256 nodeId) public view returns (uint256) {
        return _existing(nodeId).collateral - _unbonding[nodeId].amount;
    }

    /// @inheritdoc INodeRegistry
    function coverageOf(uint256 nodeId) public view returns (Coverage memory) {
        if (floor != address(0)) return ICollateralFloor(floor).coverageOf(nodeId);

        uint256 bonded = bondedOf(nodeId);
        return Coverage({floor: minCollateral, bonded: bonded, restaked: 0, covered: bonded >= minCollateral});
    }

    /* INTERNAL */

    function _existing(uint256 nodeId) private view returns (Node storage node) {
        node = _nodes[nodeId];
        require(node.owner != address(0), Errors.NodeRegistry_UnknownNode(nodeId));
    }

    /// @dev An account without code (none, or a key in tests) holds no disputes.
    function _hasOpenDispute(uint256 nodeId) private view returns (bool) {
        return slasher.code.length != 0 && ISlasher(slasher).hasOpenDispute(nodeId);
    }

    function _isBarred(address owner_) private view returns (bool) {
        return slasher.code.length != 0 && ISlasher(slasher).isBarred(owner_);
    }

    function _owned(uint256 nodeId) private view returns (Node storage node) {
        node = _existing(nodeId);
        require(node.owner == msg.sender, Errors.NodeRegistry_NotOwner(nodeId, msg.sender));
    }
}
