// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One settlement transaction: the net result of `jobCount` successful jobs.
/// @param number One more than the last batch; the first is 1.
/// @param previousHash `batchHash` of the last batch; `genesisHash` for the first.
/// @param receiptsRoot Root of the tree of the jobs' EIP-712 receipt digests (`SimpleMerkleTree`, sorted pairs).
/// @param jobCount Jobs settled.
/// @param openHeu What open jobs paid in HEU (wei): at most the HEU debits. Open: the router alone chose the node, among
/// at least three owners; see `routeClass` of the receipts.
/// @param openUsd The same in the stablecoin (micro-dollars).
/// @param debits Packed rows, strictly ascending: account (160 bits) | 0 (4) | asset (4) | amount (88).
/// @param credits Packed rows, strictly ascending: account (160 bits) | role (4) | asset (4) | amount (88).
struct Batch {
    uint64 number;
    bytes32 previousHash;
    bytes32 receiptsRoot;
    uint32 jobCount;
    uint96 openHeu;
    uint96 openUsd;
    uint256[] debits;
    uint256[] credits;
}

/// @notice What `BatchSettled` says about a batch; with `batchHashOf` it proves the receipts root.
struct BatchProof {
    uint64 number;
    bytes32 receiptsRoot;
    bytes32 contentHash;
}

/// @notice What the four other roles may get of a payment at most, in basis points; the node gets the rest.
struct Shares {
    uint16 deployerBps;
    uint16 frontendBps;
    uint16 votersBps;
    uint16 protocolBps;
}

/// @notice Which of the optional parties a payment has.
struct Parties {
    bool deployer;
    bool frontend;
    bool voters;
}

/// @notice One payment split; the five amounts add up to it exactly (asset units).
struct Split {
    uint256 node;
    uint256 deployer;
    uint256 frontend;
    uint256 voters;
    uint256 protocol;
}

/// @notice What settlement owes an account in one asset (asset units).
/// @param newest Credited since `openedAt`; not final.
/// @param maturing Credited in the window before; final at `openedAt` + one window.
/// @param openedAt Unix seconds.
/// @param claimable Final before the last credit; ready to be claimed.
struct Escrow {
    uint256 newest;
    uint256 maturing;
    uint256 openedAt;
    uint256 claimable;
}

/// @title IJobSettlement
/// @notice Posts only what succeeded: the sequencer nets the receipts of many jobs into one linked batch; this contract
/// checks that per asset what is taken is what is given, that the split respects the five shares, and holds the
/// earnings through the challenge window.
///
/// Roles in credit rows: 0 node, 1 pod deployer, 2 frontend, 3 pod voters, 4 protocol. Assets: 0 HEU, 1 stablecoin.
/// A missing party's share and all dust go to the node, so roles 1 to 4 have upper bounds. Their sum is at most 50 %, and
/// the credits equal the debits, so the node never gets less than 50 %.
///
/// @dev Escrow: a credit becomes claimable after at least one and at most two challenge windows. Two buckets per
/// (account, asset) share one storage slot, so a row costs one cold SSTORE; once per window a second slot is touched.
/// @dev Warning: shares are checked on a batch's totals. That each single job was split rightly is shown by its
/// receipt, whose digest is under `receiptsRoot`.
interface IJobSettlement {
    /* BATCHES */

    /// @notice Settles a batch, all or nothing. Only the sequencer, unless the guardian has paused it: claims go on.
    /// @dev Makes no call to any recipient, so no recipient can block a batch.
    /// Its epoch's organic revenue grows by what open jobs paid and, of all other payments, by the protocol's share in the
    /// batch's credits, rounded down: a wash trader's own payment counts only up to what it really gave away (DESIGN §6.3).
    /// @return batchHash `keccak256(abi.encode(previousHash, receiptsRoot, contentHash))`, where `contentHash` is
    /// `keccak256(abi.encode(number, jobCount, openHeu, openUsd, keccak256(abi.encodePacked(debits)),
    /// keccak256(abi.encodePacked(credits))))`.
    function settle(Batch calldata batch) external returns (bytes32 batchHash);

