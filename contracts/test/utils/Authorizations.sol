// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "./Test.sol";

/// @notice Digests of EIP-2612, EIP-3009 and ERC-5805, written from the standards' own type strings.
abstract contract Authorizations is Test {
    string private constant FIELDS =
        "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    string private constant PERMIT =
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";

    struct Authorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    function transferDigest(bytes32 domain, Authorization memory a) internal pure returns (bytes32) {
        return digestOf(domain, "TransferWithAuthorization", a);
    }

    function receiveDigest(bytes32 domain, Authorization memory a) internal pure returns (bytes32) {
        return digestOf(domain, "ReceiveWithAuthorization", a);
    }

    function cancelDigest(bytes32 domain, address authorizer, bytes32 nonce) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
        return typedDigest(domain, keccak256(abi.encode(typeHash, authorizer, nonce)));
    }

    function permitDigest(
        bytes32 domain,
        address owner_,
        address spender,
        uint256 value,
        uint256 nonce,
        uint256 deadline_
    ) internal pure returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(keccak256(bytes(PERMIT)), owner_, spender, value, nonce, deadline_));
        return typedDigest(domain, structHash);
    }

    function delegationDigest(bytes32 domain, address delegatee, uint256 nonce, uint256 expiry)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");
        return typedDigest(domain, keccak256(abi.encode(typeHash, delegatee, nonce, expiry)));
    }

    function digestOf(bytes32 domain, string memory name, Authorization memory a) private pure returns (bytes32) {
        bytes32 typeHash = keccak256(bytes(string.concat(name, FIELDS)));
        return typedDigest(
            domain, keccak256(abi.encode(typeHash, a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce))
        );
    }
}
