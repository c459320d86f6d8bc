// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Erc3009
/// @notice EIP-3009 in both published forms, `(v, r, s)` and `bytes`, plus EIP-2612. The `bytes` form also serves
/// contract accounts (ERC-1271). x402 clients use either.
/// @dev OpenZeppelin's own `bytes` variant ties the nonce to a sequence; EIP-3009 wallets draw random nonces.
abstract contract Erc3009 is ERC20Permit, ERC3009 {
    /// @notice As the `(v, r, s)` form; anyone may submit.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _checkSignature(
            from,
            keccak256(
                abi.encode(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
            ),
            signature
        );

        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @notice As the `(v, r, s)` form; only `to` may submit, so nobody can front-run a contract's deposit.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _checkSignature(
            from,
            keccak256(abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)),
            signature
        );
        require(to == msg.sender, ERC20InvalidReceiver(to));

        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @notice As the `(v, r, s)` form; anyone may submit.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external {
        _checkSignature(authorizer, keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)), signature);

        _cancelAuthorization(authorizer, nonce);
    }

    function _checkSignature(address signer, bytes32 structHash, bytes calldata signature) private view {
        require(
            SignatureChecker.isValidSignatureNowCalldata(signer, _hashTypedDataV4(structHash), signature),
            ERC3009InvalidSignature()
        );
    }
}
