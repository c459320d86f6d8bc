// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {IRefundPot} from "../interfaces/IRefundPot.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title RefundPot
/// @notice Holds the users' part of slashes, by case.
contract RefundPot is IRefundPot, Ownable2Step {
    /* TYPES */

    struct Pot {
        uint256 amount;
        bytes32 root;
        uint64 until;
    }

    /* STORAGE */

    /// @inheritdoc IRefundPot
    mapping(uint256 caseId => Pot) public potOf;

    /// @inheritdoc IRefundPot
    mapping(uint256 caseId => mapping(address account => bool)) public claimed;

    /// @inheritdoc IRefundPot
    address public slasher;

    /// @inheritdoc IRefundPot
    address public immutable burn;

    /* CONSTRUCTOR */

    constructor(address owner, address burn_) Ownable(owner) {
        require(burn_ != address(0), Errors.Shared_ZeroAddress());
        burn = burn_;
    }

    /* REFUNDS */

    /// @inheritdoc IRefundPot
    function fund(uint256 caseId) external payable {
        require(msg.sender == slasher, Errors.RefundPot_NotSlasher(msg.sender));

        potOf[caseId].amount += msg.value;

        emit Events.RefundsFunded(caseId, msg.value);
    }

    /// @inheritdoc IRefundPot
    function setRoot(uint256 caseId, bytes32 root) external onlyOwner {
        Pot storage pot = potOf[caseId];
        require(pot.amount != 0, Errors.RefundPot_NothingThere(caseId));
        require(pot.root == bytes32(0), Errors.RefundPot_RootAlreadySet(caseId));

        pot.root = root;
        pot.until = uint64(block.timestamp) + Constants.REFUND_PERIOD;

        emit Events.RefundRootSet(caseId, root, pot.until);
    }

    /// @inheritdoc IRefundPot
    function claim(uint256 caseId, address account, uint256 amount, bytes32[] calldata proof) external {
        Pot storage pot = potOf[caseId];
        require(!claimed[caseId][account], Errors.RefundPot_AlreadyClaimed(caseId, account));
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, amount))));
        require(
            pot.root != bytes32(0) && MerkleProof.verifyCalldata(proof, pot.root, leaf),
            Errors.RefundPot_BadProof(caseId, account)
        );
        require(pot.amount >= amount, Errors.RefundPot_Exhausted(caseId, pot.amount, amount));

        claimed[caseId][account] = true;
        pot.amount -= amount;

        emit Events.Refunded(caseId, account, amount);

        NativeTransfer.send(account, amount);
    }

    /// @inheritdoc IRefundPot
    function burnRest(uint256 caseId) external {
        Pot storage pot = potOf[caseId];
        require(pot.amount != 0 && pot.root != bytes32(0), Errors.RefundPot_NothingThere(caseId));
        require(block.timestamp >= pot.until, Errors.RefundPot_StillOpen(caseId, pot.until));

        uint256 rest = pot.amount;
        pot.amount = 0;

        emit Events.RefundsBurned(caseId, rest);

        NativeTransfer.send(burn, rest);
    }

    /* PARAMETERS */

    /// @inheritdoc IRefundPot
    function setSlasher(address slasher_) external onlyOwner {
        slasher = slasher_;

        emit Events.SlasherChanged(slasher_);
    }
}
