// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {Constants} from "../../../src/libraries/Constants.sol";
import {GovernanceFixture, IGovernorUnderTest, ITimelock} from "../../utils/GovernanceFixture.sol";
import {RevertingReceiver} from "../../utils/Receivers.sol";

contract HeuristGovernorLifeCycleTest is GovernanceFixture {
    Proposal private made;

    function setUp() public override {
        super.setUp();
        made = proposalTo(address(governor), 0, abi.encodeCall(IGovernorUnderTest.setVotingPeriod, (7 days)));
    }

    function test_GoesFromProposalToExecution() public {
        propose(made);
        expectState(IGovernor.ProposalState.Pending);
        vm.warp(block.timestamp + DELAY + 1);
        expectState(IGovernor.ProposalState.Active);
        vote(alice, made, 1);
        vm.warp(block.timestamp + PERIOD);
        expectState(IGovernor.ProposalState.Succeeded);
        vm.prank(stranger);
        queue(made);
        expectState(IGovernor.ProposalState.Queued);
        assertEq(governor.proposalEta(made.id), block.timestamp + TIMELOCK_DELAY, "delay");
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        vm.prank(stranger);
        execute(made);

        expectState(IGovernor.ProposalState.Executed);
        assertEq(governor.votingPeriod(), 7 days, "done");
    }

    function test_RevertWhen_TheProposerIsBelowTheThreshold() public {
        heu.mint(stranger, THRESHOLD - 1);
        vm.prank(stranger);
        heu.delegate(stranger);
        vm.warp(block.timestamp + 1);

        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, stranger, THRESHOLD - 1, THRESHOLD
            )
        );
        vm.prank(stranger);
        governor.propose(made.targets, made.values, made.calldatas, made.description);

        heu.mint(stranger, 1);
        vm.warp(block.timestamp + 1);
        vm.prank(stranger);
        governor.propose(made.targets, made.values, made.calldatas, made.description);
    }

    /* VOTES */

    function test_CountsVotesOfTheSnapshot() public {
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
        // What moves after the snapshot votes with its old owner, once.
        vm.prank(alice);
        heu.transfer(bob, 6_000_000e18);
        vote(bob, made, 0);
        vote(alice, made, 1);

        (uint256 against, uint256 inFavour, uint256 abstain) = governor.proposalVotes(made.id);
        assertEq(against, 2_000_000e18, "bob");
        assertEq(inFavour, 10_000_000e18, "alice: HEU and stHEU");
        assertEq(abstain, 0, "nobody");
    }

    function test_TakesAVoteBySignatureOnce() public {
        openVote();
        bytes memory signed = signature(makeKey("bob"), ballotDigest(bob, 1, 0));
        vm.prank(stranger);
        governor.castVoteBySig(made.id, 1, bob, signed);

        (, uint256 inFavour,) = governor.proposalVotes(made.id);
        assertEq(inFavour, 2_000_000e18, "bob's votes");
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, bob));
        governor.castVoteBySig(made.id, 1, bob, signed);
    }

    function testFuzz_RevertWhen_TheSignatureIsNotTheVoters(uint256 key, uint8 support) public {
        key = bound(key, 1, 1 << 250);
        support = uint8(bound(support, 0, 2));
        vm.assume(vm.addr(key) != bob);
        openVote();

        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, bob));
        governor.castVoteBySig(made.id, support, bob, signature(key, ballotDigest(bob, support, 0)));
        bytes memory other = signature(makeKey("bob"), ballotDigest(bob, (support + 1) % 3, 0));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, bob));
        governor.castVoteBySig(made.id, support, bob, other);
    }

    function test_RevertWhen_VotingTwice() public {
        openVote();
        vote(bob, made, 1);

        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, bob));
        vote(bob, made, 0);
    }

    function test_RevertWhen_VotingOutsideThePeriod() public {
        propose(made);
        vm.expectRevert();
        vote(bob, made, 1);
        vm.warp(governor.proposalDeadline(made.id) + 1);
        vm.expectRevert();
        vote(bob, made, 1);
        vm.warp(governor.proposalDeadline(made.id));
        vote(bob, made, 1);
    }

    /* DEFEAT */

    function test_IsDefeatedByVotesAgainst() public {
        openVote();
        vote(alice, made, 0);
        vote(bob, made, 1);
        vm.warp(governor.proposalDeadline(made.id) + 1);

        expectState(IGovernor.ProposalState.Defeated);
        vm.expectRevert();
        queue(made);
    }

    function test_IsDefeatedBelowTheQuorum() public {
        // 4 % of 100 M are 4 M: bob has 2 M, and gets one wei too few.
        address silent = makeAddr("silent");
        vm.prank(silent);
        heu.transfer(bob, 2_000_000e18 - 1);
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
        vote(bob, made, 1);
        assertEq(governor.quorum(governor.proposalSnapshot(made.id)), 4_000_000e18, "quorum");
        vm.warp(governor.proposalDeadline(made.id) + 1);
        expectState(IGovernor.ProposalState.Defeated);

        vm.prank(silent);
        heu.transfer(bob, 1);
        made.description = "again";
        made = renamed("again");
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
        vote(bob, made, 1);
        vm.warp(governor.proposalDeadline(made.id) + 1);
        expectState(IGovernor.ProposalState.Succeeded);
    }

    function test_IsDefeatedBelowTheFloor() public {
        pass(address(governor), 0, abi.encodeCall(governor.setQuorumFloor, (12_000_000e18)));
        made = renamed("after the floor rose");
        openVote();
        vote(alice, made, 1);
        vm.warp(governor.proposalDeadline(made.id) + 1);

        assertEq(governor.quorum(block.timestamp - 1), 12_000_000e18, "the floor, not 4 M");
        expectState(IGovernor.ProposalState.Defeated);
    }

    function test_AbstentionsCountToTheQuorum() public {
        openVote();
        vote(alice, made, 2);
        vote(bob, made, 1);
        vm.warp(governor.proposalDeadline(made.id) + 1);

        expectState(IGovernor.ProposalState.Succeeded);
    }

    function test_ExtendsAVoteWithALateQuorum() public {
        openVote();
        uint256 deadline = governor.proposalDeadline(made.id);
        vm.warp(deadline);
        vm.expectEmit();
        emit IGovernorUnderTest.ProposalExtended(made.id, uint64(deadline + EXTENSION));
        vote(alice, made, 1);

        assertEq(governor.proposalDeadline(made.id), deadline + EXTENSION, "extended");
        vm.warp(deadline + EXTENSION);
        vote(bob, made, 0);
        expectState(IGovernor.ProposalState.Active);
    }

    /* CANCELLING */

    function test_IsCancelledByItsProposer() public {
        propose(made);
        vm.prank(alice);
        cancel();

        expectState(IGovernor.ProposalState.Canceled);
        vm.warp(block.timestamp + DELAY + 1);
        vm.expectRevert();
        vote(alice, made, 1);
    }

    function test_RevertWhen_CancelledByOthersOrLate() public {
        propose(made);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, made.id, bob));
        vm.prank(bob);
        cancel();
        vm.warp(block.timestamp + DELAY + 1);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, made.id, alice));
        vm.prank(alice);
        cancel();
    }

    /* EXECUTION */

    function test_RevertWhen_ExecutedBeforeItsDelay() public {
        succeed(made);
        vm.expectRevert();
        execute(made);
        queue(made);
        vm.warp(governor.proposalEta(made.id) - 1);
        vm.expectRevert();
        execute(made);
        vm.warp(governor.proposalEta(made.id));
        execute(made);
    }

    function test_RevertWhen_ExecutedTwice() public {
        ready(made);
        execute(made);

        vm.expectRevert();
        execute(made);
        vm.expectRevert();
        queue(made);
    }

    function test_StaysQueuedWhenItsCallFails() public {
        vm.deal(address(timelock), 1 ether);
        address refusing = address(new RevertingReceiver());
        made = proposalTo(refusing, 1 ether, "");
        ready(made);

        vm.expectRevert(RevertingReceiver.NoThanks.selector);
        execute(made);
        expectState(IGovernor.ProposalState.Queued);
        assertEq(address(timelock).balance, 1 ether, "nothing left");
    }

    /* EXPIRY */

    function test_ExpiresWhenNobodyQueuesIt() public {
        succeed(made);
        vm.warp(governor.proposalDeadline(made.id) + Constants.PROPOSAL_GRACE);
        expectState(IGovernor.ProposalState.Succeeded);
        vm.warp(block.timestamp + 1);
        expectState(IGovernor.ProposalState.Expired);
        vm.expectRevert();
        queue(made);
    }

    function test_ExpiresWhenNobodyExecutesIt() public {
        ready(made);
        vm.warp(block.timestamp + Constants.PROPOSAL_GRACE + 1);

        expectState(IGovernor.ProposalState.Expired);
        vm.expectRevert();
        execute(made);
        bytes32 salt = bytes20(address(governor)) ^ keccak256(bytes(made.description));
        vm.expectRevert(
            abi.encodeWithSelector(
                ITimelock.AccessControlUnauthorizedAccount.selector, stranger, keccak256("EXECUTOR_ROLE")
            )
        );
        vm.prank(stranger);
        timelock.execute(made.targets[0], 0, made.calldatas[0], 0, salt);
    }

    /* HELPERS */

    function renamed(string memory description) private view returns (Proposal memory other) {
        other = made;
        other.description = description;
        other.id =
            governor.hashProposal(other.targets, other.values, other.calldatas, keccak256(bytes(other.description)));
    }

    function openVote() private {
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
    }

    function cancel() private {
        governor.cancel(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
    }

    function expectState(IGovernor.ProposalState state) private view {
        assertEq(uint256(governor.state(made.id)), uint256(state), "state");
    }

    function ballotDigest(address voter, uint8 support, uint256 nonce) private view returns (bytes32) {
        bytes32 ballot = keccak256(
            abi.encode(
                keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)"),
                made.id,
                support,
                voter,
                nonce
            )
        );
        return typedDigest(domainOf("HeuristGovernor", address(governor)), ballot);
    }
}
