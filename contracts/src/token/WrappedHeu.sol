// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {IWrappedHeu} from "../interfaces/IWrappedHeu.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";
import {Erc3009} from "./Erc3009.sol";
import {TimestampVotes} from "./TimestampVotes.sol";

/// @title WrappedHeu
/// @notice Native HEU as an ERC-20, one to one, with votes, EIP-2612 and EIP-3009.
contract WrappedHeu is IWrappedHeu, Erc3009, TimestampVotes {
    constructor() ERC20("Wrapped HEU", "WHEU") ERC20Permit("Wrapped HEU") {}

    receive() external payable {
        _wrap(msg.sender);
    }

    /// @inheritdoc IWrappedHeu
    function deposit() external payable {
        _wrap(msg.sender);
    }

    /// @inheritdoc IWrappedHeu
    function depositFor(address account) external payable {
        _wrap(account);
    }

    /// @inheritdoc IWrappedHeu
    function withdraw(uint256 amount) external {
        _unwrap(msg.sender, amount);
    }

    /// @inheritdoc IWrappedHeu
    function withdrawTo(address receiver, uint256 amount) external {
        _unwrap(receiver, amount);
    }

    function _wrap(address account) private {
        _mint(account, msg.value);

        emit Events.Wrapped(account, msg.value);
    }

    function _unwrap(address receiver, uint256 amount) private {
        _burn(msg.sender, amount);

        emit Events.Unwrapped(msg.sender, receiver, amount);

        NativeTransfer.send(receiver, amount);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, TimestampVotes) {
        super._update(from, to, value);
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, TimestampVotes) returns (uint256) {
        return super.nonces(owner);
    }
}
