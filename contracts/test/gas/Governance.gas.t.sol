// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReservoirUse} from "../../src/interfaces/IReservoir.sol";
import {GovernanceFixture, IGovernorUnderTest} from "../utils/GovernanceFixture.sol";
import {ReservoirFixture} from "../utils/ReservoirFixture.sol";

/// @notice Gas of a proposal of one call, step by step, one transaction each.
contract GovernanceGasTest is GovernanceFixture {
    function test_Gas_Proposal() public {
        Proposal memory made =
            proposalTo(address(governor), 0, abi.encodeCall(IGovernorUnderTest.setVotingPeriod, (7 days)));
        propose(made);
        record("HeuristGovernor.propose: one call");
        vm.warp(block.timestamp + DELAY + 1);
        vote(alice, made, 1);
        record("HeuristGovernor.castVote: reaches the quorum");
        vm.prank(bob);
        governor.castVoteWithReason(made.id, 0, "too long");
        record("HeuristGovernor.castVoteWithReason");
        vm.warp(governor.proposalDeadline(made.id) + 1);
        queue(made);
        record("HeuristGovernor.queue");
        vm.warp(governor.proposalEta(made.id));
        execute(made);
        record("HeuristGovernor.execute: a setter");
    }

    function test_Gas_SignedVoteAndCancel() public {
        Proposal memory made = proposalTo(stranger, 0, "");
        propose(made);
        vm.prank(alice);
        governor.cancel(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
        record("HeuristGovernor.cancel");

        made = proposalTo(bob, 0, "");
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
        bytes32 typeHash = keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)");
        bytes32 structHash = keccak256(abi.encode(typeHash, made.id, uint8(1), bob, uint256(0)));
        bytes32 digest = typedDigest(domainOf("HeuristGovernor", address(governor)), structHash);
        governor.castVoteBySig(made.id, 1, bob, signature(makeKey("bob"), digest));
        record("HeuristGovernor.castVoteBySig");
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}

/// @notice Gas of what givers and receivers of the reservoir pay for.
contract ReservoirGasTest is ReservoirFixture {
    function test_Gas_Grants() public {
        vm.deal(stranger, 1e18);
        vm.prank(stranger);
        reservoir.fill{value: 1e18}();
        record("Reservoir.fill");
        budget(ReservoirUse.Grants, 100e18);
        uint256 id = grant(receiver, 100e18, 100 days);
        vm.warp(block.timestamp + 10 days);
        reservoir.claimGrant(id);
        record("Reservoir.claimGrant: first");
        vm.prank(receiver);
        reservoir.setGrantReceiver(id, stranger);
        record("Reservoir.setGrantReceiver");
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}
