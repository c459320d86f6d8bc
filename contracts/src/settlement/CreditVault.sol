// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {GuardedPause} from "../governance/GuardedPause.sol";
import {Account, Cap, ICreditVault, Withdrawal} from "../interfaces/ICreditVault.sol";
import {IErc3009} from "../interfaces/IErc3009.sol";
import {IWrappedHeu} from "../interfaces/IWrappedHeu.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {CreditMath} from "../libraries/CreditMath.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {Money, MoneyLib} from "../libraries/MoneyLib.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";
import {RowLib} from "../libraries/RowLib.sol";

/// @title CreditVault
/// @notice Prepaid money of developers, spendable by settlement within signed caps.
contract CreditVault is ICreditVault, GuardedPause, EIP712 {
    using MoneyLib for Money;
    using RowLib for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /* TYPES */

    bytes32 private constant SPENDING_CAP_TYPEHASH =
        keccak256("SpendingCap(address account,address asset,uint256 cumulativeCap,uint64 expiresAt,uint256 nonce)");

    /// @dev Gives the packed word a storage reference, so that its place is computed once per row.
    struct Slot {
        Money money;
    }

    /* IMMUTABLES */

    /// @inheritdoc ICreditVault
    address public immutable wrappedHeu;

    /// @inheritdoc ICreditVault
    address public immutable usd;

    /* STORAGE */

    /// @dev By `RowLib.slotKey`; one slot each, because settlement writes it for every debit row.
    mapping(uint256 slotKey => Slot) private _slots;
    mapping(uint256 slotKey => Cap) private _caps;
    mapping(uint256 slotKey => Withdrawal) private _withdrawals;

    /// @inheritdoc ICreditVault
    address public settlement;

    /// @dev Shares settlement's slot: a batch reads the one and writes the other.
    uint96 private _heuReserve;
    uint96 private _usdReserve;

    /// @inheritdoc ICreditVault
    uint32 public withdrawalDelaySeconds;

    /// @inheritdoc ICreditVault
    uint16 public heuBonusBps;

    /// @inheritdoc ICreditVault
    uint256 public heuPriceUsdWad;

    /// @inheritdoc ICreditVault
    uint256 public lotCount;

    /* CONSTRUCTOR */

    /// @param heuPriceUsdWad_ USD per HEU, WAD.
    /// @param withdrawalDelaySeconds_ Seconds between request and payment of a withdrawal.
    constructor(
        address owner,
        address wrappedHeu_,
        address usd_,
        uint256 heuPriceUsdWad_,
        uint32 withdrawalDelaySeconds_
    ) Ownable(owner) EIP712("Heurist CreditVault", "1") {
        require(wrappedHeu_ != address(0) && usd_ != address(0), Errors.Shared_ZeroAddress());
        wrappedHeu = wrappedHeu_;
        usd = usd_;

        _setHeuPriceUsdWad(heuPriceUsdWad_);
        _setHeuBonusBps(Constants.HEU_BONUS_BPS);
        _setWithdrawalDelay(withdrawalDelaySeconds_);
    }

    /// @dev Unwrapping sends native HEU here; anything else would be an unrecorded gift.
    receive() external payable {
        require(msg.sender == wrappedHeu, Errors.CreditVault_UseDepositHeu(msg.sender));
    }

    /* DEPOSITS */

    /// @inheritdoc ICreditVault
    function depositHeu(address account) external payable whenNotPaused returns (uint256 nanoCredits) {
        nanoCredits = _recordDeposit(account, wrappedHeu, msg.value);

        _checkCapacity(wrappedHeu);
    }

    /// @inheritdoc ICreditVault
    function deposit(address asset, uint256 amount, address account)
        external
        whenNotPaused
        returns (uint256 nanoCredits)
    {
        nanoCredits = _recordDeposit(account, asset, amount);
        uint256 before = _holdings(asset);

        IERC20(asset).safeTransferFrom(msg.sender, address(this), amount);
        _unwrapHeu(asset, amount);
        _checkArrival(asset, before, amount);
    }

    /// @inheritdoc ICreditVault
    function depositWithAuthorization(
        address asset,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external whenNotPaused returns (uint256 nanoCredits) {
        nanoCredits = _recordDeposit(from, asset, amount);
        uint256 before = _holdings(asset);

        IErc3009(asset).receiveWithAuthorization(from, address(this), amount, validAfter, validBefore, nonce, signature);
        _unwrapHeu(asset, amount);
        _checkArrival(asset, before, amount);
    }

    /// @inheritdoc ICreditVault
    function quoteCredits(address asset, uint256 amount) public view returns (uint256 nanoCredits) {
        return _assetId(asset) == RowLib.HEU
            ? CreditMath.fromHeuDown(amount, heuPriceUsdWad, heuBonusBps)
            : CreditMath.fromUsd(amount);
    }

    function _recordDeposit(address account, address asset, uint256 amount) private returns (uint256 nanoCredits) {
        require(account != address(0), Errors.Shared_ZeroAddress());
        require(amount != 0, Errors.CreditVault_ZeroAmount());
        nanoCredits = quoteCredits(asset, amount);
        require(nanoCredits != 0, Errors.CreditVault_DepositTooSmall(asset, amount));

        Slot storage slot = _slots[RowLib.slotKey(account, _assetId(asset))];
        slot.money = slot.money.deposit(amount);
        uint256 lotId = ++lotCount;

        emit Events.Deposited(account, asset, amount, nanoCredits, lotId);
    }

    /// @dev Everything held of an asset stays below 2^96, and so does every sum of balances, reserve or escrow: the packed
    /// amounts here and in JobSettlement rely on it. 2^96 wei are 79 times the supply of HEU.
    function _checkCapacity(address asset) private view {
        Bounds.check(_holdings(asset), 0, type(uint96).max);
    }

    /// @dev A stablecoin that begins to take a fee on transfers is refused: balances stay covered.
    function _checkArrival(address asset, uint256 before, uint256 amount) private view {
        uint256 arrived = _holdings(asset) - before;
        require(arrived == amount, Errors.CreditVault_ShortDeposit(asset, amount, arrived));

        _checkCapacity(asset);
    }

    function _holdings(address asset) private view returns (uint256) {
        return asset == wrappedHeu ? address(this).balance : IERC20(asset).balanceOf(address(this));
    }

    /// @dev HEU is held as the native coin, so that payouts need no second call.
    function _unwrapHeu(address asset, uint256 amount) private {
        if (asset == wrappedHeu) IWrappedHeu(asset).withdraw(amount);
    }

    /* SPENDING CAP */

    /// @inheritdoc ICreditVault
    function setSpendingCapBySig(
        address account,
        address asset,
        uint256 cumulativeCap,
        uint64 expiresAt,
        uint256 nonce,
        bytes calldata signature
    ) external {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(SPENDING_CAP_TYPEHASH, account, asset, cumulativeCap, expiresAt, nonce))
        );
        require(
            SignatureChecker.isValidSignatureNowCalldata(account, digest, signature),
            Errors.CreditVault_BadCapSignature(account)
        );

        _setSpendingCap(account, asset, cumulativeCap, expiresAt, nonce);
    }

    /// @inheritdoc ICreditVault
    function setSpendingCap(address asset, uint256 cumulativeCap, uint64 expiresAt, uint256 nonce) external {
        _setSpendingCap(msg.sender, asset, cumulativeCap, expiresAt, nonce);
    }

    /// @inheritdoc ICreditVault
    function revokeSpendingCap(address asset, uint256 nonce) external {
        uint256 key = RowLib.slotKey(msg.sender, _assetId(asset));
        Money money = _slots[key].money;
        uint256 endsAt = Math.min(block.timestamp + withdrawalDelaySeconds, money.capExpiresAt());

        _useNonce(_caps[key], nonce);
        _slots[key].money = money.withCap(money.capRemaining(), endsAt);

        emit Events.SpendingCapRevoked(msg.sender, asset, uint64(endsAt), nonce);
    }

    function _setSpendingCap(address account, address asset, uint256 cumulativeCap, uint64 expiresAt, uint256 nonce)
        private
    {
        uint256 key = RowLib.slotKey(account, _assetId(asset));
        Money money = _slots[key].money;
        Cap storage cap = _caps[key];
        require(expiresAt > block.timestamp, Errors.CreditVault_CapExpired(account, asset, expiresAt));
        bool live = block.timestamp < money.capExpiresAt();
        require(
            !live || (cumulativeCap >= cap.cumulative && expiresAt >= money.capExpiresAt()),
            Errors.CreditVault_CapLowered(account, asset)
        );
        uint256 spentBefore = cap.cumulative - money.capRemaining();
        require(cumulativeCap >= spentBefore, Errors.CreditVault_CapLowered(account, asset));

        _useNonce(cap, nonce);
        cap.cumulative = cumulativeCap.toUint96();
        _slots[key].money = money.withCap(cumulativeCap - spentBefore, expiresAt);

        emit Events.SpendingCapSet(account, asset, cumulativeCap, expiresAt, nonce);
    }

    function _useNonce(Cap storage cap, uint256 nonce) private {
        require(nonce > cap.nonce, Errors.CreditVault_StaleCapNonce(nonce, cap.nonce));

        cap.nonce = nonce.toUint128();
    }

    /* WITHDRAWAL */

    /// @inheritdoc ICreditVault
    function requestWithdrawal(address asset, uint256 amount) external {
        uint256 key = RowLib.slotKey(msg.sender, _assetId(asset));
        uint256 balance = _slots[key].money.balance();
        require(amount != 0, Errors.CreditVault_ZeroAmount());
        require(amount <= balance, Errors.CreditVault_InsufficientBalance(msg.sender, asset, balance, amount));

        uint64 executableAt = uint64(block.timestamp + withdrawalDelaySeconds);
        _withdrawals[key] = Withdrawal({amount: uint128(amount), executableAt: executableAt});

        emit Events.WithdrawalRequested(msg.sender, asset, amount, executableAt);
    }

    /// @inheritdoc ICreditVault
    function executeWithdrawal(address asset, address receiver) external returns (uint256 amount) {
        uint256 key = RowLib.slotKey(msg.sender, _assetId(asset));
        Withdrawal memory withdrawal = _withdrawals[key];
        require(withdrawal.executableAt != 0, Errors.CreditVault_NoWithdrawal(msg.sender, asset));
        require(
            block.timestamp >= withdrawal.executableAt, Errors.CreditVault_WithdrawalNotReady(withdrawal.executableAt)
        );

        Money money = _slots[key].money;
        amount = Math.min(withdrawal.amount, money.balance());
        delete _withdrawals[key];
        _slots[key].money = money.withdraw(amount);

        emit Events.Withdrawn(msg.sender, asset, receiver, amount);

        _send(asset, receiver, amount);
    }

    /// @inheritdoc ICreditVault
    function cancelWithdrawal(address asset) external {
        uint256 key = RowLib.slotKey(msg.sender, _assetId(asset));
        require(_withdrawals[key].executableAt != 0, Errors.CreditVault_NoWithdrawal(msg.sender, asset));

        delete _withdrawals[key];

        emit Events.WithdrawalCancelled(msg.sender, asset);
    }

    /* SETTLEMENT */

    /// @inheritdoc ICreditVault
    function debit(uint256[] calldata rows) external returns (uint256 heuTotal, uint256 usdTotal) {
        require(msg.sender == settlement, Errors.CreditVault_NotSettlement(msg.sender));

        uint256 previousKey;
        for (uint256 i; i < rows.length; ++i) {
            uint256 row = rows[i];
            require(row.keyOf() > previousKey, Errors.CreditVault_UnsortedDebits(i));
            previousKey = row.keyOf();

            uint256 tag = row.tagOf();
            unchecked {
                // Amounts are below 2^88: the sum of all rows of a transaction cannot reach 2^256.
                if (tag == RowLib.HEU) heuTotal += row.amountOf();
                else if (tag == RowLib.USD) usdTotal += row.amountOf();
                else revert Errors.CreditVault_BadRow(i, tag);
            }
            _debitRow(row);
        }

        // No overflow: balances and reserves together are what the vault holds, below 2^96 of each asset.
        if (heuTotal != 0) _heuReserve += uint96(heuTotal);
        if (usdTotal != 0) _usdReserve += uint96(usdTotal);
    }

    /// @inheritdoc ICreditVault
    function pay(address asset, address receiver, uint256 amount) external {
        require(msg.sender == settlement, Errors.CreditVault_NotSettlement(msg.sender));
        uint256 reserve = reserveOf(asset);
        require(amount <= reserve, Errors.CreditVault_ReserveExceeded(asset, reserve, amount));

        // Safe casts: at most the reserve, which has 96 bits.
        if (asset == wrappedHeu) _heuReserve -= uint96(amount);
        else _usdReserve -= uint96(amount);

        _send(asset, receiver, amount);
    }

    function _debitRow(uint256 row) private {
        Slot storage slot = _slots[row.keyOf()];
        Money money = slot.money;
        uint256 amount = row.amountOf();
        if (block.timestamp >= money.capExpiresAt() || amount > money.capRemaining() || amount > money.balance()) {
            _refuse(row, money);
        }

        slot.money = money.spend(amount);
    }

    /// @dev Says which of the three conditions of a debit failed.
    function _refuse(uint256 row, Money money) private view {
        (address account, address asset, uint256 amount) = (row.accountOf(), assetOf(row.tagOf()), row.amountOf());
        require(
            block.timestamp < money.capExpiresAt(),
            Errors.CreditVault_CapExpired(account, asset, uint64(money.capExpiresAt()))
        );
        require(
            amount <= money.capRemaining(), Errors.CreditVault_OverCap(account, asset, money.capRemaining(), amount)
        );
        revert Errors.CreditVault_InsufficientBalance(account, asset, money.balance(), amount);
    }

    /* PARAMETERS */

    /// @inheritdoc ICreditVault
    function setSettlement(address settlement_) external onlyOwner {
        require(settlement_ != address(0), Errors.Shared_ZeroAddress());
        require(settlement == address(0), Errors.CreditVault_SettlementAlreadySet(settlement));

        settlement = settlement_;

        emit Events.SettlementSet(settlement_);
    }

    /// @inheritdoc ICreditVault
    function setHeuPriceUsdWad(uint256 heuPriceUsdWad_) external onlyOwner {
        _setHeuPriceUsdWad(heuPriceUsdWad_);
    }

    /// @inheritdoc ICreditVault
    function setHeuBonusBps(uint16 heuBonusBps_) external onlyOwner {
        _setHeuBonusBps(heuBonusBps_);
    }

    /// @inheritdoc ICreditVault
    function setWithdrawalDelay(uint32 withdrawalDelaySeconds_) external onlyOwner {
        _setWithdrawalDelay(withdrawalDelaySeconds_);
    }

    function _setHeuPriceUsdWad(uint256 price) private {
        Bounds.check(price, Constants.MIN_HEU_PRICE_USD_WAD, Constants.MAX_HEU_PRICE_USD_WAD);

        heuPriceUsdWad = price;

        emit Events.HeuPriceChanged(price);
    }

    function _setHeuBonusBps(uint16 bonusBps) private {
        Bounds.check(bonusBps, 0, Constants.MAX_HEU_BONUS_BPS);

        heuBonusBps = bonusBps;

        emit Events.HeuBonusChanged(bonusBps);
    }

    function _setWithdrawalDelay(uint32 delaySeconds) private {
        Bounds.check(delaySeconds, Constants.MIN_WITHDRAWAL_DELAY, Constants.MAX_WITHDRAWAL_DELAY);

        withdrawalDelaySeconds = delaySeconds;

        emit Events.WithdrawalDelayChanged(delaySeconds);
    }

    /* VIEWS */

    /// @inheritdoc ICreditVault
    function accountOf(address account, address asset) external view returns (Account memory) {
        Money money = _slots[RowLib.slotKey(account, _assetId(asset))].money;
        // Safe casts: the parts have these widths.
        return Account({
            balance: uint96(money.balance()),
            capRemaining: uint96(money.capRemaining()),
            capExpiresAt: uint64(money.capExpiresAt())
        });
    }

    /// @inheritdoc ICreditVault
    function capOf(address account, address asset) external view returns (Cap memory) {
        return _caps[RowLib.slotKey(account, _assetId(asset))];
    }

    /// @inheritdoc ICreditVault
    function withdrawalOf(address account, address asset) external view returns (Withdrawal memory) {
        return _withdrawals[RowLib.slotKey(account, _assetId(asset))];
    }

    /// @inheritdoc ICreditVault
    function debitable(address account, address asset) external view returns (uint256 amount) {
        Money money = _slots[RowLib.slotKey(account, _assetId(asset))].money;
        if (block.timestamp >= money.capExpiresAt()) return 0;

        return Math.min(money.capRemaining(), money.balance());
    }

    /// @inheritdoc ICreditVault
    function spent(address account, address asset) external view returns (uint256 amount) {
        uint256 key = RowLib.slotKey(account, _assetId(asset));
        return _caps[key].cumulative - _slots[key].money.capRemaining();
    }

    /// @inheritdoc ICreditVault
    function reserveOf(address asset) public view returns (uint256 amount) {
        return _assetId(asset) == RowLib.HEU ? _heuReserve : _usdReserve;
    }

    /// @inheritdoc ICreditVault
    function assetOf(uint256 assetId) public view returns (address asset) {
        require(assetId < RowLib.ASSETS, Errors.CreditVault_UnknownAssetId(assetId));

        return assetId == RowLib.HEU ? wrappedHeu : usd;
    }

    /// @inheritdoc ICreditVault
    function assetIdOf(address asset) external view returns (uint256 assetId) {
        return _assetId(asset);
    }

    /* INTERNAL */

    function _assetId(address asset) private view returns (uint256) {
        if (asset == wrappedHeu) return RowLib.HEU;
        require(asset == usd, Errors.CreditVault_UnknownAsset(asset));

        return RowLib.USD;
    }

    /// @dev Hands control to `receiver`: call it last.
    function _send(address asset, address receiver, uint256 amount) private {
        if (asset == wrappedHeu) NativeTransfer.send(receiver, amount);
        else IERC20(asset).safeTransfer(receiver, amount);
    }
}
