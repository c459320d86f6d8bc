// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Erc3009} from "./Erc3009.sol";

/// @title DevUsd
/// @notice The stablecoin of development chains: 6 decimals, EIP-2612, EIP-3009, and a faucet open to everyone.
/// @dev Warning: worth nothing by design. The constructor refuses every chain but the development ones.
contract DevUsd is Erc3009 {
    constructor() ERC20("Dev USD", "DUSD") ERC20Permit("Dev USD") {
        require(
            block.chainid == Constants.DEV_CHAIN_ID || block.chainid == Constants.LOCAL_CHAIN_ID,
            Errors.DevUsd_NotADevChain(block.chainid)
        );
    }

    /// @notice Creates `amount` micro-dollars for `to`. Anyone may call.
    /// @param amount In micro-dollars, at most `Constants.MAX_DEV_USD_MINT` a call.
    function mint(address to, uint256 amount) external {
        require(amount <= Constants.MAX_DEV_USD_MINT, Errors.DevUsd_MintTooLarge(amount, Constants.MAX_DEV_USD_MINT));
        uint256 supply = totalSupply() + amount;
        require(
            supply <= Constants.MAX_DEV_USD_SUPPLY, Errors.DevUsd_SupplyCapped(supply, Constants.MAX_DEV_USD_SUPPLY)
        );

        _mint(to, amount);
    }

    /// @notice 6: one unit is a micro-dollar.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
