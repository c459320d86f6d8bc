// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a validator says of its audits of one node.
/// @param logE Natural logarithm of the e-value, times 2^32, rounded down.
/// @param auditsRoot Root of the audits it names: receipts, openings, digests. Whoever re-runs them starts here.
/// @param objective Whether it is a fault that needs no statistics: two conflicting signed receipts, an invalid proof,
/// hash mismatches inside one numerics class, committed data that is not opened.
struct Claim {
    uint64 logE;
    bytes32 auditsRoot;
    bool objective;
}

/// @notice Where a case stands.
///
///   Gathering -> Answerable -> Drawing -> Voting -> Closed
///        |           |            ^---------'  (too few votes: another committee, at most `Constants.MAX_ROUNDS` times)
///        '-> Closed  '-> Closed
enum Stage {
    None,
    Gathering,
    Answerable,
    Drawing,
    Voting,
    Closed
}

/// @notice How a case ended.
enum Verdict {
    Open,
    /// The evidence did not reach even a jail.
    Dropped,
    /// Jailed, not slashed: nobody answered a jail, or a committee found enough for a jail only.
    Served,
    /// Slashed.
    Guilty,
    /// A committee did not find what the accusers claimed.
    Acquitted,
    /// No committee came together. Nobody is punished but those who stayed away.
    Unresolved
}

/// @notice One case against one node.
/// @param nodeId The accused.
/// @param nodeOwner Its owner when the case was opened.
/// @param openedAt Unix seconds.
/// @param commitEnds Gathering, Voting: end of the commitments and start of the openings (unix seconds).
/// @param deadline End of the stage (unix seconds); in Drawing, the block whose hash draws the committee.
/// @param stage Where it stands.
/// @param verdict How it ended.
/// @param slashBps What a guilty verdict costs; 0 when the case is about a jail only (basis points).
/// @param round Committees asked for so far.
/// @param needed Votes that convict: the most that any round asked for, by `EvidenceLib.votesNeeded`.
/// @param disputer Who answered for the node; gets the bond back.
/// @param disputeBond What it put up (wei of HEU).
/// @param entropy Hash over the accusers' salts, which they committed to before anyone knew the draw's block.
struct Case {
    uint256 nodeId;
    address nodeOwner;
    uint64 openedAt;
    uint64 commitEnds;
    uint64 deadline;
    Stage stage;
    Verdict verdict;
    uint16 slashBps;
    uint8 round;
    uint16 needed;
    address disputer;
    uint128 disputeBond;
    bytes32 entropy;
}

/// @notice Governed times (seconds).
/// @param commit For the commitments of accusers.
/// @param vote For a committee to re-run the audits and commit.
/// @param reveal For the openings of either.
/// @param dispute For the node to answer a slash proposal; then a committee is drawn all the same.
/// @param jail How long a jail without a slash proposal lasts; the node can answer until then.
/// @param cooldown Before the same validator may accuse the same node again.
struct Windows {
    uint32 commit;
    uint32 vote;
    uint32 reveal;
    uint32 dispute;
    uint32 jail;
    uint32 cooldown;
}

/// @notice Governed stakes (wei of HEU).
/// @param accusation Locked of a validator's bond by each accusation, and lost when a committee finds nothing.
/// @param duty Locked of a committee member's bond, and lost when it does not reveal.
/// @param dispute Put up by a node that answers, and lost when the committee agrees with the accusers.
struct Stakes {
    uint128 accusation;
    uint128 duty;
    uint128 dispute;
}

/// @title ISlasher
/// @notice From evidence to slash (DESIGN §7, wp §2.1.3). Jail fast and reversibly, slash slowly:
///
///  1. A validator accuses with a commitment and part of its bond; the node is jailed at once. Other validators that
///     have evidence commit too. When the commit window is over all open their claims, so nobody can copy one.
///  2. Two validators with e-values of 10^6 make a slash proposal; one with 10^3 makes a jail that ends by itself. Less is
///     frivolous.
///  3. Anyone may answer for the node within the window, with a bond, and a committee is drawn at once. If nobody does, it is
///     drawn when the window is over: nothing is slashed without a committee's finding.
///  4. A committee of validators, drawn by a block hash nobody knew and by the accusers' committed salts, without the
///     accusers, re-runs the named audits and votes by commit and reveal. All who can sit do, and more than half of the
///     seats convict; above `committeeSize` so many are drawn, and two thirds of the seats convict. An empty seat is a vote
///     against. When the lower median of the opened votes is below 10^3, the claims were unfounded.
///  5. Guilty: the collateral is slashed, 10 % for the first statistical offence, 50 % for the next, 100 % for an objective
///     one; 40 % to the accusers by the weight of their evidence, 20 % to the refund pot, 40 % burned. Otherwise the
///     accusers lose what they locked: half to the node's owner, a fifth to the committee, the rest burned.
///  6. A committee that does not come together frees the node from jail and is drawn anew; after the last round the case
///     ends in the node's favour.
///
/// @dev Anyone may call the steps that only wait for time: `conclude`, `expire`, `draw`, `resolve`. No step pays a stranger
/// by itself: all amounts are owed and withdrawn, so nobody can block a case by refusing coins.
/// @dev Warning: whoever produces blocks can choose among block hashes. With one sequencer, a draw is only as random as
/// the sequencer is honest towards the validators; the salts keep it from knowing the result before it sees the reveals.
interface ISlasher {
    /* ACCUSE */

