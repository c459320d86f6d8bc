// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICreditVault} from "../../src/interfaces/ICreditVault.sol";
import {Case, Claim, Stage} from "../../src/interfaces/ISlasher.sol";
import {Node} from "../../src/interfaces/INodeRegistry.sol";
import {IOwnedNodes, IOwnedSettlement, IOwnedSlasher, IOwnedValidators} from "../utils/Interfaces.sol";
import {Test} from "../utils/Test.sol";

/// @notice Plays honest, lying and absent validators, node owners who try to leave, and time. Every call succeeds; attempts
/// that must be refused are made through `try` and counted when they are not.
contract CasesHandler is Test {
    uint64 private constant LOG_E_SLASH = 59_337_166_024;

    IOwnedSettlement private settlement;
    address private heu;
    IOwnedNodes private nodes;
    IOwnedSlasher private slasher;
    IOwnedValidators private validators;
    address[] private v;
    mapping(uint256 caseId => mapping(address who => Claim)) private _claims;
    mapping(uint256 caseId => mapping(address who => bytes32)) private _salts;

    uint256 public slashed;
    uint256 public escapes;
    /// @dev Payments of settlement to the owner of a jailed node, and refusals of one whose nodes are free.
    uint256 public thaws;
    uint256 public refusals;
    uint256 public earned;
    uint256 public paid;
    uint256 public bondsIn;
    uint256 public bondsOut;
    mapping(uint256 verdict => uint256) public verdicts;

    constructor(
        IOwnedSettlement settlement_,
        IOwnedNodes nodes_,
        IOwnedSlasher slasher_,
        IOwnedValidators validators_,
        address[] memory v_
    ) {
        settlement = settlement_;
        heu = ICreditVault(settlement_.vault()).wrappedHeu();
        nodes = nodes_;
        slasher = slasher_;
        validators = validators_;
        v = v_;
    }

    receive() external payable {}

    /* VALIDATORS */

    function accuse(uint256 who, uint256 which, uint256 strength, bool objective) external {
        address validator = v[who % v.length];
        uint256 nodeId = 1 + which % nodes.nodeCount();
        uint256 caseId = slasher.openCaseOf(nodeId);
        if (caseId == 0) caseId = slasher.caseCount() + 1;
        else if (block.timestamp >= slasher.getCase(caseId).commitEnds) return;
        Claim memory claim = Claim(uint64(bound(strength, 0, 2 * LOG_E_SLASH)), keccak256("audits"), objective);
        bytes32 commitment = keccak256(abi.encode(caseId, validator, claim, bytes32(who)));
        vm.prank(validator);
        // Refused: cooling down, bond locked, not active, node gone.
        try slasher.accuse(nodeId, commitment) {
            _claims[caseId][validator] = claim;
            _salts[caseId][validator] = bytes32(who);
        } catch {}
    }

    /// @dev Opens the claims of all accusers but every third, then lets the gathering end.
    function gather(uint256 which, uint256 skip) external {
        uint256 caseId = pick(which);
        if (caseId == 0 || slasher.getCase(caseId).stage != Stage.Gathering) return;
        Case memory c = slasher.getCase(caseId);
        if (block.timestamp < c.commitEnds) vm.warp(c.commitEnds);
        address[] memory accusers = slasher.accusersOf(caseId);
        for (uint256 i; i < accusers.length && block.timestamp < c.deadline; ++i) {
            if ((skip >> i) % 3 == 0) continue;
            vm.prank(accusers[i]);
            slasher.reveal(caseId, _claims[caseId][accusers[i]], _salts[caseId][accusers[i]]);
        }
        if (block.timestamp < c.deadline) vm.warp(c.deadline);
        slasher.conclude(caseId);
        tally(caseId);
    }

    function dispute(uint256 which) external {
        uint256 caseId = pick(which);
        if (caseId == 0 || slasher.getCase(caseId).stage != Stage.Answerable) return;
        Case memory c = slasher.getCase(caseId);
        if (block.timestamp >= c.deadline) return;
        uint256 bond = slasher.stakes().dispute;
        vm.deal(address(this), bond);
        slasher.dispute{value: bond}(caseId);
    }

    function expire(uint256 which) external {
        uint256 caseId = pick(which);
        if (caseId == 0 || slasher.getCase(caseId).stage != Stage.Answerable) return;
        Case memory c = slasher.getCase(caseId);
        if (block.timestamp < c.deadline) vm.warp(c.deadline);
        watched(caseId, c.nodeId, abi.encodeCall(slasher.expire, (caseId)));
    }

    function draw(uint256 which, uint256 wait) external {
        uint256 caseId = pick(which);
        if (caseId == 0 || slasher.getCase(caseId).stage != Stage.Drawing) return;
        uint256 target = slasher.getCase(caseId).deadline + bound(wait, 1, 300);
        if (block.number < target) vm.roll(target);
        slasher.draw(caseId);
        tally(caseId);
    }

    /// @dev Members vote by the bits of `mood`: for the accusers, against them, or not at all.
    function judge(uint256 which, uint256 mood) external {
        uint256 caseId = pick(which);
        if (caseId == 0 || slasher.getCase(caseId).stage != Stage.Voting) return;
        Case memory c = slasher.getCase(caseId);
        address[] memory members = slasher.committeeOf(caseId, c.round);
        bool inTime = block.timestamp < c.commitEnds;
        for (uint256 i; i < members.length && inTime; ++i) {
            if ((mood >> 2 * i) & 3 == 0) continue;
            vm.prank(members[i]);
            slasher.commitVote(caseId, keccak256(ballot(caseId, c.round, members[i], mood >> 2 * i)));
        }
        if (inTime) vm.warp(c.commitEnds);
        for (uint256 i; i < members.length && inTime; ++i) {
            if ((mood >> 2 * i) & 3 == 0) continue;
            uint64 logE = (mood >> 2 * i) & 3 == 1 ? 0 : LOG_E_SLASH;
            vm.prank(members[i]);
            slasher.revealVote(caseId, logE, bytes32(0));
        }
        if (block.timestamp < c.deadline) vm.warp(c.deadline);
        watched(caseId, c.nodeId, abi.encodeCall(slasher.resolve, (caseId)));
    }

    function leave(uint256 who) external {
        vm.prank(v[who % v.length]);
        try validators.requestExit() {} catch {}
    }

    function comeBack(uint256 who) external {
        address validator = v[who % v.length];
        vm.startPrank(validator);
        uint256 before = validator.balance;
        try validators.withdraw(validator) returns (uint256 amount) {
            bondsOut += amount;
            assertEq(validator.balance - before, amount, "paid what it says");
        } catch {}
        uint256 bond = validators.minBond();
        vm.deal(validator, bond);
        try validators.join{value: bond}() {
            bondsIn += bond;
        } catch {}
        vm.stopPrank();
    }

    function withdraw(uint256 who) external {
        address account = who % 4 == 0 ? address(this) : v[who % v.length];
        if (slasher.owedTo(account) == 0) return;
        vm.prank(account);
        paid += slasher.withdraw(account);
    }

    /* NODE OWNERS AND TIME */

    /// @dev Whatever a node owner tries while a case is open, it must not get a wei.
    function escape(uint256 which, uint128 amount) external {
        uint256 nodeId = 1 + which % nodes.nodeCount();
        address nodeOwner;
        try nodes.getNode(nodeId) returns (Node memory node) {
            nodeOwner = node.owner;
        } catch {
            return;
        }
        bool open = slasher.hasOpenDispute(nodeId);
        vm.startPrank(nodeOwner);
        try nodes.requestUnbond(nodeId, amount) {} catch {}
        if (open) {
            uint256 before = nodeOwner.balance;
            try nodes.completeUnbond(nodeId, nodeOwner) {} catch {}
            try nodes.requestExit(nodeId) {} catch {}
            try nodes.withdraw(nodeId, nodeOwner) {} catch {}
            if (nodeOwner.balance != before) ++escapes;
        }
        vm.stopPrank();
    }

    /// @dev Somebody brings an owner what settlement holds for it, which must work exactly when none of its nodes is jailed.
    function claimEarnings(uint256 which) external {
        address nodeOwner = nodes.getNode(1 + which % nodes.nodeCount()).owner;
        bool jailed;
        for (uint256 nodeId = 1; nodeId <= nodes.nodeCount(); ++nodeId) {
            Node memory node = nodes.getNode(nodeId);
            if (node.owner == nodeOwner && node.jailed) jailed = true;
        }
        uint256 claimable = settlement.claimableOf(nodeOwner, heu);
        try settlement.claimFor(nodeOwner, heu) returns (uint256 amount) {
            if (jailed) ++thaws;
            earned += amount;
        } catch {
            if (!jailed && claimable != 0) ++refusals;
        }
    }

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 5 days));
        vm.roll(block.number + 10);
    }

    /* INTERNAL */

    function ballot(uint256 caseId, uint8 round, address member, uint256 mood) private pure returns (bytes memory) {
        return abi.encode(caseId, round, member, mood & 3 == 1 ? uint64(0) : LOG_E_SLASH, bytes32(0));
    }

    function pick(uint256 which) private view returns (uint256) {
        uint256 count = slasher.caseCount();
        return count == 0 ? 0 : 1 + which % count;
    }

    /// @dev Runs a step that may slash, and compares what it took with what was there.
    function watched(uint256 caseId, uint256 nodeId, bytes memory step) private {
        uint256 before = nodes.getNode(nodeId).collateral;
        (bool success, bytes memory reason) = address(slasher).call(step);
        require(success, string(reason));
        uint256 taken = before - nodes.getNode(nodeId).collateral;
        uint256 most = before * slasher.getCase(caseId).slashBps / 10_000;
        require(taken <= most, "slashed more than the verdict says");
        slashed += taken;
        tally(caseId);
    }

    function tally(uint256 caseId) private {
        Case memory c = slasher.getCase(caseId);
        if (c.stage == Stage.Closed) verdicts[uint256(c.verdict)] += 1;
    }
}
