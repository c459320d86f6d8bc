// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EmissionWiring} from "../../src/interfaces/IEmissionController.sol";
import {Stakes, Windows} from "../../src/interfaces/ISlasher.sol";
import {Fixture} from "./Fixture.sol";
import {
    IOwnable2Step,
    IOwnedEmission,
    IOwnedFloor,
    IOwnedNodeGauge,
    IOwnedPodGauge,
    IOwnedRefunds,
    IOwnedRestake,
    IOwnedSlasher,
    IOwnedValidators,
    IStakedHeuToken
} from "./Interfaces.sol";
import {LaunchParameters} from "./SecurityParametersFixture.sol";

/// @notice Every contract that has an owner, beside those of `Fixture`; wired no further than their constructors ask.
abstract contract OwnedFixture is Fixture {
    IStakedHeuToken internal staked;
    IOwnedNodeGauge internal nodeGauge;
    IOwnedPodGauge internal podGauge;
    IOwnedEmission internal emission;
    IOwnedValidators internal validators;
    IOwnedRefunds internal refunds;
    IOwnedSlasher internal slasher;
    IOwnedRestake internal restake;
    IOwnedFloor internal floor;
    address internal buyback;

    IOwnable2Step[] internal owned;

    function setUp() public virtual override {
        super.setUp();
        owned = [IOwnable2Step(address(nodes)), vault, settlement, pods, frontends];
        deployEconomy();
        deployDiscipline();
    }

    function deployEconomy() private {
        staked = IStakedHeuToken(own("StakedHeu", abi.encode(owner, heu, 365 days)));
        nodeGauge = IOwnedNodeGauge(own("NodeGauge", abi.encode(owner, staked, nodes, EPOCH_GENESIS)));
        podGauge = IOwnedPodGauge(own("PodGauge", abi.encode(owner, staked, pods, EPOCH_GENESIS)));
        address reservoir = own("Reservoir", abi.encode(owner, staked));
        EmissionWiring memory wiring = EmissionWiring({
            settlement: address(settlement),
            nodeRegistry: address(nodes),
            nodeGauge: address(nodeGauge),
            voterRewards: deploy("VoterRewards", abi.encode(nodeGauge, podGauge, settlement)),
            reservoir: reservoir
        });
        emission = IOwnedEmission(own("EmissionController", abi.encode(owner, sequencer, wiring)));
        own("FeeVault", abi.encode(owner, staked, 1e18, protocol, EPOCH_GENESIS));
        buyback = own("Buyback", abi.encode(owner, settlement, staked, heu, usd, EPOCH_GENESIS));
        own("VestingWallets", abi.encode(owner, heu));
    }

    function deployDiscipline() private {
        address burn = deploy("HeuBurn", "");
        address manager = deploy("SimulatedRestaking", abi.encode(100));
        validators = IOwnedValidators(own("ValidatorRegistry", abi.encode(owner, 100e18, UNBONDING)));
        refunds = IOwnedRefunds(own("RefundPot", abi.encode(owner, burn)));
        Windows memory windows =
            Windows({commit: 1 hours, vote: 1 hours, reveal: 1 hours, dispute: 1 days, jail: 2 days, cooldown: 3 days});
        Stakes memory stakes = Stakes({accusation: 25e18, duty: 5e18, dispute: 14e18});
        bytes memory arguments = abi.encode(owner, nodes, validators, refunds, burn, windows, stakes, uint8(51));
        slasher = IOwnedSlasher(own("Slasher", arguments));
        restake = IOwnedRestake(own("RestakeAdapter", abi.encode(owner, nodes, manager)));
        floor = IOwnedFloor(own("CollateralFloor", abi.encode(owner, nodes, LaunchParameters.security())));
    }

    function own(string memory name, bytes memory arguments) private returns (address created) {
        created = deploy(name, arguments);
        owned.push(IOwnable2Step(created));
    }
}
