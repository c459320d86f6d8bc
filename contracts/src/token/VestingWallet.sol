// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";

import {IVestingWallet, VestingTerms} from "../interfaces/IVestingWallet.sol";
import {IWrappedHeu} from "../interfaces/IWrappedHeu.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {VestingMath} from "../libraries/VestingMath.sol";

/// @title VestingWallet
/// @notice One allocation. A contract of its own, because votes are delegated by holder.
contract VestingWallet is IVestingWallet {
    /* IMMUTABLES */

    address private immutable _factory;
    IWrappedHeu private immutable _wrappedHeu;

    /* STORAGE */

    VestingTerms private _terms;

    /// @inheritdoc IVestingWallet
    address public beneficiary;

    /// @inheritdoc IVestingWallet
    uint64 public revokedAt;

    /// @inheritdoc IVestingWallet
    address public offeredTo;

    /// @inheritdoc IVestingWallet
    uint256 public released;

    /* CONSTRUCTOR */

    /// @dev `VestingWallets` checks the terms and sends the total.
    constructor(IWrappedHeu wrappedHeu, VestingTerms memory terms_) {
        _factory = msg.sender;
        _wrappedHeu = wrappedHeu;
        _terms = terms_;
        beneficiary = terms_.beneficiary;
    }

    /* BENEFICIARY */

    /// @inheritdoc IVestingWallet
    function release() external returns (uint256 amount) {
        amount = releasable();
        require(amount > 0, Errors.Vesting_NothingToRelease());

        released += amount;

        emit Events.VestingReleased(beneficiary, amount);

        _wrappedHeu.withdrawTo(beneficiary, amount);
    }

    /// @inheritdoc IVestingWallet
    function delegate(address delegatee) external {
        require(msg.sender == beneficiary, Errors.Vesting_NotBeneficiary(msg.sender));

        IVotes(address(_wrappedHeu)).delegate(delegatee);
    }

    /// @inheritdoc IVestingWallet
    function offerTo(address beneficiary_) external {
        require(msg.sender == beneficiary, Errors.Vesting_NotBeneficiary(msg.sender));

        offeredTo = beneficiary_;

        emit Events.VestingOffered(msg.sender, beneficiary_);
    }

    /// @inheritdoc IVestingWallet
    function accept() external {
        require(msg.sender == offeredTo, Errors.Vesting_NotOffered(msg.sender));

        address old = beneficiary;
        beneficiary = msg.sender;
        offeredTo = address(0);

        emit Events.VestingBeneficiaryChanged(old, msg.sender);
    }

    /* TREASURY */

    /// @inheritdoc IVestingWallet
    function revoke(address receiver) external returns (uint256 amount) {
        require(msg.sender == _factory, Errors.Vesting_NotFactory(msg.sender));
        require(_terms.revocable, Errors.Vesting_NotRevocable());
        require(revokedAt == 0, Errors.Vesting_AlreadyRevoked(revokedAt));

        revokedAt = uint64(block.timestamp);
        amount = _terms.schedule.total - vestedAt(revokedAt);

        emit Events.VestingRevoked(beneficiary, receiver, amount);

        _wrappedHeu.withdrawTo(receiver, amount);
    }

    /* VIEWS */

    /// @inheritdoc IVestingWallet
    function terms() external view returns (VestingTerms memory) {
        return _terms;
    }

    /// @inheritdoc IVestingWallet
    function vestedAt(uint64 timestamp) public view returns (uint256) {
        uint64 until = revokedAt != 0 && revokedAt < timestamp ? revokedAt : timestamp;
        if (until < _terms.start) return 0;
        return VestingMath.vestedDown(_terms.schedule, until - _terms.start);
    }

    /// @inheritdoc IVestingWallet
    function releasable() public view returns (uint256) {
        return vestedAt(uint64(block.timestamp)) - released;
    }
}
