// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Parties, Shares, Split} from "../../../src/interfaces/IJobSettlement.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";

contract ParametersTest is Fixture {
    function test_StartsWithTheLaunchShares() public view {
        Shares memory shares = settlement.shares();
        assertEq(shares.deployerBps, 800, "deployer");
        assertEq(shares.frontendBps, 500, "frontend");
        assertEq(shares.votersBps, 200, "voters");
        assertEq(shares.protocolBps, 500, "protocol");
    }

    function test_BindsTheGenesisToChainAndContract() public view {
        assertEq(
            settlement.genesisHash(),
            keccak256(abi.encode("Heurist JobSettlement", block.chainid, address(settlement))),
            "genesis"
        );
    }

    function test_NamesTheDomainOfReceipts() public view {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            settlement.eip712Domain();
        assertEq(name, "Heurist", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifyingContract, address(settlement), "contract");
    }

    function testFuzz_RevertWhen_SharesLeaveTheNodeLessThanHalf(uint16[4] memory bps) public {
        uint256 sum = uint256(bps[0]) + bps[1] + bps[2] + bps[3];
        vm.assume(sum > 5000);

        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_SharesTooHigh.selector, sum, 5000));
        vm.prank(owner);
        settlement.setShares(Shares(bps[0], bps[1], bps[2], bps[3]));
    }

    function test_SetsShares() public {
        vm.expectEmit();
        emit Events.SharesChanged(1000, 1000, 1000, 2000);
        vm.prank(owner);
        settlement.setShares(Shares(1000, 1000, 1000, 2000));

        assertEq(settlement.shares().protocolBps, 2000, "set");
    }

    function testFuzz_RevertWhen_WindowIsOutOfBounds(uint32 windowSeconds) public {
        vm.assume(windowSeconds < 10 || windowSeconds > 14 days);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, windowSeconds, 10, 14 days));
        vm.prank(owner);
        settlement.setChallengeWindow(windowSeconds);
    }

    function test_ReplacesTheSequencer() public {
        vm.expectEmit();
        emit Events.SequencerChanged(stranger);
        vm.prank(owner);
        settlement.setSequencer(stranger);

        assertEq(settlement.sequencer(), stranger, "set");
        vm.expectRevert(Errors.Shared_ZeroAddress.selector);
        vm.prank(owner);
        settlement.setSequencer(address(0));
    }

    function test_RevertWhen_AStrangerSetsAParameter() public {
        bytes[3] memory calls = [
            abi.encodeCall(settlement.setSequencer, (stranger)),
            abi.encodeCall(settlement.setShares, (Shares(0, 0, 0, 0))),
            abi.encodeCall(settlement.setChallengeWindow, (1 days))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(sequencer);
            (bool success, bytes memory reason) = address(settlement).call(calls[i]);
            assertFalse(success, vm.toString(i));
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", sequencer)),
                vm.toString(i)
            );
        }
    }

    function testFuzz_QuotesSplitsThatAddUp(uint128 payment, bool deployer, bool frontend, bool voters) public view {
        Split memory split = settlement.quoteSplit(payment, Parties(deployer, frontend, voters));

        assertEq(
            split.node + split.deployer + split.frontend + split.voters + split.protocol, payment, "conservation (C3)"
        );
        assertEq(split.deployer, deployer ? uint256(payment) * 800 / 10_000 : 0, "deployer");
        assertEq(split.frontend, frontend ? uint256(payment) * 500 / 10_000 : 0, "frontend");
        assertEq(split.voters, voters ? uint256(payment) * 200 / 10_000 : 0, "voters");
        assertEq(split.protocol, uint256(payment) * 500 / 10_000, "protocol");
        assertGe(split.node * 10_000, uint256(payment) * 8000, "the node has its share and the dust");
    }
}
