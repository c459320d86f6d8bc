// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReservoir, ReservoirUse} from "../../src/interfaces/IReservoir.sol";
import {IStakedHeu, RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {IOwnable2Step} from "./Interfaces.sol";
import {Test} from "./Test.sol";

interface IOwnedReservoir is IReservoir, IOwnable2Step {}

/// @notice A reservoir of 1,000 HEU beside a vault with one staker.
abstract contract ReservoirFixture is Test {
    IOwnedReservoir internal reservoir;
    IStakedHeu internal stakedHeu;
    address internal owner;
    address internal receiver;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        owner = makeAddr("owner");
        receiver = makeAddr("receiver");
        stranger = makeAddr("stranger");
        address heu = deploy("WrappedHeu", "");
        stakedHeu = IStakedHeu(deploy("StakedHeu", abi.encode(address(this), heu, 365 days)));
        reservoir = IOwnedReservoir(deploy("Reservoir", abi.encode(owner, stakedHeu)));
        stakedHeu.setRewardSource(RewardSource.Reservoir, address(reservoir));
        vm.deal(address(this), 1_100e18);
        stakedHeu.depositNative{value: 100e18}(stranger);
        reservoir.fill{value: 1_000e18}();
    }

    function budget(ReservoirUse use, uint256 amount) internal {
        vm.prank(owner);
        reservoir.setBudget(use, amount);
    }

    function grant(address to, uint128 amount, uint48 duration) internal returns (uint256) {
        vm.prank(owner);
        return reservoir.grant(to, amount, duration, keccak256("purpose"));
    }

    /// @dev The law of the contract, with nothing forced in.
    function expectConserved() internal view {
        uint256 booked = reservoir.unallocated() + reservoir.owedToGrants();
        for (uint256 use = 0; use < 3; use++) {
            booked += reservoir.budgetOf(ReservoirUse(use));
        }
        assertEq(address(reservoir).balance, booked, "conserved");
    }
}