    /// @notice Accuses a node. Only an active validator, once a case. Opens a case and jails the node when there is none.
    /// @param commitment `keccak256(abi.encode(caseId, validator, claim, salt))`: bound to the case and the accuser, so it
    /// can be neither replayed nor copied. A new case's id is `caseCount() + 1`.
    function accuse(uint256 nodeId, bytes32 commitment) external returns (uint256 caseId);

    /// @notice Opens the caller's claim. Only in the reveal window that follows the commit window.
    function reveal(uint256 caseId, Claim calldata claim, bytes32 salt) external;

    /// @notice Ends the gathering once its windows are over. Anyone may call.
    function conclude(uint256 caseId) external;

    /* ANSWER */

    /// @notice Asks for a committee; `msg.value` is `stakes().dispute` exactly. While the case can be answered; anyone may,
    /// so that a node whose owner sleeps is not lost.
    function dispute(uint256 caseId) external payable;

    /// @notice Goes on with a case that nobody answered: asks for a committee about a slash, ends a jail. Anyone may call.
    function expire(uint256 caseId) external;

    /* COMMITTEE */

    /// @notice Draws the committee by the hash of the case's block, within 256 blocks after it; later it sets a new block.
    /// Anyone may call.
    function draw(uint256 caseId) external;

    /// @notice A member's vote. Only in the commit window.
    /// @param commitment `keccak256(abi.encode(caseId, round, member, logE, salt))`.
    function commitVote(uint256 caseId, bytes32 commitment) external;

    /// @notice Opens the caller's vote. Only in the reveal window.
    /// @param logE As in `Claim`: what the member found when it re-ran the named audits.
    function revealVote(uint256 caseId, uint64 logE, bytes32 salt) external;

    /// @notice Counts once the windows are over. Anyone may call.
    function resolve(uint256 caseId) external;

    /// @notice Frees a node whose jail after a verdict has run out. Anyone may call. An objective fault is for ever.
    function free(uint256 nodeId) external;

    /* MONEY */

    /// @notice Pays what is owed to the caller.
    function withdraw(address receiver) external returns (uint256 amount);

    function owedTo(address account) external view returns (uint256 amount);

    /// @notice Sum of all that is owed and of all bonds of open disputes; the contract holds exactly this (wei of HEU).
    function totalHeld() external view returns (uint256 amount);

    /* STANDING */

    /// @notice Whether a case against the node is open: its collateral cannot leave.
    function hasOpenDispute(uint256 nodeId) external view returns (bool);

    /// @notice Whether the account owns a node with an open case, or one that was found guilty: it cannot register another.
    function isBarred(address nodeOwner) external view returns (bool);

    /// @notice Guilty verdicts against nodes of this owner.
    function offencesOf(address nodeOwner) external view returns (uint256);

    /* VIEWS */

    function caseCount() external view returns (uint256);
    function getCase(uint256 caseId) external view returns (Case memory);

    /// @notice The open case against the node; 0 = none.
    function openCaseOf(uint256 nodeId) external view returns (uint256 caseId);
    function accusersOf(uint256 caseId) external view returns (address[] memory);

    /// @notice The accuser's claim, zero until it is opened.
    function claimOf(uint256 caseId, address validator) external view returns (Claim memory);

    /// @notice The committee of a round; rounds count from 1.
    function committeeOf(uint256 caseId, uint8 round) external view returns (address[] memory);

    /// @notice Unix seconds until which a closed case keeps the node jailed.
    function jailedUntil(uint256 nodeId) external view returns (uint64);
    function registry() external view returns (address);
    function validators() external view returns (address);
    function refunds() external view returns (address);
    function burn() external view returns (address);

    /* PARAMETERS (owner only) */

    function windows() external view returns (Windows memory);
    function stakes() external view returns (Stakes memory);
    function committeeSize() external view returns (uint8);
    function restake() external view returns (address);
    function setWindows(Windows calldata windows) external;
    function setStakes(Stakes calldata stakes) external;

    /// @notice Most members of a committee; odd. Up to so many validators all sit.
    function setCommitteeSize(uint8 size) external;
    function setRestake(address restake) external;
}
