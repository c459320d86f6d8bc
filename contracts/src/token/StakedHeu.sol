// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {GuardedPause} from "../governance/GuardedPause.sol";
import {IErc7540Operator, IErc7540Redeem, IErc7575Share} from "../interfaces/IErc7540.sol";
import {IGaugeHook} from "../interfaces/IGaugeHook.sol";
import {Exit, IStakedHeu, RewardSource} from "../interfaces/IStakedHeu.sol";
import {IWrappedHeu} from "../interfaces/IWrappedHeu.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {ExitMark, ExitQueue, ExitQueueLib} from "../libraries/ExitQueueLib.sol";
import {StakeMath} from "../libraries/StakeMath.sol";
import {Stream, StreamLib} from "../libraries/StreamLib.sol";
import {TimestampVotes} from "./TimestampVotes.sol";

/// @title StakedHeu
/// @notice stHEU: HEU locked for yield and votes. Deposits by ERC-4626, exits by ERC-7540.
contract StakedHeu is IStakedHeu, ERC4626, TimestampVotes, GuardedPause, ReentrancyGuardTransient {
    using ExitQueueLib for ExitQueue;
    using SafeCast for uint256;
    using StreamLib for Stream;

    /* TYPES */

    /// @dev The ERC-165 id of a vault of ERC-7575.
    bytes4 private constant ERC7575_VAULT_ID = 0x2f0a18c5;

    /// @dev All exits of a controller are one queue.
    uint256 private constant REQUEST_ID = 0;

    /* STORAGE */

    /// @dev Wei of WHEU that the shares share, as of the stream's last advance.
    uint128 private _stakedAssets;

    /// @dev See `exitingAssets()`.
    uint128 private _exitingAssets;

    Stream private _stream;

    /// @inheritdoc IStakedHeu
    address public nodeGauge;

    /// @inheritdoc IStakedHeu
    uint32 public exitDelaySeconds;

    /// @inheritdoc IStakedHeu
    address public podGauge;

    mapping(address controller => ExitQueue) private _exits;

    /// @inheritdoc IErc7540Operator
    mapping(address controller => mapping(address operator => bool)) public isOperator;

    /// @inheritdoc IStakedHeu
    mapping(RewardSource source => address) public rewardSourceOf;

    /// @inheritdoc IStakedHeu
    mapping(RewardSource source => uint256) public rewardedBy;

    /* CONSTRUCTOR */

    /// @param exitDelaySeconds_ Seconds.
    constructor(address owner, IWrappedHeu wrappedHeu, uint32 exitDelaySeconds_)
        Ownable(owner)
        ERC20("Staked HEU", "stHEU")
        ERC20Permit("Staked HEU")
        ERC4626(wrappedHeu)
    {
        _setExitDelay(exitDelaySeconds_);
    }

    /* STAKING */

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver)
        public
        override(ERC4626, IERC4626)
        whenNotPaused
        returns (uint256 shares)
    {
        return super.deposit(assets, receiver);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver)
        public
        override(ERC4626, IERC4626)
        whenNotPaused
        returns (uint256 assets)
    {
        return super.mint(shares, receiver);
    }

    /// @inheritdoc IStakedHeu
    function depositNative(address receiver) external payable whenNotPaused nonReentrant returns (uint256 shares) {
        shares = previewDeposit(msg.value);
        _wrap(msg.value);
        _stake({receiver: receiver, assets: msg.value, shares: shares});
    }

    /// @dev Behind `deposit` and `mint`, which compute one amount from the other.
    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override nonReentrant {
        _transferIn(caller, assets);
        _stake({receiver: receiver, assets: assets, shares: shares});
    }

    /// @dev The assets are here already. The mint comes last: it tells the gauges.
    function _stake(address receiver, uint256 assets, uint256 shares) private {
        require(shares > 0, Errors.StakedHeu_ZeroShares(assets));

        _advance();
        _stakedAssets += assets.toUint128();

        emit Deposit(msg.sender, receiver, assets, shares);

        _mint(receiver, shares);
    }

    /* EXIT */

    /// @inheritdoc IErc7540Redeem
    function requestRedeem(uint256 shares, address controller, address owner_)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        require(controller != address(0), Errors.Shared_ZeroAddress());
        require(shares > 0, Errors.StakedHeu_ZeroShares(0));
        if (msg.sender != owner_ && !isOperator[owner_][msg.sender]) {
            _spendAllowance(owner_, msg.sender, shares);
        }

        _advance();
        uint256 assets = _convertToAssets(shares, Math.Rounding.Floor);
        _stakedAssets -= assets.toUint128();
        _exitingAssets += assets.toUint128();
        uint256 claimableAt = _exits[controller].append(shares, assets, block.timestamp + exitDelaySeconds);

        emit RedeemRequest(controller, owner_, REQUEST_ID, msg.sender, shares);
        emit Events.StakeExitRequested(controller, owner_, shares, assets, claimableAt);

        _burn(owner_, shares);
        return REQUEST_ID;
    }

    /// @inheritdoc IERC4626
    /// @dev Claims matured exits, oldest first, worth `shares`. Only the controller or its operator.
    function redeem(uint256 shares, address receiver, address controller)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 assets)
    {
        uint256 max = maxRedeem(controller);
        require(shares <= max, ERC4626ExceededMaxRedeem(controller, shares, max));
        require(shares > 0, Errors.StakedHeu_ZeroShares(0));

        assets = _exits[controller].claimShares(shares);
        _payExit({receiver: receiver, controller: controller, assets: assets, shares: shares});
    }

    /// @inheritdoc IERC4626
    /// @dev Claims exactly `assets` of matured exits, oldest first. Only the controller or its operator.
    function withdraw(uint256 assets, address receiver, address controller)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 shares)
    {
        uint256 max = maxWithdraw(controller);
        require(assets <= max, ERC4626ExceededMaxWithdraw(controller, assets, max));
        require(assets > 0, Errors.StakedHeu_ZeroAmount());

        shares = _exits[controller].claimAssets(assets);
        _payExit({receiver: receiver, controller: controller, assets: assets, shares: shares});
    }

    function _payExit(address receiver, address controller, uint256 assets, uint256 shares) private {
        require(
            msg.sender == controller || isOperator[controller][msg.sender],
            Errors.StakedHeu_NotOperator(controller, msg.sender)
        );

        _exitingAssets -= assets.toUint128();

        emit Withdraw(msg.sender, receiver, controller, assets, shares);

        _transferOut(receiver, assets);
    }

    /// @inheritdoc IErc7540Operator
    function setOperator(address operator, bool approved) external returns (bool) {
        isOperator[msg.sender][operator] = approved;

        emit OperatorSet(msg.sender, operator, approved);

        return true;
    }

    /* REWARDS */

    /// @inheritdoc IStakedHeu
    function reward(RewardSource source) external payable nonReentrant {
        require(msg.sender == rewardSourceOf[source], Errors.StakedHeu_NotRewardSource(uint8(source), msg.sender));
        require(msg.value > 0, Errors.StakedHeu_ZeroAmount());

        _advance();
        _stream = _stream.add(msg.value);
        rewardedBy[source] += msg.value;

        emit Events.StakersRewarded(uint8(source), msg.value, _stream.endsAt);

        _wrap(msg.value);
    }

    /// @dev Moves what has streamed in until now into the stake. First in every call that changes shares or stream.
    function _advance() private {
        (Stream memory next, uint256 amount) = _stream.advance(block.timestamp, _flowing());
        _stream = next;
        _stakedAssets += amount.toUint128();
    }

    function _flowing() private view returns (bool) {
        return totalSupply() >= Constants.MIN_STREAMING_SUPPLY;
    }

    function _wrap(uint256 amount) private {
        IWrappedHeu(asset()).deposit{value: amount}();
    }

    /* BALANCE HOOK */

    function _update(address from, address to, uint256 value) internal override(ERC20, TimestampVotes) {
        super._update(from, to, value);

        if (from != address(0)) _tellGauges(from);
        if (to != address(0) && to != from) _tellGauges(to);
    }

    function _tellGauges(address account) private {
        if (nodeGauge != address(0)) IGaugeHook(nodeGauge).onBalanceChanged(account, balanceOf(account));
        if (podGauge != address(0)) IGaugeHook(podGauge).onBalanceChanged(account, balanceOf(account));
    }

    /* PARAMETERS */

    /// @inheritdoc IStakedHeu
    function setRewardSource(RewardSource source, address account) external onlyOwner {
        rewardSourceOf[source] = account;

        emit Events.RewardSourceChanged(uint8(source), account);
    }

    /// @inheritdoc IStakedHeu
    function setGauges(address nodeGauge_, address podGauge_) external onlyOwner {
        nodeGauge = nodeGauge_;
        podGauge = podGauge_;

        emit Events.GaugesChanged(nodeGauge_, podGauge_);
    }

    /// @inheritdoc IStakedHeu
    function setExitDelay(uint32 exitDelaySeconds_) external onlyOwner {
        _setExitDelay(exitDelaySeconds_);
    }

    function _setExitDelay(uint32 delaySeconds) private {
        Bounds.check(delaySeconds, Constants.MIN_EXIT_DELAY, Constants.MAX_EXIT_DELAY);

        exitDelaySeconds = delaySeconds;

        emit Events.ExitDelayChanged(delaySeconds);
    }

    /* VIEWS */

    /// @inheritdoc IERC4626
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        return _stakedAssets + _stream.arrived(block.timestamp, _flowing());
    }

    /// @inheritdoc IStakedHeu
    function unstreamedRewards() external view returns (uint256) {
        return _stream.unstreamed - _stream.arrived(block.timestamp, _flowing());
    }

    /// @inheritdoc IStakedHeu
    function streamEndsAt() external view returns (uint64) {
        (Stream memory now_,) = _stream.advance(block.timestamp, _flowing());
        return now_.endsAt;
    }

    /// @inheritdoc IStakedHeu
    function rateWad() external view returns (uint256) {
        return convertToAssets(Constants.WAD);
    }

    /// @inheritdoc IStakedHeu
    function exitingAssets() external view returns (uint256) {
        return _exitingAssets;
    }

    /// @inheritdoc IStakedHeu
    function exitCount(address controller) external view returns (uint256) {
        return _exits[controller].marks.length;
    }

    /// @inheritdoc IStakedHeu
    function exitAt(address controller, uint256 index) external view returns (Exit memory) {
        ExitQueue storage queue = _exits[controller];
        ExitMark memory mark = queue.marks[index];
        ExitMark memory before = queue.upTo(index);
        return Exit({
            claimableAt: mark.claimableAt,
            shares: mark.sharesUpTo - before.sharesUpTo,
            assets: mark.assetsUpTo - before.assetsUpTo
        });
    }

    /// @inheritdoc IErc7540Redeem
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        if (requestId != REQUEST_ID) return 0;
        ExitQueue storage queue = _exits[controller];
        return queue.upTo(queue.marks.length).sharesUpTo - queue.claimedShares - maxRedeem(controller);
    }

    /// @inheritdoc IErc7540Redeem
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        return requestId == REQUEST_ID ? maxRedeem(controller) : 0;
    }

    /// @inheritdoc IERC4626
    /// @dev Shares of the account's exits that are claimable now.
    function maxRedeem(address controller) public view override(ERC4626, IERC4626) returns (uint256 shares) {
        (shares,) = _exits[controller].claimable(block.timestamp);
    }

    /// @inheritdoc IERC4626
    /// @dev Assets of the account's exits that are claimable now.
    function maxWithdraw(address controller) public view override(ERC4626, IERC4626) returns (uint256 assets) {
        (, assets) = _exits[controller].claimable(block.timestamp);
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address receiver) public view override(ERC4626, IERC4626) returns (uint256) {
        return paused() ? 0 : super.maxDeposit(receiver);
    }

    /// @inheritdoc IERC4626
    function maxMint(address receiver) public view override(ERC4626, IERC4626) returns (uint256) {
        return paused() ? 0 : super.maxMint(receiver);
    }

    /// @dev Always reverts: see `IStakedHeu`.
    function previewRedeem(uint256) public pure override(ERC4626, IERC4626) returns (uint256) {
        revert Errors.StakedHeu_ExitTakesARequest();
    }

    /// @dev Always reverts: see `IStakedHeu`.
    function previewWithdraw(uint256) public pure override(ERC4626, IERC4626) returns (uint256) {
        revert Errors.StakedHeu_ExitTakesARequest();
    }

    /// @inheritdoc IErc7575Share
    function share() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == ERC7575_VAULT_ID || id == type(IErc7540Redeem).interfaceId
            || id == type(IErc7540Operator).interfaceId;
    }

    function decimals() public view override(ERC20, ERC4626, IERC20Metadata) returns (uint8) {
        return super.decimals();
    }

    /* ROUNDING */

    /// @dev Always down: what a deposit gets. Nothing here asks for shares rounded up.
    function _convertToShares(uint256 assets, Math.Rounding) internal view override returns (uint256) {
        return StakeMath.toSharesDown(assets, totalAssets(), totalSupply());
    }

    /// @dev Up: what a mint asks. Down: what an exit gets.
    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return StakeMath.toAssets({
            shares: shares, totalAssets: totalAssets(), totalShares: totalSupply(), rounding: rounding
        });
    }
}
