// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EpochPhase} from "../../../src/interfaces/IEmissionController.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {EconomyFixture} from "../../utils/EconomyFixture.sol";

contract ReportTest is EconomyFixture {
    uint256 private epoch;

    function setUp() public override {
        super.setUp();
        hold(alice, 1000e18);
        vote(nodeGauge, alice, bytes32(uint256(2)));
        epoch = epochNow() + 1;
        warpTo(epoch + 1);
    }

    /* REFUSALS */

    function test_RevertWhen_AnybodyElseReports() public {
        address[2] memory callers = [owner, stranger];
        for (uint256 i; i < callers.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(Errors.EmissionController_NotSequencer.selector, callers[i]);
            vm.expectRevert(reason);
            vm.prank(callers[i]);
            emission.report(epoch, reports(reportOf(1, 1, 1, 1)));
            vm.expectRevert(reason);
            vm.prank(callers[i]);
            emission.seal(epoch);
        }
    }

    function test_RevertWhen_TheEpochIsNotOver() public {
        vm.warp(startOf(epoch + 1) - 1);
        expectWrongPhase(EpochPhase.Running);
        report(epoch, reports(reportOf(1, 1, 1, 1)));
    }

    function test_RevertWhen_TheEpochIsBeyondTheLast() public {
        warpTo(600);
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NoSuchEpoch.selector, 520));
        report(520, reports(reportOf(1, 1, 1, 1)));
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_NoSuchEpoch.selector, 520));
        emission.finalise(520);
    }

    function test_RevertWhen_TheWindowIsOver() public {
        vm.warp(block.timestamp + 3 days);
        expectWrongPhase(EpochPhase.Ready);
        report(epoch, reports(reportOf(1, 1, 1, 1)));
    }

    function test_RevertWhen_ItIsSealed() public {
        seal(epoch);
        expectWrongPhase(EpochPhase.Disputing);
        report(epoch, reports(reportOf(1, 1, 1, 1)));
    }

    function test_RevertWhen_NodesAreNotStrictlyAscending() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_UnsortedReports.selector, 1));
        report(epoch, reports(reportOf(2, 1, 1, 1), reportOf(1, 1, 1, 1)));
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_UnsortedReports.selector, 1));
        report(epoch, reports(reportOf(2, 1, 1, 1), reportOf(2, 1, 1, 1)));

        report(epoch, reports(reportOf(2, 1, 1, 1)));
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_UnsortedReports.selector, 0));
        report(epoch, reports(reportOf(2, 1, 1, 1)));
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_UnsortedReports.selector, 0));
        report(epoch, reports(reportOf(0, 1, 1, 1)));
    }

    function test_RevertWhen_AvailabilityExceedsTheWhole() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_BadAvailability.selector, 0));
        report(epoch, reports(reportOf(1, 10_001, 1, 1)));
    }

    function test_RevertWhen_TheNodeIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_UnknownNode.selector, 4));
        report(epoch, reports(reportOf(4, 1, 1, 1)));
    }

    function test_RevertWhen_WeightsDoNotFit() public {
        vm.expectRevert();
        report(epoch, reports(reportOf(1, 10_000, type(uint128).max, 0)));
        vm.expectRevert();
        report(epoch, reports(reportOf(1, 0, 0, type(uint128).max)));
        vm.expectRevert();
        report(epoch, reports(reportOf(2 ** 32, 1, 1, 1)));
        // An epoch of a million of the fastest nodes fits.
        report(epoch, reports(reportOf(1, 10_000, 2 ** 83, 2 ** 96)));
    }

    /* WEIGHTS */

    function test_WeightsAddUpOverChunks() public {
        report(epoch, reports(reportOf(1, 10_000, 50, 7)));
        vm.expectEmit();
        // 1,000 of 100,000 votes: 1 % share, multiplier 1.3.
        emit Events.NodeReported(epoch, 2, 0, 5000, 100, 11, 5000 * 100 * 13_000, 11 * 13_000);
        report(epoch, reports(reportOf(2, 5000, 100, 11)));
        vm.expectEmit();
        emit Events.EpochSealed(epoch, 0, 5_000_000_000 + 6_500_000_000, 70_000 + 143_000);
        seal(epoch);

        assertEq(emission.emissionOf(epoch).baseWeight, 11_500_000_000, "base");
        assertEq(emission.emissionOf(epoch).dynamicWeight, 213_000, "dynamic");
    }

    function test_NoCollateralNoBaseWeight() public {
        address jailer = makeAddr("jailer");
        vm.startPrank(owner);
        nodes.setJailer(jailer);
        nodes.setSlasher(jailer);
        vm.stopPrank();
        vm.startPrank(jailer);
        nodes.setJailed(1, true);
        vm.deal(jailer, 0);
        nodes.slash(2, 1);
        vm.stopPrank();
        report(epoch, reports(reportOf(1, 10_000, 50, 7), reportOf(2, 10_000, 50, 7)));

        assertEq(emission.emissionOf(epoch).baseWeight, 0, "no base");
        assertEq(emission.emissionOf(epoch).dynamicWeight, 7 * 10_000 + 7 * 13_000, "what it worked counts");
    }

    function test_ALeavingNodeHasBaseWeight() public {
        vm.prank(nodeOwner);
        nodes.requestExit(1);
        report(epoch, reports(reportOf(1, 10_000, 50, 0)));
        assertEq(emission.emissionOf(epoch).baseWeight, 10_000 * 50 * 10_000, "its collateral is there");
    }

    /* PHASES */

    function test_PhasesOfAnEpoch() public {
        assertPhase(epoch + 1, EpochPhase.Running, "running");
        assertPhase(epoch, EpochPhase.Reporting, "reporting");
        report(epoch, reports(reportOf(1, 1, 1, 1)));
        assertPhase(epoch, EpochPhase.Reporting, "still reporting");
        seal(epoch);
        assertPhase(epoch, EpochPhase.Disputing, "disputing");
        vm.warp(block.timestamp + 1 days - 1);
        assertPhase(epoch, EpochPhase.Disputing, "to the last second");
        expectWrongPhaseFor(EpochPhase.Disputing, EpochPhase.Ready);
        emission.finalise(epoch);
        vm.warp(block.timestamp + 1);
        assertPhase(epoch, EpochPhase.Ready, "ready");
        emission.finalise(epoch);
        assertPhase(epoch, EpochPhase.Final, "final");
    }

    function test_AnUnsealedReportIsSealedByTheDeadline() public {
        report(epoch, reports(reportOf(1, 10_000, 1, 1)));
        vm.warp(startOf(epoch + 1) + 3 days);
        assertPhase(epoch, EpochPhase.Disputing, "disputing");
        vm.warp(block.timestamp + 1 days);
        assertPhase(epoch, EpochPhase.Ready, "ready");
        emission.finalise(epoch);
        assertEq(emission.rewardOf(1, epoch), emission.emissionOf(epoch).basePart, "as far as it got");
    }

    /* HELPERS */

    function expectWrongPhase(EpochPhase phase) private {
        expectWrongPhaseFor(phase, EpochPhase.Reporting);
    }

    function expectWrongPhaseFor(EpochPhase phase, EpochPhase expected) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EmissionController_WrongPhase.selector, epoch, phase, expected));
    }
}
