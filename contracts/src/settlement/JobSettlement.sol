// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {GuardedPause} from "../governance/GuardedPause.sol";
import {ICreditVault} from "../interfaces/ICreditVault.sol";
import {Batch, BatchProof, Escrow, IJobSettlement, Parties, Shares, Split} from "../interfaces/IJobSettlement.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {EpochLib} from "../libraries/EpochLib.sol";
import {Errors} from "../libraries/Errors.sol";
import {Bucket, EscrowLib} from "../libraries/EscrowLib.sol";
import {Events} from "../libraries/Events.sol";
import {RowLib} from "../libraries/RowLib.sol";
import {SplitMath} from "../libraries/SplitMath.sol";

/// @title JobSettlement
/// @notice One transaction for many jobs: linked batches of netted rows, escrowed and then claimed.
/// @dev `eip712Domain()` (EIP-5267) is the domain of job receipts, whose digests are the leaves of `receiptsRoot`.
contract JobSettlement is IJobSettlement, GuardedPause, EIP712 {
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

    struct Settings {
        address sequencer;
        uint32 challengeWindowSeconds;
        uint16 deployerBps;
        uint16 frontendBps;
        uint16 votersBps;
        uint16 protocolBps;
    }

    /// @dev Organic revenue of one epoch, see `organicRevenueOf`.
    struct Revenue {
        uint128 heu;
        uint128 usd;
    }

    /* IMMUTABLES */

    /// @inheritdoc IJobSettlement
    address public immutable vault;

    /// @inheritdoc IJobSettlement
    address public immutable nodeRegistry;

    /// @inheritdoc IJobSettlement
    bytes32 public immutable genesisHash;

    /// @inheritdoc IJobSettlement
    uint256 public immutable epochGenesis;

    /* STORAGE */

    /// @inheritdoc IJobSettlement
    mapping(uint64 number => bytes32 batchHash) public batchHashOf;

    /// @dev What every batch needs to know, in one word.
    Settings private _settings;

    /// @inheritdoc IJobSettlement
    address public voterRewards;

    /// @dev One word per epoch: a batch writes one of them.
    mapping(uint256 epoch => Revenue) private _organicRevenue;

    /// @dev By `RowLib.slotKey`; the voters' pots by `RowLib.potKey`.
    mapping(uint256 slotKey => Slot) private _slots;

    /* CONSTRUCTOR */

    /// @param challengeWindowSeconds_ Seconds that earnings wait at least.
    /// @param epochGenesis_ Unix seconds at which epoch 0 began.
    constructor(
        address owner,
        address vault_,
        address nodeRegistry_,
        address sequencer_,
        uint32 challengeWindowSeconds_,
        uint256 epochGenesis_
    ) Ownable(owner) EIP712("Heurist", "1") {
        require(vault_ != address(0) && nodeRegistry_ != address(0), Errors.Shared_ZeroAddress());
        vault = vault_;
        nodeRegistry = nodeRegistry_;
        epochGenesis = epochGenesis_;
        genesisHash = keccak256(abi.encode("Heurist JobSettlement", block.chainid, address(this)));
        batchHashOf[0] = genesisHash;

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
    function settle(Batch calldata batch) external whenNotPaused returns (bytes32 batchHash) {
        Settings memory settings = _settings;
        _checkHeader(batch, settings.sequencer);

        // Buckets opened later than this take a row as they are.
        uint256 opensAfter = block.timestamp - settings.challengeWindowSeconds;
        bytes32 contentHash = _hashContent(batch);
        batchHash = _hashBatch(batch.previousHash, batch.receiptsRoot, contentHash);
        batchHashOf[batch.number] = batchHash;
        uint256[ROLES][ASSETS] memory credited = _credit(batch.credits, opensAfter);

        emit Events.BatchSettled({
            number: batch.number,
            batchHash: batchHash,
            receiptsRoot: batch.receiptsRoot,
            contentHash: contentHash,
            jobCount: batch.jobCount
        });

        // The vault is ours and calls nobody while it debits.
        (uint256 heuDebited, uint256 usdDebited) = ICreditVault(vault).debit(batch.debits);
        _checkSplit(RowLib.HEU, heuDebited, credited[RowLib.HEU], settings);
        _checkSplit(RowLib.USD, usdDebited, credited[RowLib.USD], settings);
        _countOrganic(
            _organicOf(RowLib.HEU, batch.openHeu, heuDebited, credited[RowLib.HEU][RowLib.PROTOCOL]),
            _organicOf(RowLib.USD, batch.openUsd, usdDebited, credited[RowLib.USD][RowLib.PROTOCOL])
        );
    }

    /// @inheritdoc IJobSettlement
    function lastBatch() public view returns (uint64 number, bytes32 batchHash) {
        // Numbers have no gaps, so the last is found by halving. Settling does not need it and so does not pay for it.
        uint64 above = 1;
        while (batchHashOf[above] != bytes32(0)) above *= 2;
        number = above / 2;
        while (above - number > 1) {
            uint64 middle = number + (above - number) / 2;
            if (batchHashOf[middle] == bytes32(0)) above = middle;
            else number = middle;
        }
        batchHash = batchHashOf[number];
    }

    /// @inheritdoc IJobSettlement
    function verifyReceipt(BatchProof calldata batch, bytes32 receiptDigest, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        if (batch.number == 0) return false;
        bytes32 previousHash = batchHashOf[batch.number - 1];
        bytes32 batchHash = _hashBatch(previousHash, batch.receiptsRoot, batch.contentHash);

        return
            batchHash == batchHashOf[batch.number]
                && MerkleProof.verifyCalldata(proof, batch.receiptsRoot, receiptDigest);
    }

    /// @inheritdoc IJobSettlement
    function organicRevenueOf(uint256 epoch) external view returns (uint256 heu, uint256 usd) {
        Revenue memory revenue = _organicRevenue[epoch];

        return (revenue.heu, revenue.usd);
    }

    /// @dev The predecessor is there and the batch itself is not: as numbers have no gaps, it is the next one.
    function _checkHeader(Batch calldata batch, address sequencer_) private view {
        require(msg.sender == sequencer_, Errors.JobSettlement_NotSequencer(msg.sender));
        require(batch.jobCount != 0, Errors.JobSettlement_NoJobs());
        require(batch.receiptsRoot != bytes32(0), Errors.JobSettlement_ZeroRoot());
        unchecked {
            // Number 0 wraps around to a batch that is not there.
            bytes32 expected = batchHashOf[batch.number - 1];
            if (expected == bytes32(0) || batchHashOf[batch.number] != bytes32(0)) _refuseNumber(batch.number);
            if (batch.previousHash != expected) {
                revert Errors.JobSettlement_WrongPredecessor(batch.previousHash, expected);
            }
        }
    }

    function _refuseNumber(uint64 number) private view {
        (uint64 last,) = lastBatch();
        revert Errors.JobSettlement_WrongNumber(number, uint256(last) + 1);
    }

    /// @dev Everything of a batch but its place in the chain and its receipts.
    function _hashContent(Batch calldata batch) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                batch.number,
                batch.jobCount,
                batch.openHeu,
                batch.openUsd,
                keccak256(abi.encodePacked(batch.debits)),
                keccak256(abi.encodePacked(batch.credits))
            )
        );
    }

    function _hashBatch(bytes32 previousHash, bytes32 receiptsRoot, bytes32 contentHash)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(previousHash, receiptsRoot, contentHash));
    }

    /// @dev Open jobs count whole; of all others only the share that the protocol got (DESIGN §6.3), rounded down.
    function _organicOf(uint256 assetId, uint256 open, uint256 payments, uint256 protocol)
        private
        view
        returns (uint256 organic)
    {
        if (open > payments) revert Errors.JobSettlement_OpenTooHigh(_assetOf(assetId), open, payments);
        if (open == payments) return open;
        unchecked {
            // All three are at most `payments`, which is below 2^96: the product stays below 2^192.
            return open + protocol * (payments - open) / payments;
        }
    }

    function _countOrganic(uint256 heu, uint256 usd) private {
        Revenue storage revenue = _organicRevenue[EpochLib.epochAt(epochGenesis, block.timestamp)];
        // Safe casts: at most the payments, which are below 2^96. A week's sum is checked by the addition.
        (uint128 heuBefore, uint128 usdBefore) = (revenue.heu, revenue.usd);
        (revenue.heu, revenue.usd) = (heuBefore + uint128(heu), usdBefore + uint128(usd));
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

            // Of nodes, who have role 0, and of pots the storage key is the row's key. A pot is nobody's account: what
            // voters earned is kept where only `claimVoters` looks.
            uint256 slotKey = key;
            uint256 tag = row.tagOf();
            unchecked {
                // Amounts are below 2^88 and a transaction has room for far less than 2^40 rows: no sum reaches 2^128.
                if (tag < ASSETS) {
                    nodes += row.amountOf() << (tag * 128);
                } else {
                    totals[_assetIn(i, tag)][tag >> 4] += row.amountOf();
                    if (tag >> 4 != RowLib.VOTERS) slotKey = row.slotKeyOf();
                }
            }
            _creditRow(_slots[slotKey], row.amountOf(), opensAfter);
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
        (advanced, matured) = bucket.advance(block.timestamp, _settings.challengeWindowSeconds);
        if (matured != 0) slot.claimable += matured;
    }

    /// @dev Credits equal debits and the four other roles are within their shares. The shares add up to at most 50 %,
    /// so the node's total, the rest, is at least 50 %.
    function _checkSplit(uint256 assetId, uint256 payments, uint256[ROLES] memory credited, Settings memory settings)
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

        _checkShare(assetId, RowLib.DEPLOYER, deployer, payments, settings.deployerBps);
        _checkShare(assetId, RowLib.FRONTEND, frontend, payments, settings.frontendBps);
        _checkShare(assetId, RowLib.VOTERS, voters, payments, settings.votersBps);
        _checkShare(assetId, RowLib.PROTOCOL, protocol, payments, settings.protocolBps);
    }

    function _checkShare(uint256 assetId, uint256 role, uint256 total, uint256 payments, uint256 bps) private view {
        if (total > SplitMath.shareDown(payments, bps)) {
            revert Errors.JobSettlement_ShareTooHigh(_assetOf(assetId), role, total, payments);
        }
    }

    /* CLAIMS */

    /// @inheritdoc IJobSettlement
    function claim(address asset, address receiver) external returns (uint256 amount) {
        _demandNoJail(msg.sender);

        return _claim(_slot(msg.sender, asset), msg.sender, asset, receiver);
    }

    /// @inheritdoc IJobSettlement
    function claimFor(address account, address asset) external returns (uint256 amount) {
        _demandNoJail(account);

        return _claim(_slot(account, asset), account, asset, account);
    }

    /// @inheritdoc IJobSettlement
    function claimVoters(bytes32 podId, address asset) external returns (uint256 amount) {
        require(msg.sender == voterRewards, Errors.JobSettlement_NotVoterRewards(msg.sender));

        return _claim(_potSlot(podId, asset), potOf(podId), asset, msg.sender);
    }

    /// @inheritdoc IJobSettlement
    function claimableOf(address account, address asset) external view returns (uint256 amount) {
        return _claimable(_slot(account, asset));
    }

    /// @inheritdoc IJobSettlement
    function pendingOf(address account, address asset) external view returns (uint256 amount) {
        return _pending(_slot(account, asset));
    }

    /// @inheritdoc IJobSettlement
    function escrowOf(address account, address asset) external view returns (Escrow memory) {
        return _escrow(_slot(account, asset));
    }

    /// @inheritdoc IJobSettlement
    function potOf(bytes32 podId) public pure returns (address account) {
        return RowLib.potOf(podId);
    }

    /// @inheritdoc IJobSettlement
    function claimableVotersOf(bytes32 podId, address asset) external view returns (uint256 amount) {
        return _claimable(_potSlot(podId, asset));
    }

    /// @inheritdoc IJobSettlement
    function pendingVotersOf(bytes32 podId, address asset) external view returns (uint256 amount) {
        return _pending(_potSlot(podId, asset));
    }

    /// @inheritdoc IJobSettlement
    function escrowOfPot(address pot, address asset) external view returns (Escrow memory) {
        return _escrow(_slots[RowLib.potKey(pot, ICreditVault(vault).assetIdOf(asset))]);
    }

    function _demandNoJail(address account) private view {
        uint256 jailed = INodeRegistry(nodeRegistry).jailedNodesOf(account);
        if (jailed != 0) revert Errors.JobSettlement_Frozen(account, jailed);
    }

    function _claim(Slot storage slot, address account, address asset, address receiver)
        private
        returns (uint256 amount)
    {
        (Bucket bucket, uint256 matured) = slot.bucket.advance(block.timestamp, _settings.challengeWindowSeconds);
        amount = slot.claimable + matured;
        require(amount != 0, Errors.JobSettlement_NothingToClaim(account, asset));

        slot.bucket = bucket;
        slot.claimable = 0;

        emit Events.Claimed(account, asset, receiver, amount);

        ICreditVault(vault).pay(asset, receiver, amount);
    }

    function _claimable(Slot storage slot) private view returns (uint256) {
        (, uint256 matured) = slot.bucket.advance(block.timestamp, _settings.challengeWindowSeconds);

        return slot.claimable + matured;
    }

    function _pending(Slot storage slot) private view returns (uint256) {
        (Bucket bucket,) = slot.bucket.advance(block.timestamp, _settings.challengeWindowSeconds);

        return bucket.newest() + bucket.maturing();
    }

    function _escrow(Slot storage slot) private view returns (Escrow memory) {
        Bucket bucket = slot.bucket;

        return Escrow({
            newest: bucket.newest(), maturing: bucket.maturing(), openedAt: bucket.openedAt(), claimable: slot.claimable
        });
    }

    /// @inheritdoc IJobSettlement
    function quoteSplit(uint256 payment, Parties calldata parties) external view returns (Split memory) {
        return SplitMath.split(payment, shares(), parties);
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

    /// @inheritdoc IJobSettlement
    function setVoterRewards(address voterRewards_) external onlyOwner {
        require(voterRewards_ != address(0), Errors.Shared_ZeroAddress());

        voterRewards = voterRewards_;

        emit Events.VoterRewardsChanged(voterRewards_);
    }

    function _setSequencer(address sequencer_) private {
        require(sequencer_ != address(0), Errors.Shared_ZeroAddress());

        _settings.sequencer = sequencer_;

        emit Events.SequencerChanged(sequencer_);
    }

    function _setShares(Shares memory shares_) private {
        uint256 sum = uint256(shares_.deployerBps) + shares_.frontendBps + shares_.votersBps + shares_.protocolBps;
        uint256 max = Constants.BPS - Constants.MIN_NODE_BPS;
        require(sum <= max, Errors.JobSettlement_SharesTooHigh(sum, max));

        _settings.deployerBps = shares_.deployerBps;
        _settings.frontendBps = shares_.frontendBps;
        _settings.votersBps = shares_.votersBps;
        _settings.protocolBps = shares_.protocolBps;

        emit Events.SharesChanged(shares_.deployerBps, shares_.frontendBps, shares_.votersBps, shares_.protocolBps);
    }

    function _setChallengeWindow(uint32 windowSeconds) private {
        Bounds.check(windowSeconds, Constants.MIN_CHALLENGE_WINDOW, Constants.MAX_CHALLENGE_WINDOW);

        _settings.challengeWindowSeconds = windowSeconds;

        emit Events.ChallengeWindowChanged(windowSeconds);
    }

    /* VIEWS */

    /// @inheritdoc IJobSettlement
    function shares() public view returns (Shares memory) {
        Settings memory settings = _settings;

        return Shares({
            deployerBps: settings.deployerBps,
            frontendBps: settings.frontendBps,
            votersBps: settings.votersBps,
            protocolBps: settings.protocolBps
        });
    }

    /// @inheritdoc IJobSettlement
    function sequencer() external view returns (address) {
        return _settings.sequencer;
    }

    /// @inheritdoc IJobSettlement
    function challengeWindowSeconds() external view returns (uint32) {
        return _settings.challengeWindowSeconds;
    }

    /* INTERNAL */

    function _assetOf(uint256 assetId) private view returns (address) {
        return ICreditVault(vault).assetOf(assetId);
    }

    /// @dev The vault knows the assets; an unknown one reverts there.
    function _slot(address account, address asset) private view returns (Slot storage) {
        return _slots[RowLib.slotKey(account, ICreditVault(vault).assetIdOf(asset))];
    }

    function _potSlot(bytes32 podId, address asset) private view returns (Slot storage) {
        return _slots[RowLib.potKey(potOf(podId), ICreditVault(vault).assetIdOf(asset))];
    }
}
