// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "./Test.sol";

/// @notice Signatures of hot keys under `NodeConsent`.
abstract contract Consents is Test {
    function signConsent(address registry, uint256 hotKey, address nodeOwner, uint64 deadline)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typeHash = keccak256("NodeConsent(address owner,address hotKey,uint64 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, nodeOwner, vm.addr(hotKey), deadline));
        return signature(hotKey, typedDigest(domainOf("Heurist NodeRegistry", registry), structHash));
    }
}
