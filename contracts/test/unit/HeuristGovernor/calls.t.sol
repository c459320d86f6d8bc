// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";

import {GovernanceFixture, IGovernorUnderTest} from "../../utils/GovernanceFixture.sol";

contract HeuristGovernorCallsTest is GovernanceFixture {
    Proposal private made;

    function setUp() public override {
        super.setUp();
        made = proposalTo(address(governor), 0, abi.encodeCall(IGovernorUnderTest.setVotingPeriod, (7 days)));
        propose(made);
    }

    /* VOTES */

    function testFuzz_AVoteCountsOnceHoweverItIsCast(uint8 form, uint8 support, string calldata reason) public {
        vm.warp(block.timestamp + DELAY + 1);
        vm.prank(bob);
        (bool success,) = address(governor).call(ballot(form, support, reason));
        assertTrue(success == (support < 3), "three answers");
        (uint256 against, uint256 inFavour, uint256 abstain) = governor.proposalVotes(made.id);
        assertEq([against, inFavour, abstain][support % 3], success ? 2_000_000e18 : 0, "all of bob's");
        assertEq(against + inFavour + abstain, success ? 2_000_000e18 : 0, "once");

        vm.prank(bob);
        (bool again,) = address(governor).call(ballot(form / 3, 1, reason));
        assertTrue(again == !success, "and no second");
    }

    function testFuzz_ASignedReasonIsTheVotersOwn(uint256 key, uint8 support, string memory reason, bytes memory data)
        public
    {
        support = uint8(bound(support, 0, 2));
        key = bound(key, 1, 1 << 250);
        vm.assume(vm.addr(key) != bob);
        vm.warp(block.timestamp + DELAY + 1);
        bytes memory call = signedBallot(support, reason, data, key);
        (bool success, bytes memory why) = address(governor).call(call);
        assertFalse(success, "another's signature");
        bytes memory refused = abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, bob);
        assertEq(keccak256(why), keccak256(refused), "why");

        (success,) = address(governor).call(signedBallot(support, reason, data, makeKey("bob")));
        assertTrue(success, "its own");
        (uint256 against, uint256 inFavour, uint256 abstain) = governor.proposalVotes(made.id);
        assertEq([against, inFavour, abstain][support], 2_000_000e18, "all of bob's");
        (success,) = address(governor).call(call);
        assertFalse(success, "once");
    }

    /* CANCELLING */

    function testFuzz_OnlyTheProposerCancelsAndOnlyBeforeTheVote(address caller, uint32 later) public {
        vm.assume(caller != alice);
        bytes32 description = keccak256(bytes(made.description));
        vm.warp(block.timestamp + later);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, made.id, caller));
        vm.prank(caller);
        governor.cancel(made.targets, made.values, made.calldatas, description);
        vm.prank(alice);
        (bool success,) = address(governor)
            .call(abi.encodeCall(governor.cancel, (made.targets, made.values, made.calldatas, description)));

        assertTrue(success == (later <= DELAY), "before the vote");
        assertTrue((governor.state(made.id) == IGovernor.ProposalState.Canceled) == success, "state");
    }

    /* ITSELF */

    function testFuzz_RevertWhen_AnyoneActsForGovernance(
        address caller,
        address target,
        uint96 value,
        bytes calldata data
    ) public {
        vm.assume(caller != address(timelock));
        bytes memory refused = abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        governor.relay(target, value, data);
        vm.expectRevert(refused);
        governor.updateTimelock(target);
        vm.expectRevert(refused);
        governor.setQuorumFloor(value);
        vm.stopPrank();
        assertEq(governor.timelock(), address(timelock), "the same");
    }

    function testFuzz_RevertWhen_TokensAreSentToIt(address from, uint256 id, bytes calldata data) public {
        bytes4 refused = IGovernor.GovernorDisabledDeposit.selector;
        vm.expectRevert(refused);
        IERC721Receiver(address(governor)).onERC721Received(from, from, id, data);
        vm.expectRevert(refused);
        IERC1155Receiver(address(governor)).onERC1155Received(from, from, id, id, data);
        vm.expectRevert(refused);
        IERC1155Receiver(address(governor)).onERC1155BatchReceived(from, from, new uint256[](1), new uint256[](1), data);
    }

    /* HELPERS */

    function ballot(uint8 form, uint8 support, string memory reason) private view returns (bytes memory) {
        if (form % 3 == 0) return abi.encodeCall(governor.castVote, (made.id, support));
        if (form % 3 == 1) return abi.encodeCall(governor.castVoteWithReason, (made.id, support, reason));
        return abi.encodeCall(governor.castVoteWithReasonAndParams, (made.id, support, reason, ""));
    }

    function signedBallot(uint8 support, string memory reason, bytes memory data, uint256 key)
        private
        view
        returns (bytes memory)
    {
        bytes memory signed = signature(key, reasonDigest(support, reason, data));
        return abi.encodeCall(governor.castVoteWithReasonAndParamsBySig, (made.id, support, bob, reason, data, signed));
    }

    function reasonDigest(uint8 support, string memory reason, bytes memory data) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "ExtendedBallot(uint256 proposalId,uint8 support,address voter,uint256 nonce,string reason,bytes params)"
        );
        bytes memory said =
            abi.encode(typeHash, made.id, support, bob, uint256(0), keccak256(bytes(reason)), keccak256(data));
        return typedDigest(domainOf("HeuristGovernor", address(governor)), keccak256(said));
    }
}
