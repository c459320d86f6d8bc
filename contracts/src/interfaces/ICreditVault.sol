// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice An account's money in one asset.
/// @param balance What it owns here (asset units).
/// @param capRemaining What settlement may still take under the cap (asset units).
/// @param capExpiresAt Unix seconds from which settlement may take nothing; 0 = no cap was ever set.
struct Account {
    uint96 balance;
    uint96 capRemaining;
    uint64 capExpiresAt;
}

/// @notice The cap as the account gave it.
/// @param cumulative Everything settlement may ever take from the account in this asset (asset units).
/// @param nonce The last nonce used.
struct Cap {
    uint128 cumulative;
    uint128 nonce;
}

/// @notice A withdrawal that waits.
/// @param amount Fixed when requested (asset units).
/// @param executableAt Unix seconds; 0 = none.
struct Withdrawal {
    uint128 amount;
    uint64 executableAt;
}

/// @title ICreditVault
/// @notice Holds what developers prepay. A credit is a claim on the asset that bought it: rows are (account, asset,
/// amount), so the vault is solvent by construction and no price move can break it.
///
/// Assets are named by token address: `wrappedHeu` for HEU, `usd` for the stablecoin. HEU is held and paid out as the
/// native coin. Amounts are asset units: wei of HEU, micro-dollars.
///
/// @dev Invariant, per asset: holdings >= sum of balances + reserve of settlement.
/// @dev Assumptions: `usd` is a plain ERC-20 (no fee on transfer, no rebasing, no hooks) with 6 decimals.
/// @dev Warning: the credits of a deposit are a rate fixed off chain by the event; the vault never converts between
/// assets and never pays credits out.
interface ICreditVault {
    /* DEPOSITS (anyone may call, unless the guardian has paused them: withdrawals go on) */

    /// @notice Deposits `msg.value` wei of native HEU for `account`.
    /// @return nanoCredits Credits of this lot, rounded down.
    function depositHeu(address account) external payable returns (uint256 nanoCredits);

    /// @notice Deposits the caller's `amount` of `asset` (wrapped HEU or the stablecoin, approved before) for `account`.
    function deposit(address asset, uint256 amount, address account) external returns (uint256 nanoCredits);

    /// @notice Deposits `from`'s tokens for `from`, by its EIP-3009 `ReceiveWithAuthorization` with `to` = this vault.
    /// @dev Only this vault can use such an authorisation; it is consumed once by the token.
    function depositWithAuthorization(
        address asset,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external returns (uint256 nanoCredits);

    /// @notice Credits that a deposit of `amount` would give now (nano-credits, rounded down).
    function quoteCredits(address asset, uint256 amount) external view returns (uint256 nanoCredits);

    /* SPENDING CAP */

    /// @notice Sets `account`'s cap from its EIP-712 signature (EOA or ERC-1271) over
    /// `SpendingCap(address account,address asset,uint256 cumulativeCap,uint64 expiresAt,uint256 nonce)`. Anyone may
    /// submit it.
    /// @param cumulativeCap Everything settlement may ever take, past debits included (asset units, < 2^96).
    /// @param expiresAt Unix seconds.
    /// @param nonce Above the last one used (< 2^128).
    /// @dev While a cap is live a new one may only raise it (amount and expiry): running jobs rely on it.
    function setSpendingCapBySig(
        address account,
        address asset,
        uint256 cumulativeCap,
        uint64 expiresAt,
        uint256 nonce,
        bytes calldata signature
    ) external;

    /// @notice The same by the account's own transaction.
    function setSpendingCap(address asset, uint256 cumulativeCap, uint64 expiresAt, uint256 nonce) external;

    /// @notice Ends the caller's cap after the withdrawal delay, so that running jobs settle, and voids every signature
    /// with a nonce up to `nonce`.
    function revokeSpendingCap(address asset, uint256 nonce) external;

    /* WITHDRAWAL (the account itself) */

    /// @notice Asks for `amount` back; replaces a request that waits. The amount stays debitable until it is paid.
    function requestWithdrawal(address asset, uint256 amount) external;

    /// @notice Pays the requested amount, or the balance when debits left less, to `receiver`.
    /// @dev No role can stop or delay it: a dead operator cannot keep users' funds (law C7).
    function executeWithdrawal(address asset, address receiver) external returns (uint256 amount);

    /// @notice Drops the request.
    function cancelWithdrawal(address asset) external;

    /* SETTLEMENT (JobSettlement only) */

    /// @notice Takes each row from its account into settlement's reserve, all or none.
    /// @param rows Packed debit rows, see `RowLib`; strictly ascending.
    /// @return heuTotal Sum of the HEU rows (wei).
    /// @return usdTotal Sum of the stablecoin rows (micro-dollars).
    /// @dev Reverts when a row passes the balance, the cap or its expiry.
    function debit(uint256[] calldata rows) external returns (uint256 heuTotal, uint256 usdTotal);

    /// @notice Pays `amount` out of settlement's reserve.
    function pay(address asset, address receiver, uint256 amount) external;

    /* PARAMETERS (owner only) */

    /// @notice Names the settlement contract, once.
    function setSettlement(address settlement) external;

    /// @notice USD per HEU (WAD), inside `Constants`' bounds. Touches future deposits only.
    function setHeuPriceUsdWad(uint256 heuPriceUsdWad) external;

    /// @notice Extra credits for HEU, basis points. Touches future deposits only.
    function setHeuBonusBps(uint16 heuBonusBps) external;

    /// @notice Seconds between request and payment; waiting requests keep theirs.
    function setWithdrawalDelay(uint32 withdrawalDelaySeconds) external;

    /* VIEWS */

    function accountOf(address account, address asset) external view returns (Account memory);
    function capOf(address account, address asset) external view returns (Cap memory);
    function withdrawalOf(address account, address asset) external view returns (Withdrawal memory);

    /// @notice What settlement may debit now: the lesser of balance and cap, 0 when the cap has expired.
    function debitable(address account, address asset) external view returns (uint256 amount);

    /// @notice Everything settlement ever took from the account (asset units).
    function spent(address account, address asset) external view returns (uint256 amount);

    /// @notice Debited and not yet paid out by settlement (asset units).
    function reserveOf(address asset) external view returns (uint256 amount);

    /// @notice The token of a packed row's asset number: 0 = HEU, 1 = stablecoin.
    function assetOf(uint256 assetId) external view returns (address asset);

    /// @notice The packed row's asset number of a token. Reverts with `CreditVault_UnknownAsset`.
    function assetIdOf(address asset) external view returns (uint256 assetId);

    function wrappedHeu() external view returns (address);
    function usd() external view returns (address);
    function settlement() external view returns (address);
    function lotCount() external view returns (uint256);
    function heuPriceUsdWad() external view returns (uint256);
    function heuBonusBps() external view returns (uint16);
    function withdrawalDelaySeconds() external view returns (uint32);
}
