// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardSource} from "../../src/interfaces/IStakedHeu.sol";
import {IVestingWallet, VestingTerms} from "../../src/interfaces/IVestingWallet.sol";
import {VestingSchedule} from "../../src/libraries/VestingMath.sol";
import {IOwnedVestingWallets} from "../utils/Interfaces.sol";
import {StakeFixture} from "../utils/StakeFixture.sol";

/// @notice Gas of what stakers and beneficiaries pay for, one transaction each. The gauges are recorders that store two
/// words a call, so real gauges differ by what they do beyond that.
contract StakeGasTest is StakeFixture {
    function test_Gas_Stake() public {
        stake(bob, 1000e18);
        reward(RewardSource.Buyback, 100e18);
        record("StakedHeu.reward");
        pass(1 days);
        wrapFor(alice, 10e18);
        vm.startPrank(alice);
        heu.approve(address(staked), type(uint256).max);
        staked.deposit(10e18, alice);
        record("StakedHeu.deposit: first");
        vm.deal(alice, 10e18);
        staked.depositNative{value: 10e18}(alice);
        record("StakedHeu.depositNative");
        staked.delegate(alice);
        record("StakedHeu.delegate");
        staked.transfer(bob, 1e18);
        record("StakedHeu.transfer");
        staked.requestRedeem(5e18, alice, alice);
        record("StakedHeu.requestRedeem: first");
        staked.requestRedeem(5e18, alice, alice);
        record("StakedHeu.requestRedeem");
        pass(EXIT_DELAY);
        staked.redeem(5e18, alice, alice);
        record("StakedHeu.redeem: first");
        staked.withdraw(1e18, alice, alice);
        record("StakedHeu.withdraw");
    }

    function test_Gas_Vesting() public {
        IOwnedVestingWallets wallets = IOwnedVestingWallets(deploy("VestingWallets", abi.encode(owner, heu)));
        VestingSchedule memory schedule =
            VestingSchedule({total: 1000e18, startBps: 1000, cliffSeconds: 90 days, vestSeconds: 720 days});
        vm.deal(owner, 1000e18);
        vm.prank(owner);
        address wallet =
            wallets.create{value: 1000e18}("team", VestingTerms(alice, uint64(block.timestamp), true, schedule));
        record("VestingWallets.create");
        vm.prank(alice);
        IVestingWallet(wallet).delegate(alice);
        record("VestingWallet.delegate");
        pass(180 days);
        IVestingWallet(wallet).release();
        record("VestingWallet.release: first");
        pass(1 days);
        IVestingWallet(wallet).release();
        record("VestingWallet.release");
        vm.prank(alice);
        IVestingWallet(wallet).offerTo(bob);
        record("VestingWallet.offerTo");
        vm.prank(bob);
        IVestingWallet(wallet).accept();
        record("VestingWallet.accept");
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}
