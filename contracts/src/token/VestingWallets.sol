// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IVestingWallet, IVestingWallets, VestingTerms} from "../interfaces/IVestingWallet.sol";
import {IWrappedHeu} from "../interfaces/IWrappedHeu.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {VestingWallet} from "./VestingWallet.sol";

/// @title VestingWallets
/// @notice The vesting wallets of the genesis distribution, and the only one that can revoke them.
contract VestingWallets is IVestingWallets, Ownable2Step {
    /* IMMUTABLES */

    /// @inheritdoc IVestingWallets
    address public immutable wrappedHeu;

    /* STORAGE */

    address[] private _wallets;

    /// @inheritdoc IVestingWallets
    mapping(address wallet => bool) public isWallet;

    /* CONSTRUCTOR */

    constructor(address owner, address wrappedHeu_) Ownable(owner) {
        require(wrappedHeu_ != address(0), Errors.Shared_ZeroAddress());
        wrappedHeu = wrappedHeu_;
    }

    /* WALLETS */

    /// @inheritdoc IVestingWallets
    function create(string calldata name, VestingTerms calldata terms)
        external
        payable
        onlyOwner
        returns (address wallet)
    {
        require(terms.beneficiary != address(0), Errors.Shared_ZeroAddress());
        require(
            msg.value == terms.schedule.total && msg.value > 0,
            Errors.Vesting_WrongFunding(msg.value, terms.schedule.total)
        );
        Bounds.check(terms.schedule.startBps, 0, Constants.BPS);
        Bounds.check(
            uint256(terms.schedule.cliffSeconds) + terms.schedule.vestSeconds, 0, Constants.MAX_VESTING_SECONDS
        );

        wallet = address(new VestingWallet(IWrappedHeu(wrappedHeu), terms));
        _wallets.push(wallet);
        isWallet[wallet] = true;

        emit Events.VestingWalletCreated({
            wallet: wallet,
            beneficiary: terms.beneficiary,
            name: name,
            total: terms.schedule.total,
            revocable: terms.revocable
        });

        IWrappedHeu(wrappedHeu).depositFor{value: msg.value}(wallet);
    }

    /// @inheritdoc IVestingWallets
    function revoke(address wallet) external onlyOwner returns (uint256 amount) {
        require(isWallet[wallet], Errors.Vesting_UnknownWallet(wallet));

        return IVestingWallet(wallet).revoke(owner());
    }

    /* VIEWS */

    /// @inheritdoc IVestingWallets
    function walletCount() external view returns (uint256) {
        return _wallets.length;
    }

    /// @inheritdoc IVestingWallets
    function walletAt(uint256 index) external view returns (address) {
        return _wallets[index];
    }
}
