// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReservoir, ReservoirUse} from "../../../src/interfaces/IReservoir.sol";
import {IStakedHeu, RewardSource} from "../../../src/interfaces/IStakedHeu.sol";
import {GovernanceFixture} from "../../utils/GovernanceFixture.sol";

/// @notice The three uses as governance does them: budget and spending in one proposal.
contract ReservoirByProposalTest is GovernanceFixture {
    IReservoir private reservoir;
    IStakedHeu private vault;
    address private receiver = makeAddr("receiver");

    function setUp() public override {
        super.setUp();
        vault = IStakedHeu(deploy("StakedHeu", abi.encode(address(this), deploy("WrappedHeu", ""), 365 days)));
        reservoir = IReservoir(deploy("Reservoir", abi.encode(timelock, vault)));
        vault.setRewardSource(RewardSource.Reservoir, address(reservoir));
        vm.deal(address(this), 1_100e18);
        vault.depositNative{value: 100e18}(stranger);
        reservoir.fill{value: 1_000e18}();
    }

    function test_RentsByProposal() public {
        spend(ReservoirUse.Rental, abi.encodeCall(IReservoir.rent, (receiver, 40e18, keccak256("invoice 7"))));

        assertEq(receiver.balance, 40e18, "the provider was paid");
        assertEq(reservoir.budgetOf(ReservoirUse.Rental), 60e18, "what is left");
    }

    function test_GrantsByProposal() public {
        spend(ReservoirUse.Grants, abi.encodeCall(IReservoir.grant, (receiver, 100e18, 100 days, keccak256("plan"))));
        vm.warp(block.timestamp + 25 days);
        reservoir.claimGrant(1);
        assertEq(receiver.balance, 25e18, "a quarter");

        Proposal memory cancelling = proposalTo(address(reservoir), 0, abi.encodeCall(IReservoir.cancelGrant, (1)));
        ready(cancelling);
        execute(cancelling);
        uint256 flowed = 100e18 - reservoir.budgetOf(ReservoirUse.Grants);
        reservoir.claimGrant(1);
        assertEq(receiver.balance, flowed, "what had flowed");
        assertGe(flowed, 33e18, "eight days of a vote and its delay later");
    }

    function test_TopsUpStakingByProposal() public {
        spend(ReservoirUse.Staking, abi.encodeCall(IReservoir.topUpStaking, (100e18)));
        assertEq(vault.rewardedBy(RewardSource.Reservoir), 100e18, "rewarded");
        vm.warp(block.timestamp + 7 days);

        assertGe(vault.rateWad(), 1.9e18, "100 HEU over 100 staked");
    }

    function test_SpendsNothingWhenDefeated() public {
        Proposal memory made = spending(ReservoirUse.Rental, abi.encodeCall(IReservoir.rent, (receiver, 40e18, 0)));
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
        vote(alice, made, 0);
        vm.warp(governor.proposalDeadline(made.id) + 1);

        vm.expectRevert();
        queue(made);
        vm.expectRevert();
        execute(made);
        assertEq(reservoir.unallocated(), 1_000e18, "untouched");
    }

    /// @dev Sets the budget of `use` to 100 HEU and spends of it, in one proposal.
    function spending(ReservoirUse use, bytes memory spendingCall) private view returns (Proposal memory made) {
        made.targets = new address[](2);
        made.values = new uint256[](2);
        made.calldatas = new bytes[](2);
        (made.targets[0], made.targets[1]) = (address(reservoir), address(reservoir));
        made.calldatas[0] = abi.encodeCall(IReservoir.setBudget, (use, 100e18));
        made.calldatas[1] = spendingCall;
        made.description = "spend";
        made.id = governor.hashProposal(made.targets, made.values, made.calldatas, keccak256("spend"));
    }

    function spend(ReservoirUse use, bytes memory spendingCall) private {
        Proposal memory made = spending(use, spendingCall);
        ready(made);
        execute(made);
    }
}
