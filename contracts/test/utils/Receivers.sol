// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice Refuses every native transfer.
contract RevertingReceiver {
    error NoThanks();

    receive() external payable {
        revert NoThanks();
    }
}

/// @notice Burns all gas it is given when paid.
contract GasBurner {
    receive() external payable {
        while (true) {}
    }
}

/// @notice On being paid, calls `target` with `data` again and again tries; remembers whether any try succeeded.
contract Reentrant {
    address public target;
    bytes public data;
    uint256 public tries;
    bool public succeeded;

    function arm(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function run(address target_, bytes calldata data_) external payable returns (bool success) {
        (success,) = target_.call{value: msg.value}(data_);
    }

    receive() external payable {
        if (target == address(0)) return;
        tries += 1;
        (bool success,) = target.call(data);
        if (success) succeeded = true;
    }
}

/// @notice A contract account: accepts the signatures its key made, or lies, or reverts.
contract ContractAccount is IERC1271 {
    bytes32 public approved;
    bool public broken;

    function approve(bytes32 digest) external {
        approved = digest;
    }

    function breakDown() external {
        broken = true;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        require(!broken, "broken");
        return digest == approved ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    receive() external payable {}
}
