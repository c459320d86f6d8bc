// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReservoirUse} from "../../src/interfaces/IReservoir.sol";
import {IOwnedReservoir} from "../utils/ReservoirFixture.sol";
import {Test} from "../utils/Test.sol";

/// @notice Plays the emission, governance, receivers and time. Every call succeeds.
contract ReservoirHandler is Test {
    IOwnedReservoir private reservoir;
    address private owner;

    uint256 public filled;
    uint256 public forced;
    mapping(uint256 grantId => uint256) public paid;

    constructor(IOwnedReservoir reservoir_, address owner_) {
        reservoir = reservoir_;
        owner = owner_;
    }

    function fill(uint256 amount) external {
        amount = bound(amount, 0, 1e24);
        vm.deal(address(this), amount);
        reservoir.fill{value: amount}();
        filled += amount;
    }

    /// @dev Coins that no function took, as a self-destructing contract leaves them.
    function force(uint256 amount) external {
        amount = bound(amount, 0, 1e20);
        vm.deal(address(reservoir), address(reservoir).balance + amount);
        forced += amount;
    }

    function setBudget(uint8 which, uint256 amount) external {
        ReservoirUse use = ReservoirUse(which % 3);
        amount = bound(amount, 0, reservoir.unallocated() + reservoir.budgetOf(use));
        vm.prank(owner);
        reservoir.setBudget(use, amount);
    }

    function rent(uint256 amount) external {
        uint256 budget = reservoir.budgetOf(ReservoirUse.Rental);
        if (budget == 0) return;
        vm.prank(owner);
        reservoir.rent(makeAddr("provider"), bound(amount, 1, budget), 0);
    }

    function topUp(uint256 amount) external {
        uint256 budget = reservoir.budgetOf(ReservoirUse.Staking);
        if (budget == 0) return;
        vm.prank(owner);
        reservoir.topUpStaking(bound(amount, 1, budget));
    }

    function grant(uint256 amount, uint256 duration) external {
        uint256 budget = reservoir.budgetOf(ReservoirUse.Grants);
        if (budget == 0) return;
        amount = bound(amount, 1, budget);
        vm.prank(owner);
        reservoir.grant(makeAddr("receiver"), uint128(amount), uint48(bound(duration, 1 minutes, 90 days)), 0);
    }

    function cancel(uint256 which) external {
        uint256 id = pick(which);
        if (id == 0 || block.timestamp >= reservoir.getGrant(id).endsAt) return;
        vm.prank(owner);
        reservoir.cancelGrant(id);
    }

    function claim(uint256 which) external {
        uint256 id = pick(which);
        if (id == 0 || reservoir.claimableOf(id) == 0) return;
        paid[id] += reservoir.claimGrant(id);
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 0, 20 days));
    }

    function pick(uint256 which) private view returns (uint256) {
        uint256 count = reservoir.grantCount();
        return count == 0 ? 0 : which % count + 1;
    }
}
