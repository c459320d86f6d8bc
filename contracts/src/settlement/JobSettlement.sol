// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {ICreditVault} from "../interfaces/ICreditVault.sol";
import {Batch, Escrow, IJobSettlement, Parties, Shares, Split} from "../interfaces/IJobSettlement.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Bucket, EscrowLib} from "../libraries/EscrowLib.sol";
import {Events} from "../libraries/Events.sol";
import {RowLib} from "../libraries/RowLib.sol";
import {SplitMath} from "../libraries/SplitMath.sol";

/// @title JobSettlement
/// @notice One transaction for many jobs: linked batches of netted rows, escrowed and then claimed.
/// @dev `eip712Domain()` (EIP-5267) is the domain of job receipts, whose digests are the leaves of `receiptsRoot`.
contract JobSettlement is IJobSettlement, Ownable2Step, EIP712 {
    using EscrowLib for Bucket;
    using RowLib for uint256;

    /* TYPES */

    uint256 private constant ASSETS = 2;
    uint256 private constant ROLES = 5;

    /// @dev What is owed to an account in one asset. `claimable` is a slot of its own, touched once per window.
    struct Slot {
        Bucket bucket;
        uint256 claimable;
    }

    /* IMMUTABLES */

    /// @inheritdoc IJobSettlement
    address public immutable vault;

    /// @inheritdoc IJobSettlement
    bytes32 public immutable genesisHash;

    /* STORAGE */

    /// @inheritdoc IJobSettlement
    address public sequencer;

    /// @dev Shares the sequencer's slot: a batch reads and writes both.
    uint64 private _lastNumber;

    /// @inheritdoc IJobSettlement
    uint32 public challengeWindowSeconds;

    bytes32 private _lastHash;
    Shares private _shares;

    /// @inheritdoc IJobSettlement
    mapping(uint64 number => bytes32 receiptsRoot) public receiptsRootOf;

    /// @dev By `RowLib.slotKey`.
    mapping(uint256 slotKey => Slot) private _slots;

    /* CONSTRUCTOR */

    /// @param challengeWindowSeconds_ Seconds that earnings wait at least.
    constructor(address owner, address vault_, address sequencer_, uint32 challengeWindowSeconds_)
        Ownable(owner)
        EIP712("Heurist", "1")
    {
        require(vault_ != address(0), Errors.Shared_ZeroAddress());
        vault = vault_;
        genesisHash = keccak256(abi.encode("Heurist JobSettlement", block.chainid, address(this)));
        _lastHash = genesisHash;

        _setSequencer(sequencer_);
        _setChallengeWindow(challengeWindowSeconds_);
        _setShares(
            Shares({
                deployerBps: Constants.DEPLOYER_BPS,
                frontendBps: Constants.FRONTEND_BPS,
                votersBps: Constants.VOTERS_BPS,
                protocolBps: Constants.PROTOCOL_BPS
            })
        );
    }

    /* BATCHES */

    /// @inheritdoc IJobSettlement
    function settle(Batch calldata batch) external returns (bytes32 batchHash) {
        _checkHeader(batch);

        // Buckets opened later than this take a row as they are.
        uint256 opensAfter = block.timestamp - challengeWindowSeconds;
        batchHash = _hashBatch(batch);
        _lastNumber = batch.number;
        _lastHash = batchHash;
        receiptsRootOf[batch.number] = batch.receiptsRoot;
        uint256[ROLES][ASSETS] memory credited = _credit(batch.credits, opensAfter);

        emit Events.BatchSettled({
            number: batch.number,
            previousHash: batch.previousHash,
            batchHash: batchHash,
            receiptsRoot: batch.receiptsRoot,
            jobCount: batch.jobCount
        });

        // The vault is ours and calls nobody while it debits.
        (uint256 heuDebited, uint256 usdDebited) = ICreditVault(vault).debit(batch.debits);
        Shares memory shares_ = _shares;
        _checkSplit(RowLib.HEU, heuDebited, credited[RowLib.HEU], shares_);
        _checkSplit(RowLib.USD, usdDebited, credited[RowLib.USD], shares_);
    }

    /// @inheritdoc IJobSettlement
    function lastBatch() external view returns (uint64 number, bytes32 batchHash) {
        return (_lastNumber, _lastHash);
    }

    /// @inheritdoc IJobSettlement
    function verifyReceipt(uint64 number, bytes32 receiptDigest, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        bytes32 root = receiptsRootOf[number];
        return root != bytes32(0) && MerkleProof.verifyCalldata(proof, root, receiptDigest);
    }

    function _checkHeader(Batch calldata batch) private view {
        require(msg.sender == sequencer, Errors.JobSettlement_NotSequencer(msg.sender));
        uint256 expected = uint256(_lastNumber) + 1;
        require(batch.number == expected, Errors.JobSettlement_WrongNumber(batch.number, expected));
        bytes32 lastHash = _lastHash;
        require(batch.previousHash == lastHash, Errors.JobSettlement_WrongPredecessor(batch.previousHash, lastHash));
        require(batch.jobCount != 0, Errors.JobSettlement_NoJobs());
        require(batch.receiptsRoot != bytes32(0), Errors.JobSettlement_ZeroRoot());
    }

    function _hashBatch(Batch calldata batch) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                batch.number,
                batch.previousHash,
                batch.receiptsRoot,
                batch.jobCount,
                keccak256(abi.encodePacked(batch.debits)),
                keccak256(abi.encodePacked(batch.credits))
            )
        );
    }

    /// @dev Adds every row to its account's escrow and sums up by asset and role.
    function _credit(uint256[] calldata rows, uint256 opensAfter)
        private
        returns (uint256[ROLES][ASSETS] memory totals)
    {
        // Most rows are nodes': one word sums them up, HEU in its lower half, USD in the upper.
        uint256 nodes;
        // Rows of the zero account do not come after this.
        uint256 previousKey = 0xff;
        for (uint256 i; i < rows.length; ++i) {
            uint256 row = rows[i];
            uint256 key = row.keyOf();
            require(key > previousKey, Errors.JobSettlement_UnsortedCredits(i));
            previousKey = key;

            uint256 tag = row.tagOf();
            unchecked {
                // Amounts are below 2^88 and a transaction has room for far less than 2^40 rows: no sum reaches 2^128.
                if (tag < ASSETS) nodes += row.amountOf() << (tag * 128);
                else totals[_assetIn(i, tag)][tag >> 4] += row.amountOf();
            }
            _creditRow(_slots[row.slotKeyOf()], row.amountOf(), opensAfter);
        }
        totals[RowLib.HEU][RowLib.NODE] = uint128(nodes);
        totals[RowLib.USD][RowLib.NODE] = nodes >> 128;
    }

    /// @dev The asset of a credit row's tag, if asset and role exist.
    function _assetIn(uint256 index, uint256 tag) private pure returns (uint256 assetId) {
        assetId = tag & 0xf;
        require(assetId < ASSETS && tag >> 4 < ROLES, Errors.JobSettlement_BadRow(index, tag));
    }

    /// @dev The bucket's 96 bits suffice in a batch that settles: its credits equal its debits, and the vault never
    /// holds 2^96 units of an asset, what is escrowed here included.
    function _creditRow(Slot storage slot, uint256 amount, uint256 opensAfter) private {
        Bucket bucket = slot.bucket;
        if (bucket.openedAt() <= opensAfter) bucket = _turn(slot, bucket);
        slot.bucket = bucket.add(amount);
    }

    /// @dev Once per window and row: makes what is final claimable and opens a new bucket.
    function _turn(Slot storage slot, Bucket bucket) private returns (Bucket advanced) {
        uint256 matured;
        (advanced, matured) = bucket.advance(block.timestamp, challengeWindowSeconds);
        if (matured != 0) slot.claimable += matured;
    }

    /// @dev Credits equal debits and the four other roles are within their shares. The shares add up to at most 50 %,
    /// so the node's total, the rest, is at least 50 %.
    function _checkSplit(uint256 assetId, uint256 payments, uint256[ROLES] memory credited, Shares memory shares_)
        private
        view
    {
        uint256 node = credited[RowLib.NODE];
        uint256 deployer = credited[RowLib.DEPLOYER];
        uint256 frontend = credited[RowLib.FRONTEND];
        uint256 voters = credited[RowLib.VOTERS];
        uint256 protocol = credited[RowLib.PROTOCOL];
        uint256 sum = node + deployer + frontend + voters + protocol;
        // Not `require`: its arguments are computed first, and here they cost a call.
        if (sum != payments) revert Errors.JobSettlement_Unbalanced(_assetOf(assetId), payments, sum);

        if (payments == 0) return;

        _checkShare(assetId, RowLib.DEPLOYER, deployer, payments, shares_.deployerBps);
        _checkShare(assetId, RowLib.FRONTEND, frontend, payments, shares_.frontendBps);
        _checkShare(assetId, RowLib.VOTERS, voters, payments, shares_.votersBps);
        _checkShare(assetId, RowLib.PROTOCOL, protocol, payments, shares_.protocolBps);
    }

    function _checkShare(uint256 assetId, uint256 role, uint256 total, uint256 payments, uint256 bps) private view {
        if (total > SplitMath.shareDown(payments, bps)) {
            revert Errors.JobSettlement_ShareTooHigh(_assetOf(assetId), role, total, payments);
        }
    }

    /* CLAIMS */

    /// @inheritdoc IJobSettlement
    function claim(address asset, address receiver) external returns (uint256 amount) {
        return _claim(msg.sender, asset, receiver);
    }

    /// @inheritdoc IJobSettlement
    function claimFor(address account, address asset) external returns (uint256 amount) {
        return _claim(account, asset, account);
    }

    /// @inheritdoc IJobSettlement
    function claimableOf(address account, address asset) external view returns (uint256 amount) {
        Slot storage slot = _slot(account, asset);
        (, uint256 matured) = slot.bucket.advance(block.timestamp, challengeWindowSeconds);

        return slot.claimable + matured;
    }

    /// @inheritdoc IJobSettlement
    function pendingOf(address account, address asset) external view returns (uint256 amount) {
        (Bucket bucket,) = _slot(account, asset).bucket.advance(block.timestamp, challengeWindowSeconds);

        return bucket.newest() + bucket.maturing();
    }

    /// @inheritdoc IJobSettlement
    function escrowOf(address account, address asset) external view returns (Escrow memory) {
        Slot storage slot = _slot(account, asset);
        Bucket bucket = slot.bucket;

        return Escrow({
            newest: bucket.newest(), maturing: bucket.maturing(), openedAt: bucket.openedAt(), claimable: slot.claimable
        });
    }

    function _claim(address account, address asset, address receiver) private returns (uint256 amount) {
        Slot storage slot = _slot(account, asset);
        (Bucket bucket, uint256 matured) = slot.bucket.advance(block.timestamp, challengeWindowSeconds);
        amount = slot.claimable + matured;
        require(amount != 0, Errors.JobSettlement_NothingToClaim(account, asset));

        slot.bucket = bucket;
        slot.claimable = 0;

        emit Events.Claimed(account, asset, receiver, amount);

        ICreditVault(vault).pay(asset, receiver, amount);
    }

    /// @inheritdoc IJobSettlement
    function quoteSplit(uint256 payment, Parties calldata parties) external view returns (Split memory) {
        return SplitMath.split(payment, _shares, parties);
    }

    /* PARAMETERS */

    /// @inheritdoc IJobSettlement
    function setSequencer(address sequencer_) external onlyOwner {
        _setSequencer(sequencer_);
    }

    /// @inheritdoc IJobSettlement
    function setShares(Shares calldata shares_) external onlyOwner {
        _setShares(shares_);
    }

    /// @inheritdoc IJobSettlement
    function setChallengeWindow(uint32 challengeWindowSeconds_) external onlyOwner {
        _setChallengeWindow(challengeWindowSeconds_);
    }

    function _setSequencer(address sequencer_) private {
        require(sequencer_ != address(0), Errors.Shared_ZeroAddress());

        sequencer = sequencer_;

        emit Events.SequencerChanged(sequencer_);
    }

    function _setShares(Shares memory shares_) private {
        uint256 sum = uint256(shares_.deployerBps) + shares_.frontendBps + shares_.votersBps + shares_.protocolBps;
        uint256 max = Constants.BPS - Constants.MIN_NODE_BPS;
        require(sum <= max, Errors.JobSettlement_SharesTooHigh(sum, max));

        _shares = shares_;

        emit Events.SharesChanged(shares_.deployerBps, shares_.frontendBps, shares_.votersBps, shares_.protocolBps);
    }

    function _setChallengeWindow(uint32 windowSeconds) private {
        Bounds.check(windowSeconds, Constants.MIN_CHALLENGE_WINDOW, Constants.MAX_CHALLENGE_WINDOW);

        challengeWindowSeconds = windowSeconds;

        emit Events.ChallengeWindowChanged(windowSeconds);
    }

    /* VIEWS */

    /// @inheritdoc IJobSettlement
    function shares() external view returns (Shares memory) {
        return _shares;
    }

    /* INTERNAL */

    function _assetOf(uint256 assetId) private view returns (address) {
        return ICreditVault(vault).assetOf(assetId);
    }

    /// @dev The vault knows the assets; an unknown one reverts there.
    function _slot(address account, address asset) private view returns (Slot storage) {
        return _slots[RowLib.slotKey(account, ICreditVault(vault).assetIdOf(asset))];
    }
}
