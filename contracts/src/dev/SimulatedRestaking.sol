// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    CreateSetParams,
    IAllocationManager,
    IRestakeStrategy,
    OperatorSet,
    SlashingParams
} from "../interfaces/external/IAllocationManager.sol";
import {IAvsRegistrar} from "../interfaces/external/IAvsRegistrar.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";

/// @title SimulatedRestaking
/// @notice SIMULATED: stands in for EigenLayer's AllocationManager and one strategy on development chains, and refuses every
/// other. Stake is a number that an operator gives itself; what it can do with it keeps the real rules: allocations that
/// leave stay slashable for the deallocation delay, and so does an operator that deregisters.
contract SimulatedRestaking is IAllocationManager, IRestakeStrategy {
    /* TYPES */

    /// @dev `leaving` of `allocated` goes when `leavesAt` (block) has come.
    struct Stake {
        uint256 allocated;
        uint256 leaving;
        uint32 leavesAt;
        bool member;
        uint32 slashableUntil;
    }

    /* STORAGE */

    uint32 public immutable deallocationDelayBlocks;

    /// @notice Makes slashing fail, as a paused protocol does.
    bool public paused;

    mapping(address avs => address registrar) public registrarOf;
    mapping(address avs => mapping(address operator => Stake)) private _stakes;

    /* CONSTRUCTOR */

    constructor(uint32 deallocationDelayBlocks_) {
        bool dev = block.chainid == Constants.DEV_CHAIN_ID || block.chainid == Constants.LOCAL_CHAIN_ID;
        require(dev, Errors.SimulatedRestaking_NotADevChain(block.chainid));

        deallocationDelayBlocks = deallocationDelayBlocks_;
    }

    modifier onlyAvs(address avs) {
        require(msg.sender == avs, Errors.SimulatedRestaking_NotAuthorised(msg.sender));
        _;
    }

    /* OPERATORS */

    /// @notice Gives the caller `shares` more of allocated stake, out of nothing.
    function allocate(address avs, uint256 shares) external {
        Stake storage stake = _settled(avs, msg.sender);

        stake.allocated += shares;

        emit Events.SimulatedStakeChanged(msg.sender, stake.allocated);
    }

    /// @notice Takes `shares` out after the deallocation delay; one at a time.
    function deallocate(address avs, uint256 shares) external {
        Stake storage stake = _settled(avs, msg.sender);

        stake.leaving = shares < stake.allocated ? shares : stake.allocated;
        stake.leavesAt = uint32(block.number) + deallocationDelayBlocks;
    }

    /// @notice Joins the operator set, as `registerForOperatorSets` does.
    function register(address avs, bytes calldata data) external {
        _stakes[avs][msg.sender].member = true;
        IAvsRegistrar(registrarOf[avs]).registerOperator(msg.sender, avs, _setIds(), data);
    }

    /// @notice Leaves the operator set, as `deregisterFromOperatorSets` does.
    function deregister(address avs) external {
        Stake storage stake = _stakes[avs][msg.sender];
        require(stake.member, Errors.SimulatedRestaking_NotMember(msg.sender));

        stake.member = false;
        stake.slashableUntil = uint32(block.number) + deallocationDelayBlocks;
        IAvsRegistrar(registrarOf[avs]).deregisterOperator(msg.sender, avs, _setIds());
    }

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    /* SERVICES */

    /// @inheritdoc IAllocationManager
    function updateAVSMetadataURI(address avs, string calldata) external onlyAvs(avs) {}

    /// @inheritdoc IAllocationManager
    function setAVSRegistrar(address avs, address registrar) external onlyAvs(avs) {
        require(IAvsRegistrar(registrar).supportsAVS(avs), Errors.SimulatedRestaking_NotAuthorised(registrar));

        registrarOf[avs] = registrar;
    }

    /// @inheritdoc IAllocationManager
    function createOperatorSets(address avs, CreateSetParams[] calldata) external onlyAvs(avs) {}

    /// @inheritdoc IAllocationManager
    function slashOperator(address avs, SlashingParams calldata params) external onlyAvs(avs) {
        require(!paused, Errors.SimulatedRestaking_Paused());
        bool slashable = isOperatorSlashable(params.operator, OperatorSet(avs, params.operatorSetId));
        require(slashable, Errors.SimulatedRestaking_NotSlashable(params.operator));
        uint256 wad = params.wadsToSlash[0];
        require(wad != 0 && wad <= Constants.WAD, Errors.SimulatedRestaking_BadWad(wad));

        Stake storage stake = _settled(avs, params.operator);
        stake.leaving -= stake.leaving * wad / Constants.WAD;
        stake.allocated -= stake.allocated * wad / Constants.WAD;

        emit Events.SimulatedStakeChanged(params.operator, stake.allocated);
    }

    /* VIEWS */

    /// @inheritdoc IAllocationManager
    function getMinimumSlashableStake(
        OperatorSet calldata operatorSet,
        address[] calldata operators,
        address[] calldata strategies,
        uint32 futureBlock
    ) external view returns (uint256[][] memory slashableStake) {
        slashableStake = new uint256[][](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            slashableStake[i] = new uint256[](strategies.length);
            if (strategies.length == 0 || !isOperatorSlashable(operators[i], operatorSet)) continue;

            Stake memory stake = _stakes[operatorSet.avs][operators[i]];
            bool leaves = stake.leaving != 0 && stake.leavesAt <= futureBlock;
            slashableStake[i][0] = leaves ? stake.allocated - stake.leaving : stake.allocated;
        }
    }

    /// @inheritdoc IAllocationManager
    function isOperatorSlashable(address operator, OperatorSet memory operatorSet) public view returns (bool) {
        Stake memory stake = _stakes[operatorSet.avs][operator];
        return stake.member || block.number <= stake.slashableUntil;
    }

    /// @inheritdoc IAllocationManager
    function isMemberOfOperatorSet(address operator, OperatorSet calldata operatorSet) external view returns (bool) {
        return _stakes[operatorSet.avs][operator].member;
    }

    /// @inheritdoc IRestakeStrategy
    function sharesToUnderlyingView(uint256 shares) external pure returns (uint256) {
        return shares;
    }

    /* INTERNAL */

    /// @dev What was due to leave has left.
    function _settled(address avs, address operator) private returns (Stake storage stake) {
        stake = _stakes[avs][operator];
        if (stake.leaving == 0 || block.number < stake.leavesAt) return stake;

        stake.allocated -= stake.leaving;
        stake.leaving = 0;
    }

    function _setIds() private pure returns (uint32[] memory ids) {
        ids = new uint32[](1);
        ids[0] = 1;
    }
}
