// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {ICompounder, IHeuStaking, Plan} from "../interfaces/ICompounder.sol";
import {IJobSettlement} from "../interfaces/IJobSettlement.sol";
import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";
import {CompoundAccount} from "./CompoundAccount.sol";

/// @title Compounder
/// @notice Splits a node's earnings between its collateral, stHEU and its payout address. Keeps nothing.
contract Compounder is ICompounder, ReentrancyGuard {
    /* STORAGE */

    /// @inheritdoc ICompounder
    address public immutable registry;

    /// @inheritdoc ICompounder
    address public immutable settlement;

    /// @inheritdoc ICompounder
    address public immutable stakedHeu;

    /// @dev The two payment assets of the settlement.
    address private immutable _heu;
    address private immutable _usd;

    mapping(uint256 nodeId => Plan) private _plans;

    /* CONSTRUCTOR */

    /// @param heu The settlement's HEU asset; paid in native coins.
    /// @param usd The settlement's stablecoin.
    constructor(address registry_, address settlement_, address stakedHeu_, address heu, address usd) {
        require(
            registry_ != address(0) && settlement_ != address(0) && stakedHeu_ != address(0) && heu != address(0)
                && usd != address(0),
            Errors.Shared_ZeroAddress()
        );

        registry = registry_;
        settlement = settlement_;
        stakedHeu = stakedHeu_;
        _heu = heu;
        _usd = usd;
    }

    /// @dev From the accounts, in the middle of `compound`.
    receive() external payable {
        require(_reentrancyGuardEntered(), Errors.Compounder_NotCompounder(msg.sender));
    }

    /* PLANS */

    /// @inheritdoc ICompounder
    function setPlan(uint256 nodeId, uint16 collateralBps, uint16 stakeBps, address payout)
        external
        returns (address account)
    {
        // A node that has left keeps the owner that its plan names: ids are never given twice.
        (bool here, address nodeOwner) = _ownerOf(nodeId);
        if (!here) nodeOwner = _plans[nodeId].owner;
        require(nodeOwner == msg.sender, Errors.Compounder_NotNodeOwner(nodeId, msg.sender));
        require(payout != address(0), Errors.Shared_ZeroAddress());
        uint256 sum = uint256(collateralBps) + stakeBps;
        require(sum <= Constants.BPS, Errors.Compounder_SharesTooHigh(sum));

        _plans[nodeId] = Plan({payout: payout, collateralBps: collateralBps, stakeBps: stakeBps, owner: msg.sender});
        account = accountOf(nodeId);
        if (account.code.length == 0) {
            Create2.deploy(0, bytes32(nodeId), type(CompoundAccount).creationCode);
        }

        emit Events.CompoundPlanSet({
            nodeId: nodeId, account: account, collateralBps: collateralBps, stakeBps: stakeBps, payout: payout
        });
    }

    /* COMPOUNDING */

    /// @inheritdoc ICompounder
    function compound(uint256 nodeId) external nonReentrant returns (uint256 collateral, uint256 staked, uint256 paid) {
        Plan memory plan = _plans[nodeId];
        require(plan.owner != address(0), Errors.Compounder_NoPlan(nodeId));
        CompoundAccount account = CompoundAccount(payable(accountOf(nodeId)));

        _claim(address(account), _heu);
        _claim(address(account), _usd);
        uint256 amount = account.takeHeu();
        staked = amount * plan.stakeBps / Constants.BPS;
        (bool here,) = _ownerOf(nodeId);
        if (here) collateral = amount * plan.collateralBps / Constants.BPS;
        paid = amount - collateral - staked;

        emit Events.Compounded({nodeId: nodeId, collateral: collateral, staked: staked, paid: paid});

        if (collateral != 0) INodeRegistry(registry).addCollateral{value: collateral}(nodeId);
        if (staked != 0) IHeuStaking(stakedHeu).depositNative{value: staked}(plan.owner);
        account.takeToken(_usd, plan.payout);
        if (paid != 0) NativeTransfer.send(plan.payout, paid);
    }

    function _claim(address account, address asset) private {
        if (IJobSettlement(settlement).claimableOf(account, asset) == 0) return;

        IJobSettlement(settlement).claimFor(account, asset);
    }

    /* VIEWS */

    /// @inheritdoc ICompounder
    function accountOf(uint256 nodeId) public view returns (address account) {
        return Create2.computeAddress(bytes32(nodeId), keccak256(type(CompoundAccount).creationCode));
    }

    /// @inheritdoc ICompounder
    function planOf(uint256 nodeId) external view returns (Plan memory) {
        return _plans[nodeId];
    }

    function _ownerOf(uint256 nodeId) private view returns (bool here, address nodeOwner) {
        try INodeRegistry(registry).getNode(nodeId) returns (Node memory node) {
            return (true, node.owner);
        } catch {
            return (false, address(0));
        }
    }
}
