// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SlasherFixture} from "../utils/SlasherFixture.sol";

/// @notice Gas of a case, step by step: what validators, accused nodes and whoever turns the crank pay.
contract SlashingGasTest is SlasherFixture {
    function test_Gas_Case() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_SLASH));
        record("Slasher.accuse: opens a case");
        accuse(v[1], claim(LOG_E_SLASH));
        record("Slasher.accuse: joins a case");
        pass(COMMIT);
        reveal(caseId, v[0], claim(LOG_E_SLASH));
        record("Slasher.reveal");
        reveal(caseId, v[1], claim(LOG_E_SLASH));
        pass(REVEAL);
        slasher.conclude(caseId);
        record("Slasher.conclude: two accusers");
        answer(caseId);
        record("Slasher.dispute");
        vm.roll(slasher.getCase(caseId).deadline + 1);
        slasher.draw(caseId);
        record("Slasher.draw: all seven");
        address[] memory members = slasher.committeeOf(caseId, 1);
        for (uint256 i; i < members.length; ++i) {
            commitVote(caseId, members[i], LOG_E_SLASH);
        }
        record("Slasher.commitVote");
        pass(VOTE);
        for (uint256 i; i < members.length; ++i) {
            revealVote(caseId, members[i], LOG_E_SLASH);
        }
        record("Slasher.revealVote");
        pass(REVEAL);
        slasher.resolve(caseId);
        record("Slasher.resolve: guilty, committee of seven");
        vm.prank(v[0]);
        slasher.withdraw(v[0]);
        record("Slasher.withdraw");
    }

    function test_Gas_LargestCommittee() public {
        joinUpTo(256);
        vm.prank(owner);
        slasher.setCommitteeSize(101);
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        answer(caseId);
        vm.roll(slasher.getCase(caseId).deadline + 1);
        slasher.draw(caseId);
        record("Slasher.draw: 101 of 256");
        address[] memory members = slasher.committeeOf(caseId, 1);
        for (uint256 i; i < members.length; ++i) {
            commitVote(caseId, members[i], LOG_E_SLASH);
        }
        pass(VOTE);
        for (uint256 i; i < members.length; ++i) {
            revealVote(caseId, members[i], LOG_E_SLASH);
        }
        pass(REVEAL);
        slasher.resolve(caseId);
        record("Slasher.resolve: guilty, committee of 101");
    }

    function test_Gas_Nodes() public {
        vm.prank(nodeOwner);
        nodes.requestUnbond(nodeId, 1e18);
        record("NodeRegistry.requestUnbond");
        vm.warp(block.timestamp + UNBONDING);
        vm.prank(nodeOwner);
        nodes.completeUnbond(nodeId, nodeOwner);
        record("NodeRegistry.completeUnbond");
        join("newcomer");
        record("ValidatorRegistry.join");
    }

    function record(string memory name) private {
        vm.snapshotValue("slashing", name, vm.lastCallGas().gasTotalUsed);
    }
}
