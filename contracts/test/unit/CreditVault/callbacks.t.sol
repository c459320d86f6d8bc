// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {Errors} from "../../../src/libraries/Errors.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IDevUsdToken} from "../../utils/Interfaces.sol";
import {Rows} from "../../utils/Rows.sol";

/// @notice Tells both sides of every move, as ERC-777 did: the sender before it, the receiver after it.
contract TellingUsd is ERC20("Telling USD", "TUSD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from.code.length != 0) try Listener(from).told() {} catch {}
        super._update(from, to, amount);
        if (to.code.length != 0) try Listener(to).told() {} catch {}
    }
}

/// @notice Calls once more, with whatever it was armed with, when a token tells it of a move.
contract Listener {
    address private target;
    bytes private data;
    uint256 public tries;
    bool public succeeded;

    function arm(address target_, bytes calldata data_) external {
        (target, data, tries, succeeded) = (target_, data_, 0, false);
    }

    function told() external {
        if (tries++ != 0) return;
        (succeeded,) = target.call(data);
    }

    function run(address target_, bytes calldata data_) external returns (bool success, bytes memory answer) {
        return target_.call(data_);
    }
}

contract CallbacksTest is Fixture {
    Listener private thief;

    function setUp() public override {
        super.setUp();
        usd = IDevUsdToken(address(new TellingUsd()));
        deployMoney();
        thief = new Listener();
        fundUsd(developer, 100e6);
        capAll(developer);
    }

    function test_RevertWhen_ADepositMakesAnotherOnItsWay() public {
        give(60e6);
        bytes memory deposit = abi.encodeCall(vault.deposit, (address(usd), 20e6, address(thief)));
        thief.arm(address(vault), deposit);
        (bool success, bytes memory reason) = thief.run(address(vault), deposit);

        assertFalse(success, "refused");
        bytes memory short = abi.encodeWithSelector(Errors.CreditVault_ShortDeposit.selector, usd, 20e6, 40e6);
        assertEq(keccak256(reason), keccak256(short), "two came where one was said");
        assertEq(usd.balanceOf(address(vault)), 100e6, "nothing held");
        assertEq(vault.accountOf(address(thief), address(usd)).balance, 0, "nothing recorded");
    }

    function test_RevertWhen_ADepositTakesItselfOutOnItsWay() public {
        give(60e6);
        thief.run(address(vault), abi.encodeCall(vault.deposit, (address(usd), 20e6, address(thief))));
        thief.run(address(vault), abi.encodeCall(vault.requestWithdrawal, (address(usd), 20e6)));
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        thief.arm(address(vault), abi.encodeCall(vault.executeWithdrawal, (address(usd), address(thief))));
        (bool success,) = thief.run(address(vault), abi.encodeCall(vault.deposit, (address(usd), 10e6, address(thief))));

        assertFalse(success, "less came than was said");
        assertEq(usd.balanceOf(address(vault)), 120e6, "held");
        assertEq(vault.accountOf(address(thief), address(usd)).balance, 20e6, "its own alone");
    }

    function test_AWithdrawalIsPaidOnce() public {
        give(20e6);
        thief.run(address(vault), abi.encodeCall(vault.deposit, (address(usd), 20e6, address(thief))));
        thief.run(address(vault), abi.encodeCall(vault.requestWithdrawal, (address(usd), 20e6)));
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        bytes memory again = abi.encodeCall(vault.executeWithdrawal, (address(usd), address(thief)));
        thief.arm(address(vault), again);
        (bool success,) = thief.run(address(vault), again);

        assertTrue(success, "paid");
        expectInVain(20e6);
        assertEq(usd.balanceOf(address(vault)), 100e6, "the others' money");
    }

    function test_AClaimIsPaidOnce() public {
        settle(
            Rows.list(Rows.debit(developer, Rows.USD, 50e6)),
            Rows.list(Rows.credit(address(thief), Rows.NODE, Rows.USD, 50e6))
        );
        vm.warp(block.timestamp + 2 * WINDOW);
        thief.arm(address(settlement), abi.encodeCall(settlement.claimFor, (address(thief), address(usd))));
        (bool success,) =
            thief.run(address(settlement), abi.encodeCall(settlement.claim, (address(usd), address(thief))));

        assertTrue(success, "paid");
        expectInVain(50e6);
        assertEq(usd.balanceOf(address(vault)), 50e6, "the others' money");
    }

    /* HELPERS */

    function give(uint256 amount) private {
        usd.mint(address(thief), amount);
        thief.run(address(usd), abi.encodeCall(usd.approve, (address(vault), type(uint256).max)));
    }

    function expectInVain(uint256 paid) private view {
        assertTrue(thief.tries() != 0, "tried again");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(usd.balanceOf(address(thief)), paid, "once");
    }
}
