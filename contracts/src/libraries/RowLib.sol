// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title RowLib
/// @notice A netted debit or credit in one word: account (160 bits) | role (4) | asset (4) | amount (88).
/// @dev 88 bits hold 309 million HEU in wei. The key stands above the amount, so sorting words sorts keys.
library RowLib {
    uint256 private constant AMOUNT_BITS = 88;
    uint256 private constant AMOUNT_MASK = 2 ** AMOUNT_BITS - 1;

    /* ASSETS */

    uint256 internal constant HEU = 0;
    uint256 internal constant USD = 1;
    uint256 internal constant ASSETS = 2;

    /* ROLES */

    uint256 internal constant NODE = 0;
    uint256 internal constant DEPLOYER = 1;
    uint256 internal constant FRONTEND = 2;
    uint256 internal constant VOTERS = 3;
    uint256 internal constant PROTOCOL = 4;

    /* PARTS OF A ROW */

    /// @dev account | role | asset: must ascend strictly within a list.
    function keyOf(uint256 row) internal pure returns (uint256) {
        return row >> AMOUNT_BITS;
    }

    /// @dev role * 16 + asset.
    function tagOf(uint256 row) internal pure returns (uint256) {
        return (row >> AMOUNT_BITS) & 0xff;
    }

    function accountOf(uint256 row) internal pure returns (address) {
        return address(uint160(row >> 96));
    }

    function amountOf(uint256 row) internal pure returns (uint256) {
        return row & AMOUNT_MASK;
    }

    /* STORAGE KEYS */

    /// @dev One mapping key for (account, asset) saves a hash per row against nested mappings.
    function slotKey(address account, uint256 assetId) internal pure returns (uint256) {
        return (uint256(uint160(account)) << 8) | assetId;
    }

    /// @dev The storage key of a row: its key without the role.
    function slotKeyOf(uint256 row) internal pure returns (uint256) {
        return (row >> AMOUNT_BITS) & ~uint256(0xf0);
    }

    /// @dev The storage key of a voters' pot: the row's key with its role, so that no account shares it.
    function potKey(address pot, uint256 assetId) internal pure returns (uint256) {
        return (uint256(uint160(pot)) << 8) | (VOTERS << 4) | assetId;
    }

    /* POTS */

    /// @dev The account that stands for a pod's voters in rows. Nobody has its key.
    function potOf(bytes32 podId) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("pod voters", podId)))));
    }
}
