// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch} from "../../src/interfaces/IJobSettlement.sol";

/// @notice Packs and sorts rows for tests, written without `RowLib` so that the two check each other.
library Rows {
    uint256 internal constant HEU = 0;
    uint256 internal constant USD = 1;

    uint256 internal constant NODE = 0;
    uint256 internal constant DEPLOYER = 1;
    uint256 internal constant FRONTEND = 2;
    uint256 internal constant VOTERS = 3;
    uint256 internal constant PROTOCOL = 4;

    function debit(address account, uint256 asset, uint256 amount) internal pure returns (uint256) {
        return credit(account, 0, asset, amount);
    }

    function credit(address account, uint256 role, uint256 asset, uint256 amount) internal pure returns (uint256) {
        require(amount < 2 ** 88, "Rows: amount does not fit");
        return uint256(bytes32(abi.encodePacked(account, uint8(role * 16 + asset), uint88(amount))));
    }

    /// @dev The part of a batch's hash that is not its predecessor and its receipts.
    function contentHash(Batch memory batch) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                batch.number,
                batch.jobCount,
                batch.openHeu,
                batch.openUsd,
                keccak256(abi.encodePacked(batch.debits)),
                keccak256(abi.encodePacked(batch.credits))
            )
        );
    }

    /// @dev Insertion sort in place; returns the same array.
    function sort(uint256[] memory rows) internal pure returns (uint256[] memory) {
        for (uint256 i = 1; i < rows.length; ++i) {
            uint256 row = rows[i];
            uint256 j = i;
            for (; j > 0 && rows[j - 1] > row; --j) {
                rows[j] = rows[j - 1];
            }
            rows[j] = row;
        }
        return rows;
    }

    function list() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }

    function list(uint256 a) internal pure returns (uint256[] memory rows) {
        rows = new uint256[](1);
        rows[0] = a;
    }

    function list(uint256 a, uint256 b) internal pure returns (uint256[] memory rows) {
        rows = new uint256[](2);
        (rows[0], rows[1]) = (a, b);
    }
}
