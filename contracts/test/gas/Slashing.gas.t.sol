// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOwnedRestake, ISimulatedRestaking} from "../utils/Interfaces.sol";
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

    function test_Gas_Endings() public {
        uint256 caseId = bring(2, claim(LOG_E_SLASH));
        pass(DISPUTE);
        slasher.expire(caseId);
        record("Slasher.expire: a proposal that nobody answered");
        judge(caseId, ballots(SEATS, SEATS, LOG_E_SLASH));
        pass(JAIL);
        slasher.free(nodeId);
        record("Slasher.free");

        (bytes32 a, bytes32 b) = (leaf(developer, 1e18), leaf(stranger, 1e18));
        vm.prank(owner);
        refunds.setRoot(caseId, a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a)));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = b;
        refunds.claim(caseId, developer, 1e18, proof);
        record("RefundPot.claim: one of two");
        vm.warp(block.timestamp + 366 days);
        refunds.burnRest(caseId);
        record("RefundPot.burnRest");
    }

    function test_Gas_Validators() public {
        vm.deal(v[8], 1e18);
        vm.startPrank(v[8]);
        validators.topUp{value: 1e18}();
        record("ValidatorRegistry.topUp");
        vm.stopPrank();
        vm.prank(owner);
        validators.setMinBond(BOND + 1);
        validators.drop(v[7]);
        record("ValidatorRegistry.drop");
        vm.startPrank(v[8]);
        validators.requestExit();
        record("ValidatorRegistry.requestExit");
        vm.warp(block.timestamp + UNBONDING);
        validators.withdraw(v[8]);
        record("ValidatorRegistry.withdraw");
        vm.stopPrank();
    }

    function test_Gas_Restaking() public {
        ISimulatedRestaking manager = ISimulatedRestaking(deploy("SimulatedRestaking", abi.encode(uint32(100_800))));
        IOwnedRestake restake = IOwnedRestake(deploy("RestakeAdapter", abi.encode(owner, nodes, manager)));
        address[] memory strategies = new address[](1);
        strategies[0] = address(manager);
        vm.startPrank(owner);
        restake.open("ipfs://service", strategies);
        restake.setSlasher(address(slasher));
        nodes.setRestake(address(restake));
        slasher.setRestake(address(restake));
        vm.stopPrank();
        vm.startPrank(nodeOwner);
        manager.allocate(address(restake), 1 ether);
        manager.register(address(restake), "");
        restake.link(nodeId);
        record("RestakeAdapter.link");
        vm.stopPrank();
        manager.setPaused(true);
        convictUnanswered(bring(2, claim(LOG_E_SLASH)));
        manager.setPaused(false);
        restake.retrySlash(nodeId);
        record("RestakeAdapter.retrySlash");
    }

    function leaf(address account, uint256 amount) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account, amount))));
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
