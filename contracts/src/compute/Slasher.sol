// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IRefundPot} from "../interfaces/IRefundPot.sol";
import {IRestakeAdapter} from "../interfaces/IRestakeAdapter.sol";
import {Case, Claim, ISlasher, Stage, Stakes, Verdict, Windows} from "../interfaces/ISlasher.sol";
import {IValidatorRegistry} from "../interfaces/IValidatorRegistry.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {EvidenceLib} from "../libraries/EvidenceLib.sol";
import {SlasherBase} from "./SlasherBase.sol";

/// @title Slasher
/// @notice Cases against nodes, step by step: accuse, reveal, conclude, dispute, draw, vote, resolve.
contract Slasher is SlasherBase {
    constructor(address owner, Parts memory parts, Windows memory windows_, Stakes memory stakes_, uint8 committeeSize_)
        SlasherBase(owner, parts, windows_, stakes_, committeeSize_)
    {}

    /* ACCUSE */

    /// @inheritdoc ISlasher
    function accuse(uint256 nodeId, bytes32 commitment) external returns (uint256 caseId) {
        require(IValidatorRegistry(validators).isActive(msg.sender), Errors.Slasher_NotValidator(msg.sender));
        require(commitment != bytes32(0), Errors.Slasher_ZeroCommitment());
        uint64 from = _accusableFrom[nodeId][msg.sender];
        require(block.timestamp >= from, Errors.Slasher_CoolingDown(nodeId, msg.sender, from));

        caseId = openCaseOf[nodeId];
        if (caseId == 0) caseId = _open(nodeId);
        Case storage c = _demand(caseId, Stage.Gathering);
        _within(caseId, 0, c.commitEnds);
        Accusation storage accusation = _accusations[caseId][msg.sender];
        require(accusation.locked == 0, Errors.Slasher_AlreadyAccused(caseId, msg.sender));

        _accusableFrom[nodeId][msg.sender] = uint64(block.timestamp) + _windows.cooldown;
        _accusers[caseId].push(msg.sender);
        accusation.commitment = commitment;
        accusation.locked = IValidatorRegistry(validators).engage(caseId, msg.sender, _stakes.accusation, false);

        emit Events.Accused(caseId, msg.sender, commitment);
    }

    /// @dev Jails the node: fast, and reversible.
    function _open(uint256 nodeId) private returns (uint256 caseId) {
        address nodeOwner = INodeRegistry(registry).getNode(nodeId).owner;
        caseId = ++caseCount;
        Case storage c = _cases[caseId];
        c.nodeId = nodeId;
        c.nodeOwner = nodeOwner;
        c.openedAt = uint64(block.timestamp);
        c.commitEnds = c.openedAt + _windows.commit;
        c.deadline = c.commitEnds + _windows.reveal;
        c.stage = Stage.Gathering;
        openCaseOf[nodeId] = caseId;
        _openCases[nodeOwner] += 1;

        emit Events.CaseOpened(caseId, nodeId, nodeOwner);

        INodeRegistry(registry).setJailed(nodeId, true);
    }

    /// @inheritdoc ISlasher
    function reveal(uint256 caseId, Claim calldata claim, bytes32 salt) external {
        Case storage c = _demand(caseId, Stage.Gathering);
        _within(caseId, c.commitEnds, c.deadline);
        Accusation storage accusation = _accusations[caseId][msg.sender];
        bytes32 opened = keccak256(abi.encode(caseId, msg.sender, claim, salt));
        require(accusation.commitment == opened, Errors.Slasher_BadReveal(caseId, msg.sender));

        accusation.commitment = bytes32(0);
        accusation.claim = claim;
        c.entropy = keccak256(abi.encode(c.entropy, msg.sender, salt));

        emit Events.ClaimRevealed({
            caseId: caseId,
            validator: msg.sender,
            logE: claim.logE,
            auditsRoot: claim.auditsRoot,
            objective: claim.objective
        });
    }

    /// @inheritdoc ISlasher
    function conclude(uint256 caseId) external {
        Case storage c = _demand(caseId, Stage.Gathering);
        _within(caseId, c.deadline, type(uint64).max);

        (uint256 forJail, uint256 forSlash, uint256 objective) = _weigh(caseId);
        if (forJail == 0) {
            _close(caseId, Verdict.Dropped, false);
        } else {
            bool slash = forSlash >= Constants.MIN_ACCUSERS;
            if (slash) {
                c.slashBps = EvidenceLib.penalty(objective >= Constants.MIN_ACCUSERS, offencesOf[c.nodeOwner]);
            }
            c.stage = Stage.Answerable;
            c.deadline = uint64(block.timestamp) + (slash ? _windows.dispute : _windows.jail);

            emit Events.CaseAnswerable(caseId, c.slashBps, c.deadline);
        }
        _forfeitFrivolous(caseId, c.nodeOwner);
    }

    function _weigh(uint256 caseId) private view returns (uint256 forJail, uint256 forSlash, uint256 objective) {
        address[] storage accusers = _accusers[caseId];
        for (uint256 i; i < accusers.length; ++i) {
            Claim storage claim = _accusations[caseId][accusers[i]].claim;
            if (claim.logE >= Constants.LOG_E_JAIL) ++forJail;
            if (claim.logE < Constants.LOG_E_SLASH) continue;
            ++forSlash;
            if (claim.objective) ++objective;
        }
    }

    /// @dev Who jailed a node and then opened nothing, or too little even by its own claim, loses what it locked.
    function _forfeitFrivolous(uint256 caseId, address nodeOwner) private {
        address[] memory accusers = _accusers[caseId];
        uint256 seized;
        for (uint256 i; i < accusers.length; ++i) {
            Accusation storage accusation = _accusations[caseId][accusers[i]];
            if (accusation.claim.logE < Constants.LOG_E_JAIL) seized += _release(caseId, accusers[i], true);
        }
        uint256 toOwner = seized * Constants.FORFEIT_OWNER_BPS / Constants.BPS;
        _owe(caseId, nodeOwner, toOwner);
        _burn(seized - toOwner);
    }

    /* ANSWER */

    /// @inheritdoc ISlasher
    function dispute(uint256 caseId) external payable {
        Case storage c = _demand(caseId, Stage.Answerable);
        _within(caseId, 0, c.deadline);
        require(msg.value == _stakes.dispute, Errors.Slasher_WrongBond(msg.value, _stakes.dispute));

        c.disputer = msg.sender;
        // Safe cast: equal to a uint128.
        c.disputeBond = uint128(msg.value);
        totalHeld += msg.value;

        emit Events.CaseDisputed(caseId, msg.sender, msg.value);
        _schedule(caseId, c);
    }

    /// @inheritdoc ISlasher
    function expire(uint256 caseId) external {
        Case storage c = _demand(caseId, Stage.Answerable);
        _within(caseId, c.deadline, type(uint64).max);

        // A proposal that nobody answers is judged as well: silence is not evidence.
        if (c.slashBps == 0) _close(caseId, Verdict.Served, false);
        else _schedule(caseId, c);
    }

    /* COMMITTEE */

    function _schedule(uint256 caseId, Case storage c) private {
        c.stage = Stage.Drawing;
        c.round += 1;
        c.deadline = uint64(block.number) + Constants.DRAW_DELAY_BLOCKS;

        emit Events.DrawScheduled(caseId, c.round, c.deadline);
    }

    /// @inheritdoc ISlasher
    function draw(uint256 caseId) external {
        Case storage c = _demand(caseId, Stage.Drawing);
        require(block.number > c.deadline, Errors.Slasher_OutsideWindow(caseId, c.deadline + 1, type(uint64).max));

        bytes32 beacon = blockhash(c.deadline);
        if (beacon == bytes32(0)) {
            // The chain forgets after 256 blocks.
            c.deadline = uint64(block.number) + Constants.DRAW_DELAY_BLOCKS;
            emit Events.DrawScheduled(caseId, c.round, c.deadline);
            return;
        }

        bytes32 seed = keccak256(abi.encode(beacon, c.entropy, caseId, c.round));
        (address[] memory members, uint256 eligible) =
            IValidatorRegistry(validators).draw(caseId, seed, committeeSize, c.openedAt);
        if (members.length < Constants.MIN_SEATS) {
            _stall(caseId, c, 0, members.length);
            return;
        }
        // Never less than in an earlier round: who is left out for its silence does not make the others' voices louder.
        uint16 needed = EvidenceLib.votesNeeded(members.length, eligible);
        if (needed > c.needed) c.needed = needed;
        _seat(caseId, c, members);
    }

    function _seat(uint256 caseId, Case storage c, address[] memory members) private {
        c.stage = Stage.Voting;
        c.commitEnds = uint64(block.timestamp) + _windows.vote;
        c.deadline = c.commitEnds + _windows.reveal;
        _committees[caseId][c.round] = members;
        for (uint256 i; i < members.length; ++i) {
            Vote storage vote = _votes[caseId][c.round][members[i]];
            vote.seated = true;
            vote.locked = IValidatorRegistry(validators).engage(caseId, members[i], _stakes.duty, true);
        }

        emit Events.CommitteeDrawn({
            caseId: caseId,
            round: c.round,
            members: members,
            needed: c.needed,
            commitEnds: c.commitEnds,
            deadline: c.deadline
        });
    }

    /// @inheritdoc ISlasher
    function commitVote(uint256 caseId, bytes32 commitment) external {
        Case storage c = _demand(caseId, Stage.Voting);
        _within(caseId, 0, c.commitEnds);
        require(commitment != bytes32(0), Errors.Slasher_ZeroCommitment());
        Vote storage vote = _votes[caseId][c.round][msg.sender];
        require(vote.seated, Errors.Slasher_NotMember(caseId, msg.sender));
        require(vote.commitment == bytes32(0), Errors.Slasher_AlreadyVoted(caseId, msg.sender));

        vote.commitment = commitment;

        emit Events.VoteCommitted(caseId, c.round, msg.sender);
    }

    /// @inheritdoc ISlasher
    function revealVote(uint256 caseId, uint64 logE, bytes32 salt) external {
        Case storage c = _demand(caseId, Stage.Voting);
        _within(caseId, c.commitEnds, c.deadline);
        Vote storage vote = _votes[caseId][c.round][msg.sender];
        bytes32 opened = keccak256(abi.encode(caseId, c.round, msg.sender, logE, salt));
        require(vote.commitment == opened, Errors.Slasher_BadReveal(caseId, msg.sender));

        vote.commitment = bytes32(0);
        vote.opened = true;
        vote.logE = logE;

        emit Events.VoteRevealed({caseId: caseId, round: c.round, member: msg.sender, logE: logE});
    }

    /// @inheritdoc ISlasher
    function resolve(uint256 caseId) external {
        Case storage c = _demand(caseId, Stage.Voting);
        _within(caseId, c.deadline, type(uint64).max);

        (address[] memory voters, uint64[] memory votes, uint256 seats) = _dismiss(caseId, c.round);
        if (!EvidenceLib.isQuorum(votes.length, seats)) {
            _stall(caseId, c, votes.length, seats);
            return;
        }
        uint256 found = EvidenceLib.countAtLeast(votes, EvidenceLib.threshold(c.slashBps));
        uint64 median = EvidenceLib.lowerMedian(votes);

        emit Events.VotesCounted({caseId: caseId, round: c.round, found: found, needed: c.needed, median: median});
        if (found < c.needed) {
            _owe(caseId, c.disputer, _takeBond(c));
            // Short of what was asked, yet most found enough for a jail: nobody lied, and the jail has been served.
            if (median >= Constants.LOG_E_JAIL) _close(caseId, Verdict.Served, false);
            else _acquit(caseId, c, voters);
            return;
        }
        _burn(_oweEqually(caseId, voters, _takeBond(c)));
        if (c.slashBps == 0) _uphold(caseId, c);
        else _convict(caseId, c);
    }

    /// @dev Lets the committee go: who voted is free for another round, who stayed away pays and is not asked again.
    function _dismiss(uint256 caseId, uint8 round)
        private
        returns (address[] memory voters, uint64[] memory votes, uint256 seats)
    {
        address[] memory members = _committees[caseId][round];
        seats = members.length;
        uint256 count;
        for (uint256 i; i < seats; ++i) {
            if (_votes[caseId][round][members[i]].opened) ++count;
        }
        voters = new address[](count);
        votes = new uint64[](count);
        uint256 seized;
        for (uint256 i; i < seats; ++i) {
            Vote storage vote = _votes[caseId][round][members[i]];
            uint128 loss = vote.opened ? 0 : vote.locked;
            IValidatorRegistry(validators).disengage(caseId, members[i], vote.locked, loss, vote.opened);
            seized += loss;
            if (!vote.opened) continue;
            (voters[--count], votes[count]) = (members[i], vote.logE);
        }
        _burn(seized);
    }

    /// @dev A dead committee is no evidence: the node leaves jail, its collateral does not, and another committee is asked.
    function _stall(uint256 caseId, Case storage c, uint256 votes, uint256 seats) private {
        emit Events.RoundStalled({caseId: caseId, round: c.round, votes: votes, seats: seats});

        if (c.round >= Constants.MAX_ROUNDS) {
            _owe(caseId, c.disputer, _takeBond(c));
            _close(caseId, Verdict.Unresolved, false);
            _forgetCooldowns(caseId, c.nodeId);
            return;
        }
        _schedule(caseId, c);
        INodeRegistry(registry).setJailed(c.nodeId, false);
    }

    /// @dev The accusers were never heard: they may accuse again at once.
    function _forgetCooldowns(uint256 caseId, uint256 nodeId) private {
        address[] storage accusers = _accusers[caseId];
        for (uint256 i; i < accusers.length; ++i) {
            delete _accusableFrom[nodeId][accusers[i]];
        }
    }

    /* VERDICTS */

    function _acquit(uint256 caseId, Case storage c, address[] memory voters) private {
        uint256 seized = _close(caseId, Verdict.Acquitted, true);

        uint256 toOwner = seized * Constants.FORFEIT_OWNER_BPS / Constants.BPS;
        uint256 toCommittee = seized * Constants.FORFEIT_COMMITTEE_BPS / Constants.BPS;
        _owe(caseId, c.nodeOwner, toOwner);
        uint256 dust = _oweEqually(caseId, voters, toCommittee);
        _burn(seized - toOwner - toCommittee + dust);
    }

    /// @dev A jail that a committee found right starts again, and outlives the case.
    function _uphold(uint256 caseId, Case storage c) private {
        jailedUntil[c.nodeId] = uint64(block.timestamp) + _windows.jail;
        _close(caseId, Verdict.Served, false);
    }

    function _convict(uint256 caseId, Case storage c) private {
        (uint256 nodeId, uint16 slashBps) = (c.nodeId, c.slashBps);
        offencesOf[c.nodeOwner] += 1;
        bool forEver = slashBps == Constants.OBJECTIVE_FAULT_BPS;
        jailedUntil[nodeId] = forEver ? type(uint64).max : uint64(block.timestamp) + _windows.jail;
        _close(caseId, Verdict.Guilty, false);

        uint256 collateral = INodeRegistry(registry).getNode(nodeId).collateral;
        uint256 slashed = INodeRegistry(registry).slash(nodeId, collateral * slashBps / Constants.BPS);
        uint256 toRefunds = slashed * Constants.REFUNDS_BPS / Constants.BPS;
        uint256 toAccusers = _oweByWeight(caseId, slashed * Constants.ACCUSERS_BPS / Constants.BPS);
        uint256 burned = slashed - toRefunds - toAccusers;

        emit Events.SlashSplit({caseId: caseId, accusers: toAccusers, refunds: toRefunds, burned: burned});
        if (toRefunds != 0) IRefundPot(refunds).fund{value: toRefunds}(caseId);
        _burn(burned);
        if (restake != address(0)) IRestakeAdapter(restake).slash(nodeId, slashBps);
    }

    /// @inheritdoc ISlasher
    function free(uint256 nodeId) external {
        uint64 until = jailedUntil[nodeId];
        bool open = openCaseOf[nodeId] != 0;
        require(!open && until != 0 && block.timestamp >= until, Errors.Slasher_StillJailed(nodeId, until));

        delete jailedUntil[nodeId];

        emit Events.NodeFreed(nodeId);

        INodeRegistry(registry).setJailed(nodeId, false);
    }

    /* INTERNAL */

    function _demand(uint256 caseId, Stage stage) private view returns (Case storage c) {
        c = _cases[caseId];
        require(c.stage != Stage.None, Errors.Slasher_UnknownCase(caseId));
        require(c.stage == stage, Errors.Slasher_WrongStage(caseId, uint256(c.stage), uint256(stage)));
    }

    function _within(uint256 caseId, uint64 opensAt, uint64 closesAt) private view {
        require(
            block.timestamp >= opensAt && block.timestamp < closesAt,
            Errors.Slasher_OutsideWindow(caseId, opensAt, closesAt)
        );
    }

    /// @dev Ends the case, lets all accusers go, and frees the node unless an earlier verdict still holds it.
    function _close(uint256 caseId, Verdict verdict, bool seize) private returns (uint256 seized) {
        Case storage c = _cases[caseId];
        c.stage = Stage.Closed;
        c.verdict = verdict;
        delete openCaseOf[c.nodeId];
        _openCases[c.nodeOwner] -= 1;

        emit Events.CaseClosed(caseId, c.nodeId, uint8(verdict));

        // Dropped: `_forfeitFrivolous` lets them go.
        address[] memory accusers = verdict == Verdict.Dropped ? new address[](0) : _accusers[caseId];
        for (uint256 i; i < accusers.length; ++i) {
            seized += _release(caseId, accusers[i], seize);
        }
        INodeRegistry(registry).setJailed(c.nodeId, block.timestamp < jailedUntil[c.nodeId]);
    }

    /// @dev Unlocks what an accuser locked, once; returns what was seized of it.
    function _release(uint256 caseId, address accuser, bool seize) private returns (uint256 seized) {
        Accusation storage accusation = _accusations[caseId][accuser];
        uint128 locked = accusation.locked;
        if (locked == 0) return 0;

        accusation.locked = 0;
        seized = seize ? locked : 0;
        IValidatorRegistry(validators).disengage(caseId, accuser, locked, uint128(seized), false);
    }

    function _takeBond(Case storage c) private returns (uint256 bond) {
        bond = c.disputeBond;
        c.disputeBond = 0;
        totalHeld -= bond;
    }

    /// @return dust What does not divide.
    function _oweEqually(uint256 caseId, address[] memory accounts, uint256 amount) private returns (uint256 dust) {
        if (accounts.length == 0) return amount;

        uint256 each = amount / accounts.length;
        for (uint256 i; i < accounts.length; ++i) {
            _owe(caseId, accounts[i], each);
        }
        return amount - each * accounts.length;
    }

    /// @dev Pro rata of the evidence, rounded down. Frivolous accusers weigh nothing.
    /// @return owed The sum, at most `amount`.
    function _oweByWeight(uint256 caseId, uint256 amount) private returns (uint256 owed) {
        address[] memory accusers = _accusers[caseId];
        uint256 total;
        for (uint256 i; i < accusers.length; ++i) {
            total += _weightOf(caseId, accusers[i]);
        }
        for (uint256 i; i < accusers.length; ++i) {
            uint256 part = amount * _weightOf(caseId, accusers[i]) / total;
            _owe(caseId, accusers[i], part);
            owed += part;
        }
    }

    function _weightOf(uint256 caseId, address accuser) private view returns (uint256) {
        uint64 logE = _accusations[caseId][accuser].claim.logE;
        return logE < Constants.LOG_E_JAIL ? 0 : EvidenceLib.weight(logE);
    }
}
