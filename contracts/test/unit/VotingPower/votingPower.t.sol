// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";

import {Errors} from "../../../src/libraries/Errors.sol";
import {GovernanceFixture} from "../../utils/GovernanceFixture.sol";

/// @notice Votes by block number.
contract BlockVotes {
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external pure returns (string memory) {
        return "mode=blocknumber&from=default";
    }
}

contract VotingPowerTest is GovernanceFixture {
    function testFuzz_AddsTheVotesOfBothTokens(uint96 heuAmount, uint96 staked) public {
        heu.mint(stranger, heuAmount);
        stakedHeu.mint(stranger, staked);
        vm.startPrank(stranger);
        heu.delegate(bob);
        stakedHeu.delegate(stranger);
        vm.stopPrank();

        assertEq(power.getVotes(bob), 2_000_000e18 + uint256(heuAmount), "delegated HEU");
        assertEq(power.getVotes(stranger), staked, "own stHEU");
        assertEq(power.getPastVotes(bob, block.timestamp - 1), 2_000_000e18, "a second ago");
        vm.warp(block.timestamp + 1);
        assertEq(power.getPastVotes(bob, block.timestamp - 1), 2_000_000e18 + uint256(heuAmount), "then");
    }

    function test_RevertWhen_AskedForTheFuture() public {
        vm.expectRevert();
        power.getPastVotes(alice, block.timestamp);
        vm.expectRevert();
        power.getPastTotalSupply(block.timestamp);
    }

    function test_SupplyIsAllWrappedHeu() public {
        vm.warp(block.timestamp + 1);
        assertEq(power.getPastTotalSupply(block.timestamp - 1), 100_000_000e18, "wrapped");
    }

    function test_RevertWhen_DelegatedHere() public {
        vm.expectRevert(Errors.VotingPower_DelegateOnTheTokens.selector);
        power.delegate(alice);
        vm.expectRevert(Errors.VotingPower_DelegateOnTheTokens.selector);
        power.delegateBySig(alice, 0, 0, 0, 0, 0);
        vm.expectRevert(Errors.VotingPower_DelegateOnTheTokens.selector);
        power.delegates(alice);
    }

    /// @dev A vault holds the HEU and gives one share for it; nobody's sum exceeds the supply.
    function testFuzz_StakingNeverCountsTwice(uint256 amount) public {
        amount = bound(amount, 1, 6_000_000e18);
        address pool = makeAddr("vault");
        vm.prank(alice);
        heu.transfer(pool, amount);
        stakedHeu.mint(alice, amount);
        vm.warp(block.timestamp + 1);

        assertEq(power.getVotes(alice), 10_000_000e18, "as before");
        assertEq(power.getVotes(pool), 0, "the vault has none");
    }

    function test_RevertWhen_ATokenHasAnotherClock() public {
        BlockVotes other = new BlockVotes();
        vm.expectRevert();
        this.deployPower(address(heu), address(other));
        vm.expectRevert();
        this.deployPower(address(other), address(heu));
        this.deployPower(address(heu), address(stakedHeu));
    }

    function deployPower(address first, address second) external {
        deploy("VotingPower", abi.encode(IERC5805(first), IERC5805(second)));
    }
}
