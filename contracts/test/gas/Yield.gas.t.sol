// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICompounder} from "../../src/interfaces/ICompounder.sol";
import {IFeeVault} from "../../src/interfaces/IFeeVault.sol";
import {RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {BuybackFixture} from "../utils/BuybackFixture.sol";
import {Consents} from "../utils/Consents.sol";
import {Rows} from "../utils/Rows.sol";

/// @notice Gas of the calls that anyone may make to bring money to stakers and nodes, one transaction each.
contract YieldGasTest is BuybackFixture, Consents {
    function usdFirst() internal pure override returns (bool) {
        return true;
    }

    function test_Gas_Buyback() public {
        earn(Rows.HEU, 50e18);
        buyback.collect(address(heu));
        record("Buyback.collect: HEU, first");
        fundUsd(developer, 100e6);
        settle(
            Rows.list(Rows.debit(developer, Rows.USD, 100e6)),
            Rows.sort(
                Rows.list(
                    Rows.credit(node, Rows.NODE, Rows.USD, 95e6),
                    Rows.credit(address(buyback), Rows.PROTOCOL, Rows.USD, 5e6)
                )
            )
        );
        vm.warp(block.timestamp + 2 * WINDOW);
        buyback.collect(address(usd));
        record("Buyback.collect: stablecoin, first");
        buyback.buy();
        record("Buyback.buy: first of an epoch");
    }

    function test_Gas_Fees() public {
        address receiver = makeAddr("l1 receiver");
        IFeeVault fees =
            IFeeVault(deploy("FeeVault", abi.encode(owner, staked, uint96(10e18), receiver, EPOCH_GENESIS)));
        vm.prank(owner);
        staked.setRewardSource(RewardSource.SequencerFees, address(fees));
        vm.deal(address(fees), 25e18);
        fees.sweep();
        record("FeeVault.sweep: first");
        fees.payL1Cost();
        record("FeeVault.payL1Cost: first");
    }

    function test_Gas_Compounder() public {
        ICompounder compounder = ICompounder(deploy("Compounder", abi.encode(nodes, settlement, staked, heu, usd)));
        bytes memory consent = signConsent(address(nodes), makeKey("hot"), alice, FAR_FUTURE);
        vm.deal(alice, MIN_COLLATERAL);
        vm.prank(alice);
        uint256 nodeId = nodes.register{value: MIN_COLLATERAL}(makeAddr("hot"), alice, FAR_FUTURE, consent);
        vm.prank(alice);
        address account = compounder.setPlan(nodeId, 3000, 2000, bob);
        record("Compounder.setPlan: first");
        vm.prank(alice);
        compounder.setPlan(nodeId, 2000, 3000, bob);
        record("Compounder.setPlan");
        vm.deal(account, 10e18);
        compounder.compound(nodeId);
        record("Compounder.compound: first");
        vm.deal(account, 10e18);
        compounder.compound(nodeId);
        record("Compounder.compound");
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}
