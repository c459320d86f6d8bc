// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReservoir, ReservoirUse} from "../../../src/interfaces/IReservoir.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {ReservoirFixture} from "../../utils/ReservoirFixture.sol";

contract ReceiverTest is ReservoirFixture {
    function testFuzz_OnlyTheReceiverNamesTheNext(address caller, address next, uint32 later) public {
        vm.assume(caller != receiver && next != receiver);
        budget(ReservoirUse.Grants, 10e18);
        uint256 id = grant(receiver, 10e18, 10 days);
        vm.warp(block.timestamp + later);
        vm.expectRevert(abi.encodeWithSelector(Errors.Reservoir_NotReceiver.selector, id, caller));
        vm.prank(caller);
        reservoir.setGrantReceiver(id, next);
        vm.prank(receiver);
        (bool success,) = address(reservoir).call(abi.encodeCall(IReservoir.setGrantReceiver, (id, next)));

        assertTrue(success == (next != address(0)), "somebody");
        assertEq(reservoir.getGrant(id).receiver, success ? next : receiver, "receiver");
        assertEq(reservoir.getGrant(id).amount, 10e18, "amount");
        assertEq(reservoir.owedToGrants(), 10e18, "owed");
        expectConserved();
    }
}