    /// @notice The last batch settled: its number and hash; (0, `genesisHash`) before the first.
    /// @dev Searches; meant for calls from outside.
    function lastBatch() external view returns (uint64 number, bytes32 batchHash);

    /// @notice Hash of a settled batch; `genesisHash` of 0; 0 when there is no such batch.
    function batchHashOf(uint64 number) external view returns (bytes32 batchHash);

    /// @notice Whether the batch has this receipts root and the receipt is in it.
    /// @dev Warning: inner tree nodes verify too. Compute the digest from a receipt, do not take it from a stranger.
    function verifyReceipt(BatchProof calldata batch, bytes32 receiptDigest, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice Revenue of one epoch that drives emission: open jobs whole, others up to the protocol's share.
    /// @return heu Wei of HEU.
    /// @return usd Micro-dollars.
    function organicRevenueOf(uint256 epoch) external view returns (uint256 heu, uint256 usd);

    /// @notice The predecessor of batch 1: binds the chain of batches to this chain and contract.
    function genesisHash() external view returns (bytes32);

    /// @notice Unix seconds at which epoch 0 began; epochs last one week.
    function epochGenesis() external view returns (uint256);

    /* CLAIMS */

    /// @notice Pays what is final to `receiver`. Only the account itself, and not while a node of its is jailed.
    function claim(address asset, address receiver) external returns (uint256 amount);

    /// @notice Pays what is final to `account` itself. Anyone may call, but not while a node of the account is jailed.
    function claimFor(address account, address asset) external returns (uint256 amount);

    /// @notice Pays what is final in the pot of the pod's voters to the caller. Only `voterRewards`.
    function claimVoters(bytes32 podId, address asset) external returns (uint256 amount);

    /// @notice The account that credit rows name for the voters of a pod:
    /// `address(uint160(uint256(keccak256(abi.encode("pod voters", podId)))))`. Nobody has its key.
    /// @dev Rows of role 3 are kept apart from accounts: `claimFor` does not reach them.
    function potOf(bytes32 podId) external pure returns (address account);

    /// @notice What the pod's voters could be paid now (asset units).
    function claimableVotersOf(bytes32 podId, address asset) external view returns (uint256 amount);

    /// @notice What the pod's voters have here and cannot be paid yet (asset units).
    function pendingVotersOf(bytes32 podId, address asset) external view returns (uint256 amount);

    /// @notice The stored buckets of a pot, not brought forward to now.
    function escrowOfPot(address pot, address asset) external view returns (Escrow memory);

    /// @notice What `account` could claim now (asset units).
    function claimableOf(address account, address asset) external view returns (uint256 amount);

    /// @notice What `account` has here and cannot claim yet (asset units).
    function pendingOf(address account, address asset) external view returns (uint256 amount);

    /// @notice The stored buckets, not brought forward to now.
    function escrowOf(address account, address asset) external view returns (Escrow memory);

    /// @notice How one payment is split under the shares in force; a missing party's share and the dust go to the node.
    /// @param payment Asset units.
    function quoteSplit(uint256 payment, Parties calldata parties) external view returns (Split memory);

    /* PARAMETERS (owner only) */

    function setSequencer(address sequencer) external;

    /// @notice Names the contract that gives pods' voters what they earned.
    function setVoterRewards(address voterRewards) external;

    /// @notice Sets the four shares; together at most 5,000 basis points.
    function setShares(Shares calldata shares) external;

    /// @notice Seconds, inside `Constants`' bounds.
    /// @dev Warning: also moves the maturity of what is in escrow.
    function setChallengeWindow(uint32 challengeWindowSeconds) external;

    /* VIEWS */

    function vault() external view returns (address);

    /// @notice Asked at each claim whether a node of the account is jailed.
    function nodeRegistry() external view returns (address);
    function sequencer() external view returns (address);
    function voterRewards() external view returns (address);
    function shares() external view returns (Shares memory);
    function challengeWindowSeconds() external view returns (uint32);
}
