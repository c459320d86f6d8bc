// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Case, Claim, Stage, Stakes, Verdict, Windows} from "../../src/interfaces/ISlasher.sol";
import {NodeFixture} from "../unit/NodeRegistry/NodeFixture.sol";
import {IOwnedRefunds, IOwnedSlasher, IOwnedValidators} from "./Interfaces.sol";

/// @notice One node, nine validators, and the shortest ways through a case. Evidence is synthetic: numbers that real
/// audits would bring.
abstract contract SlasherFixture is NodeFixture {
    uint64 internal constant LOG_E_JAIL = 29_668_583_012;
    uint64 internal constant LOG_E_SLASH = 59_337_166_024;

    uint32 internal constant COMMIT = 10 minutes;
    uint32 internal constant VOTE = 1 hours;
    uint32 internal constant REVEAL = 30 minutes;
    uint32 internal constant DISPUTE = 1 days;
    uint32 internal constant JAIL = 2 days;
    uint32 internal constant COOLDOWN = 3 days;

    uint128 internal constant BOND = 100e18;
    uint128 internal constant ACCUSATION = 25e18;
    uint128 internal constant DUTY = 5e18;
    uint128 internal constant DISPUTE_BOND = 14e18;
    uint8 internal constant COMMITTEE = 51;

    /// @dev Who can sit when two of the nine validators accuse; four of them convict.
    uint256 internal constant SEATS = 7;

    IOwnedValidators internal validators;
    IOwnedSlasher internal slasher;
    IOwnedRefunds internal refunds;
    address internal burn;
    address[] internal v;
    uint256 internal nodeId;

    function setUp() public virtual override {
        super.setUp();
        vm.roll(1000);
        burn = deploy("HeuBurn", "");
        refunds = IOwnedRefunds(deploy("RefundPot", abi.encode(owner, burn)));
        validators = IOwnedValidators(deploy("ValidatorRegistry", abi.encode(owner, BOND, UNBONDING)));
        slasher = IOwnedSlasher(
            deploy(
                "Slasher",
                abi.encode(owner, nodes, validators, refunds, burn, launchWindows(), launchStakes(), COMMITTEE)
            )
        );
        vm.startPrank(owner);
        nodes.setJailer(address(slasher));
        nodes.setSlasher(address(slasher));
        validators.setSlasher(address(slasher));
        refunds.setSlasher(address(slasher));
        vm.stopPrank();
        nodeId = registerNode("hot", nodeOwner);
        joinUpTo(9);
    }

    function launchWindows() internal pure returns (Windows memory) {
        return Windows({commit: COMMIT, vote: VOTE, reveal: REVEAL, dispute: DISPUTE, jail: JAIL, cooldown: COOLDOWN});
    }

    function launchStakes() internal pure returns (Stakes memory) {
        return Stakes({accusation: ACCUSATION, duty: DUTY, dispute: DISPUTE_BOND});
    }

    function join(string memory name) internal returns (address validator) {
        validator = makeAddr(name);
        vm.deal(validator, BOND);
        vm.prank(validator);
        validators.join{value: BOND}();
        v.push(validator);
    }

    function joinUpTo(uint256 count) internal {
        for (uint256 i = v.length; i < count; ++i) {
            join(string.concat("validator", vm.toString(i)));
        }
        pass(1);
    }

    function pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + 1 + seconds_ / 12);
    }

    /* ACCUSERS */

    function saltOf(address who) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", who));
    }

    function claim(uint64 logE) internal pure returns (Claim memory) {
        return Claim({logE: logE, auditsRoot: keccak256("audits"), objective: false});
    }

    function fault() internal pure returns (Claim memory) {
        return Claim({logE: LOG_E_SLASH, auditsRoot: keccak256("conflicting receipts"), objective: true});
    }

    function accuse(address validator, Claim memory claimed) internal returns (uint256 caseId) {
        caseId = slasher.openCaseOf(nodeId);
        if (caseId == 0) caseId = slasher.caseCount() + 1;
        bytes32 commitment = keccak256(abi.encode(caseId, validator, claimed, saltOf(validator)));
        vm.prank(validator);
        slasher.accuse(nodeId, commitment);
    }

    function reveal(uint256 caseId, address validator, Claim memory claimed) internal {
        vm.prank(validator);
        slasher.reveal(caseId, claimed, saltOf(validator));
    }

    /// @dev The first `count` validators accuse, open, and the gathering is over.
    function bring(uint256 count, Claim memory claimed) internal returns (uint256 caseId) {
        for (uint256 i; i < count; ++i) {
            caseId = accuse(v[i], claimed);
        }
        pass(COMMIT);
        for (uint256 i; i < count; ++i) {
            reveal(caseId, v[i], claimed);
        }
        pass(REVEAL);
        slasher.conclude(caseId);
    }

    /* ANSWER AND COMMITTEE */

    function answer(uint256 caseId) internal {
        vm.deal(nodeOwner, DISPUTE_BOND);
        vm.prank(nodeOwner);
        slasher.dispute{value: DISPUTE_BOND}(caseId);
    }

    function draw(uint256 caseId) internal returns (address[] memory members) {
        vm.roll(slasher.getCase(caseId).deadline + 1);
        slasher.draw(caseId);
        return slasher.committeeOf(caseId, slasher.getCase(caseId).round);
    }

    function commitVote(uint256 caseId, address member, uint64 logE) internal {
        uint8 round = slasher.getCase(caseId).round;
        bytes32 commitment = keccak256(abi.encode(caseId, round, member, logE, saltOf(member)));
        vm.prank(member);
        slasher.commitVote(caseId, commitment);
    }

    function revealVote(uint256 caseId, address member, uint64 logE) internal {
        vm.prank(member);
        slasher.revealVote(caseId, logE, saltOf(member));
    }

    /// @dev `votes[i]` of the i-th member; members beyond the votes stay away.
    function judge(uint256 caseId, uint64[] memory votes) internal returns (address[] memory members) {
        members = draw(caseId);
        for (uint256 i; i < votes.length; ++i) {
            commitVote(caseId, members[i], votes[i]);
        }
        pass(VOTE);
        for (uint256 i; i < votes.length; ++i) {
            revealVote(caseId, members[i], votes[i]);
        }
        pass(REVEAL);
        slasher.resolve(caseId);
    }

    /// @dev Nobody answers, and the whole committee finds what was claimed.
    function convictUnanswered(uint256 caseId) internal {
        uint64 deadline = slasher.getCase(caseId).deadline;
        if (block.timestamp < deadline) vm.warp(deadline);
        slasher.expire(caseId);
        address[] memory members = draw(caseId);
        for (uint256 i; i < members.length; ++i) {
            commitVote(caseId, members[i], LOG_E_SLASH);
        }
        pass(VOTE);
        for (uint256 i; i < members.length; ++i) {
            revealVote(caseId, members[i], LOG_E_SLASH);
        }
        pass(REVEAL);
        slasher.resolve(caseId);
    }

    /// @dev `count` votes, `above` of them for the accusers.
    function ballots(uint256 count, uint256 above, uint64 logE) internal pure returns (uint64[] memory votes) {
        votes = new uint64[](count);
        for (uint256 i; i < above; ++i) {
            votes[i] = logE;
        }
    }

    /* ASSERTIONS */

    function assertStage(uint256 caseId, Stage stage, string memory label) internal view {
        assertEq(uint256(slasher.getCase(caseId).stage), uint256(stage), label);
    }

    function assertClosed(uint256 caseId, Verdict verdict) internal view {
        Case memory c = slasher.getCase(caseId);
        assertEq(uint256(c.stage), uint256(Stage.Closed), "closed");
        assertEq(uint256(c.verdict), uint256(verdict), "verdict");
        assertEq(slasher.openCaseOf(c.nodeId), 0, "no open case");
        assertFalse(slasher.hasOpenDispute(c.nodeId), "no open dispute");
        assertMoney();
    }

    /// @dev What the contracts hold is what they owe, to the wei.
    function assertMoney() internal view {
        assertEq(address(slasher).balance, slasher.totalHeld(), "slasher: held = owed");
        assertEq(address(validators).balance, validators.totalBonds(), "validators: held = bonds");
        assertEq(address(nodes).balance, nodes.totalCollateral(), "nodes: held = collateral");
    }

    function lockedOf(address validator) internal view returns (uint256) {
        return validators.getValidator(validator).locked;
    }

    function bondOf(address validator) internal view returns (uint256) {
        return validators.getValidator(validator).bond;
    }
}
