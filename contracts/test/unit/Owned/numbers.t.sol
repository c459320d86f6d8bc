// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Constants} from "../../../src/libraries/Constants.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {IOwnable2Step} from "../../utils/Interfaces.sol";
import {OwnedFixture} from "../../utils/OwnedFixture.sol";

/// @notice Every setting that is one number in a fixed range; which one is drawn with the rest.
contract NumbersTest is OwnedFixture {
    struct Setting {
        address target;
        bytes4 set;
        bytes4 get;
        uint256 min;
        uint256 max;
    }

    Setting[] private settings;

    function setUp() public override {
        super.setUp();
        ofMoney();
        ofTheEconomy();
        ofDiscipline();
    }

    function testFuzz_AcceptsExactlyItsRange(uint256 which, uint16 choice, uint256 value) public {
        Setting memory setting = settings[which % settings.length];
        // An edge, its neighbour outside, anything inside, and anything that fits the narrowest type.
        uint256[6] memory values = [
            setting.min,
            setting.max,
            setting.min == 0 ? 0 : setting.min - 1,
            setting.max + 1,
            bound(value, setting.min, setting.max),
            uint256(uint16(value))
        ];
        value = values[choice % values.length];
        uint256 before = read(setting);
        (bool success, bytes memory reason) = call(setting, owner, value);

        assertTrue(success == (value >= setting.min && value <= setting.max), "exactly the range");
        assertEq(read(setting), success ? value : before, "set, or the same");
        bytes memory why = abi.encodeWithSelector(Errors.Shared_OutOfBounds.selector, value, setting.min, setting.max);
        if (!success) assertEq(keccak256(reason), keccak256(why), "why");
    }

    function testFuzz_RevertWhen_AnyoneElseSetsIt(uint256 which, address caller, uint256 value) public {
        vm.assume(caller != owner);
        Setting memory setting = settings[which % settings.length];
        uint256 before = read(setting);
        (bool success, bytes memory reason) = call(setting, caller, bound(value, setting.min, setting.max));

        assertFalse(success, "refused");
        bytes memory expected = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller);
        assertEq(keccak256(reason), keccak256(expected), "why");
        assertEq(read(setting), before, "the same");
    }

    /* THE TABLE */

    function ofMoney() private {
        address at = address(vault);
        add(at, vault.setHeuPriceUsdWad.selector, vault.heuPriceUsdWad.selector, 1e14, 1e22);
        add(at, vault.setHeuBonusBps.selector, vault.heuBonusBps.selector, 0, 5000);
        add(at, vault.setWithdrawalDelay.selector, vault.withdrawalDelaySeconds.selector, 1 minutes, 30 days);
        at = address(settlement);
        add(at, settlement.setChallengeWindow.selector, settlement.challengeWindowSeconds.selector, 10, 14 days);
        add(address(pods), pods.setMaxDeployerBps.selector, pods.maxDeployerBps.selector, 0, 2000);
        add(address(frontends), frontends.setMaxFeeBps.selector, frontends.maxFeeBps.selector, 0, 1000);
    }

    function ofTheEconomy() private {
        add(address(staked), staked.setExitDelay.selector, staked.exitDelaySeconds.selector, 30 days, 730 days);
        address at = address(emission);
        add(at, emission.setReportWindow.selector, emission.reportWindowSeconds.selector, 1 hours, 14 days);
        add(at, emission.setDisputeWindow.selector, emission.disputeWindowSeconds.selector, 10 minutes, 14 days);
        add(at, emission.setChallengeBond.selector, emission.challengeBond.selector, 1e18, 100_000e18);
        at = address(podGauge);
        add(at, podGauge.setGuaranteedReplicas.selector, podGauge.guaranteedReplicas.selector, 0, 1000);
        add(at, podGauge.setCeilingFactorBps.selector, podGauge.ceilingFactorBps.selector, 1000, 100_000);
    }

    function ofDiscipline() private {
        address at = address(nodes);
        add(at, nodes.setMinCollateral.selector, nodes.minCollateral.selector, 0, Constants.MAX_MIN_COLLATERAL);
        add(at, nodes.setUnbondingDelay.selector, nodes.unbondingDelaySeconds.selector, 1 minutes, 60 days);
        at = address(validators);
        add(at, validators.setMinBond.selector, validators.minBond.selector, 1e18, Constants.MAX_VALIDATOR_BOND);
        add(at, validators.setUnbondingDelay.selector, validators.unbondingDelaySeconds.selector, 1 minutes, 60 days);
        add(address(restake), restake.setHorizon.selector, restake.horizonBlocks.selector, 1, 126_000);
    }

    /* HELPERS */

    function add(address target, bytes4 set, bytes4 get, uint256 min, uint256 max) private {
        settings.push(Setting(target, set, get, min, max));
    }

    function call(Setting memory setting, address caller, uint256 value) private returns (bool, bytes memory) {
        vm.prank(caller);
        return setting.target.call(abi.encodeWithSelector(setting.set, value));
    }

    function read(Setting memory setting) private view returns (uint256) {
        (, bytes memory answer) = setting.target.staticcall(abi.encodeWithSelector(setting.get));
        return abi.decode(answer, (uint256));
    }
}
