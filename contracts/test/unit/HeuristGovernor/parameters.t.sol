// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernorParameters, IHeuristGovernor} from "../../../src/interfaces/IHeuristGovernor.sol";
import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {GovernanceFixture, IGovernorUnderTest} from "../../utils/GovernanceFixture.sol";

contract HeuristGovernorParametersTest is GovernanceFixture {
    function test_SpeaksTheStandards() public view {
        assertEq(governor.name(), "HeuristGovernor", "name");
        assertEq(governor.CLOCK_MODE(), "mode=timestamp", "clock mode");
        assertEq(power.CLOCK_MODE(), "mode=timestamp", "of the votes");
        assertEq(governor.clock(), block.timestamp, "clock");
        assertEq(governor.COUNTING_MODE(), "support=bravo&quorum=for,abstain", "counting mode");
        assertEq(governor.quorum(block.timestamp - 1), 4_000_000e18, "4 % of 100 M");
        assertEq(governor.timelock(), address(timelock), "timelock");
        assertEq(governor.quorumNumerator(), 4, "percent");
        assertEq(governor.quorumFloor(), FLOOR, "floor");
    }

    function testFuzz_MovesEachParameterInsideItsBounds(uint256 which, uint256 value) public {
        which = bound(which, 0, 5);
        (uint256 min, uint256 max) = boundsOf(which);
        if (which == 1) min = EXTENSION;
        value = bound(value, min, max);
        pass(address(governor), 0, setterOf(which, value));

        assertEq(valueOf(which), value, "value");
    }

    function testFuzz_RevertWhen_AParameterLeavesItsBounds(uint256 which, uint256 value, bool above) public {
        which = bound(which, 0, 4);
        (uint256 min, uint256 max) = boundsOf(which);
        value = above ? bound(value, max + 1, type(uint32).max * uint256(1e28)) : bound(value, 0, min - 1);
        if (which == 0) value = above ? bound(value, max + 1, type(uint48).max) : value;
        if (which == 1) value = above ? bound(value, max + 1, type(uint32).max) : value;
        Proposal memory made = proposalTo(address(governor), 0, setterOf(which, value));
        ready(made);

        uint256 shownMin = which == 1 ? EXTENSION : min;
        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, value, shownMin, max));
        execute(made);
    }

    function test_RevertWhen_ThePeriodFallsBelowTheExtension() public {
        Proposal memory made = proposalTo(address(governor), 0, setterOf(1, EXTENSION - 1));
        ready(made);

        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Shared_OutOfBounds.selector, EXTENSION - 1, EXTENSION, Constants.MAX_VOTING_PERIOD
            )
        );
        execute(made);

        made = proposalTo(address(governor), 0, setterOf(5, PERIOD + 1));
        ready(made);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernorUnderTest.GovernorPreventLateQuorumVoteExtensionTooLarge.selector, PERIOD + 1, PERIOD
            )
        );
        execute(made);
    }

    function test_RevertWhen_CalledOutsideAProposal() public {
        for (uint256 which = 0; which < 6; which++) {
            (uint256 min,) = boundsOf(which);
            callDirectly(stranger, setterOf(which, min));
            callDirectly(alice, setterOf(which, min));
        }
        callDirectly(stranger, abi.encodeCall(IGovernorUnderTest.relay, (stranger, 0, "")));
        callDirectly(stranger, abi.encodeCall(IGovernorUnderTest.updateTimelock, (stranger)));
        // Not even the timelock, unless it carries out a proposal of this governor.
        vm.prank(address(timelock));
        (bool success,) = address(governor).call(setterOf(0, 1 days));
        assertFalse(success, "the timelock without a proposal");
    }

    function test_AHigherFloorLeavesRunningVotes() public {
        Proposal memory running =
            proposalTo(address(governor), 0, abi.encodeCall(IGovernorUnderTest.setVotingDelay, (2 days)));
        Proposal memory raising = proposalTo(address(governor), 0, setterOf(4, 50_000_000e18));
        ready(raising);
        propose(running);
        vm.warp(block.timestamp + DELAY + 1);
        execute(raising);
        vote(alice, running, 1);
        vm.warp(governor.proposalDeadline(running.id) + 1);

        assertEq(uint256(governor.state(running.id)), uint256(IGovernor.ProposalState.Succeeded), "by the old floor");
        assertEq(governor.quorumFloor(), 50_000_000e18, "the new floor");
    }

    function test_RevertWhen_DeployedOutOfBounds() public {
        GovernorParameters memory wrong = parameters();
        wrong.quorumFloor = Constants.MIN_QUORUM_FLOOR - 1;
        vm.expectRevert();
        this.deployGovernor(wrong);
        wrong.quorumFloor = Constants.MIN_QUORUM_FLOOR;
        this.deployGovernor(wrong);
        wrong.votingDelay = 0;
        vm.expectRevert();
        this.deployGovernor(wrong);
    }

    function deployGovernor(GovernorParameters memory wanted) external {
        deploy("HeuristGovernor", abi.encode(power, timelock, wanted));
    }

    /* HELPERS */

    function callDirectly(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool success, bytes memory reason) = address(governor).call(data);
        assertFalse(success, "refused");
        bytes32 why = keccak256(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, caller));
        assertEq(keccak256(reason), why, "why");
    }

    function setterOf(uint256 which, uint256 value) private pure returns (bytes memory) {
        if (which == 0) return abi.encodeCall(IGovernorUnderTest.setVotingDelay, (uint48(value)));
        if (which == 1) return abi.encodeCall(IGovernorUnderTest.setVotingPeriod, (uint32(value)));
        if (which == 2) return abi.encodeCall(IGovernorUnderTest.setProposalThreshold, (value));
        if (which == 3) return abi.encodeCall(IGovernorUnderTest.updateQuorumNumerator, (value));
        if (which == 4) return abi.encodeCall(IHeuristGovernor.setQuorumFloor, (value));
        return abi.encodeCall(IGovernorUnderTest.setLateQuorumVoteExtension, (uint48(value)));
    }

    function valueOf(uint256 which) private view returns (uint256) {
        if (which == 0) return governor.votingDelay();
        if (which == 1) return governor.votingPeriod();
        if (which == 2) return governor.proposalThreshold();
        if (which == 3) return governor.quorumNumerator();
        if (which == 4) return governor.quorumFloor();
        return governor.lateQuorumVoteExtension();
    }

    function boundsOf(uint256 which) private pure returns (uint256 min, uint256 max) {
        if (which == 0) return (Constants.MIN_VOTING_DELAY, Constants.MAX_VOTING_DELAY);
        if (which == 1) return (Constants.MIN_VOTING_PERIOD, Constants.MAX_VOTING_PERIOD);
        if (which == 2) return (Constants.MIN_PROPOSAL_THRESHOLD, Constants.MAX_PROPOSAL_THRESHOLD);
        if (which == 3) return (Constants.MIN_QUORUM_PERCENT, Constants.MAX_QUORUM_PERCENT);
        if (which == 4) return (Constants.MIN_QUORUM_FLOOR, Constants.MAX_QUORUM_FLOOR);
        return (0, PERIOD);
    }
}
