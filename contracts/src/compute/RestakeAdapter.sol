// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {
    CreateSetParams,
    IAllocationManager,
    IRestakeStrategy,
    OperatorSet,
    SlashingParams
} from "../interfaces/external/IAllocationManager.sol";
import {IAvsRegistrar} from "../interfaces/external/IAvsRegistrar.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IRestakeAdapter} from "../interfaces/IRestakeAdapter.sol";
import {ISlasher} from "../interfaces/ISlasher.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";

/// @title RestakeAdapter
/// @notice Restaked ETH as collateral of compute nodes: an actively validated service and its registrar.
contract RestakeAdapter is IRestakeAdapter, Ownable2Step {
    /* TYPES */

    uint32 private constant SET_ID = 1;

    struct Rates {
        uint128 heuPerEthWad;
        uint128 capWei;
        uint16 haircutBps;
    }

    /* STORAGE */

    /// @inheritdoc IRestakeAdapter
    address public immutable registry;

    /// @inheritdoc IRestakeAdapter
    address public immutable allocationManager;

    /// @inheritdoc IRestakeAdapter
    address public slasher;

    /// @inheritdoc IRestakeAdapter
    uint32 public horizonBlocks;

    /// @inheritdoc IRestakeAdapter
    mapping(uint256 nodeId => address operator) public operatorOf;

    /// @inheritdoc IRestakeAdapter
    mapping(address operator => uint256 nodeId) public nodeOf;

    /// @inheritdoc IRestakeAdapter
    mapping(uint256 nodeId => uint16) public pendingBps;

    mapping(address operator => bool) private _registered;
    Rates private _rates;
    address[] private _strategies;

    /* CONSTRUCTOR */

    constructor(address owner, address registry_, address allocationManager_) Ownable(owner) {
        require(registry_ != address(0) && allocationManager_ != address(0), Errors.Shared_ZeroAddress());

        registry = registry_;
        allocationManager = allocationManager_;
    }

    modifier onlyAllocationManager(address avs) {
        require(msg.sender == allocationManager, Errors.RestakeAdapter_NotAllocationManager(msg.sender));
        require(avs == address(this), Errors.RestakeAdapter_WrongSet(avs));
        _;
    }

    /* REGISTRAR */

    /// @inheritdoc IAvsRegistrar
    function registerOperator(address operator, address avs, uint32[] calldata, bytes calldata data)
        external
        onlyAllocationManager(avs)
    {
        _registered[operator] = true;

        emit Events.OperatorRegistered(operator);
        if (data.length != 0) _link(abi.decode(data, (uint256)), operator);
    }

    /// @inheritdoc IAvsRegistrar
    /// @dev The link stays: what was slashable stays so for the protocol's deallocation delay. It counts no more.
    function deregisterOperator(address operator, address avs, uint32[] calldata) external onlyAllocationManager(avs) {
        uint256 nodeId = nodeOf[operator];
        bool disputed = slasher != address(0) && ISlasher(slasher).hasOpenDispute(nodeId);
        require(!disputed && pendingBps[nodeId] == 0, Errors.RestakeAdapter_OpenDispute(nodeId));

        _registered[operator] = false;

        emit Events.OperatorDeregistered(operator, nodeId);
    }

    /// @inheritdoc IAvsRegistrar
    function supportsAVS(address avs) external view returns (bool) {
        return avs == address(this);
    }

    /* BACKING */

    /// @inheritdoc IRestakeAdapter
    function link(uint256 nodeId) external {
        _link(nodeId, msg.sender);
    }

    /// @inheritdoc IRestakeAdapter
    function linkNew(uint256 nodeId, address operator) external returns (uint256 valueWei) {
        require(msg.sender == registry, Errors.RestakeAdapter_NotRegistry(msg.sender));

        if (!_registered[operator]) return 0;
        _link(nodeId, operator);
        return valueOf(nodeId);
    }

    function _link(uint256 nodeId, address operator) private {
        require(_registered[operator], Errors.RestakeAdapter_NotOperator(operator));
        require(
            INodeRegistry(registry).getNode(nodeId).owner == operator,
            Errors.RestakeAdapter_NotNodeOwner(nodeId, operator)
        );
        uint256 before = nodeOf[operator];
        require(before == 0 || _isGone(before), Errors.RestakeAdapter_AlreadyLinked(before, operator));

        delete operatorOf[before];
        operatorOf[nodeId] = operator;
        nodeOf[operator] = nodeId;

        emit Events.OperatorLinked(operator, nodeId);
    }

    function _isGone(uint256 nodeId) private view returns (bool) {
        try INodeRegistry(registry).bondedOf(nodeId) returns (uint256) {
            return false;
        } catch {
            return true;
        }
    }

    /// @inheritdoc IRestakeAdapter
    function valueOf(uint256 nodeId) public view returns (uint256 valueWei) {
        address operator = operatorOf[nodeId];
        if (!_registered[operator] || pendingBps[nodeId] != 0) return 0;

        address[] memory operators = new address[](1);
        operators[0] = operator;
        uint256[] memory shares = IAllocationManager(allocationManager)
            .getMinimumSlashableStake(
                OperatorSet(address(this), SET_ID), operators, _strategies, uint32(block.number) + horizonBlocks
            )[0];
        uint256 ethWei;
        for (uint256 i; i < shares.length; ++i) {
            if (shares[i] != 0) ethWei += IRestakeStrategy(_strategies[i]).sharesToUnderlyingView(shares[i]);
        }
        uint256 heuWei = Math.mulDiv(ethWei, _rates.heuPerEthWad, Constants.WAD);
        return Math.min(heuWei * (Constants.BPS - _rates.haircutBps) / Constants.BPS, _rates.capWei);
    }

    /* DISCIPLINE */

    /// @inheritdoc IRestakeAdapter
    function slash(uint256 nodeId, uint16 slashBps) external {
        require(msg.sender == slasher, Errors.RestakeAdapter_NotSlasher(msg.sender));
        address operator = operatorOf[nodeId];
        if (operator == address(0)) return;

        uint256 due = uint256(pendingBps[nodeId]) + slashBps;
        // Safe cast: at most one whole.
        pendingBps[nodeId] = uint16(Math.min(due, Constants.BPS));
        try this.retrySlash(nodeId) {}
        catch {
            emit Events.RestakeSlashFailed(nodeId, operator, pendingBps[nodeId]);
        }
    }

    /// @inheritdoc IRestakeAdapter
    function retrySlash(uint256 nodeId) external {
        uint16 slashBps = pendingBps[nodeId];
        require(slashBps != 0, Errors.RestakeAdapter_NothingPending(nodeId));
        address operator = operatorOf[nodeId];

        pendingBps[nodeId] = 0;
        if (!IAllocationManager(allocationManager).isOperatorSlashable(operator, OperatorSet(address(this), SET_ID))) {
            return;
        }

        emit Events.RestakeSlashed(nodeId, operator, slashBps);
        uint256[] memory wads = new uint256[](_strategies.length);
        for (uint256 i; i < wads.length; ++i) {
            wads[i] = slashBps * Constants.WAD / Constants.BPS;
        }
        SlashingParams memory params = SlashingParams({
            operator: operator,
            operatorSetId: SET_ID,
            strategies: _strategies,
            wadsToSlash: wads,
            description: "Heurist: guilty verdict against a compute node"
        });
        IAllocationManager(allocationManager).slashOperator(address(this), params);
    }

    /* PARAMETERS */

    /// @inheritdoc IRestakeAdapter
    function open(string calldata metadataURI, address[] calldata strategies_) external onlyOwner {
        require(strategies_.length != 0 && _strategies.length == 0, Errors.RestakeAdapter_BadStrategies());
        for (uint256 i = 1; i < strategies_.length; ++i) {
            require(strategies_[i - 1] < strategies_[i], Errors.RestakeAdapter_BadStrategies());
        }

        _strategies = strategies_;

        emit Events.OperatorSetOpened(SET_ID, strategies_);
        IAllocationManager manager = IAllocationManager(allocationManager);
        manager.updateAVSMetadataURI(address(this), metadataURI);
        manager.setAVSRegistrar(address(this), address(this));
        CreateSetParams[] memory sets = new CreateSetParams[](1);
        sets[0] = CreateSetParams(SET_ID, strategies_);
        manager.createOperatorSets(address(this), sets);
    }

    /// @inheritdoc IRestakeAdapter
    function setRates(uint128 heuPerEthWad, uint16 haircutBps, uint128 capWei) external onlyOwner {
        Bounds.check(heuPerEthWad, 0, Constants.MAX_HEU_PER_ETH_WAD);
        Bounds.check(haircutBps, 0, Constants.BPS);
        Bounds.check(capWei, 0, Constants.MAX_RESTAKE_CAP);

        _rates = Rates({heuPerEthWad: heuPerEthWad, capWei: capWei, haircutBps: haircutBps});

        emit Events.RestakeRatesChanged(heuPerEthWad, haircutBps, capWei);
    }

    /// @inheritdoc IRestakeAdapter
    function setHorizon(uint32 horizonBlocks_) external onlyOwner {
        Bounds.check(horizonBlocks_, 1, Constants.MAX_RESTAKE_HORIZON);

        horizonBlocks = horizonBlocks_;

        emit Events.RestakeHorizonChanged(horizonBlocks_);
    }

    /// @inheritdoc IRestakeAdapter
    function setSlasher(address slasher_) external onlyOwner {
        slasher = slasher_;

        emit Events.SlasherChanged(slasher_);
    }

    /* VIEWS */

    /// @inheritdoc IRestakeAdapter
    function strategies() external view returns (address[] memory) {
        return _strategies;
    }

    /// @inheritdoc IRestakeAdapter
    function rates() external view returns (uint128 heuPerEthWad, uint16 haircutBps, uint128 capWei) {
        return (_rates.heuPerEthWad, _rates.haircutBps, _rates.capWei);
    }
}
