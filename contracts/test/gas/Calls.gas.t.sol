// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Authorizations} from "../utils/Authorizations.sol";
import {Consents} from "../utils/Consents.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Rows} from "../utils/Rows.sol";

/// @notice Gas of every call that users and operators pay for, one transaction each (base fee and calldata included).
contract CallsGasTest is Fixture, Consents, Authorizations {
    function setUp() public override {
        super.setUp();
        vm.deal(address(this), 1_000_000e18);
        usd.mint(address(this), 100_000e6);
        usd.approve(address(vault), type(uint256).max);
        heu.deposit{value: 1000e18}();
        heu.approve(address(vault), type(uint256).max);
    }

    function test_Gas_Vault() public {
        vault.depositHeu{value: 10e18}(developer);
        record("CreditVault.depositHeu: first");
        vault.depositHeu{value: 10e18}(developer);
        record("CreditVault.depositHeu");
        vault.deposit(address(usd), 10e6, developer);
        record("CreditVault.deposit: stablecoin, first");
        vault.deposit(address(usd), 10e6, developer);
        record("CreditVault.deposit: stablecoin");
        vault.deposit(address(heu), 10e18, developer);
        record("CreditVault.deposit: wrapped HEU");

        vm.prank(developer);
        vault.setSpendingCap(address(heu), 10e18, FAR_FUTURE, 1);
        record("CreditVault.setSpendingCap: first");
        vm.prank(developer);
        vault.setSpendingCap(address(heu), 20e18, FAR_FUTURE, 2);
        record("CreditVault.setSpendingCap: raise");
        vm.prank(developer);
        vault.revokeSpendingCap(address(heu), 3);
        record("CreditVault.revokeSpendingCap");

        vm.prank(developer);
        vault.requestWithdrawal(address(heu), 1e18);
        record("CreditVault.requestWithdrawal");
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        vm.prank(developer);
        vault.executeWithdrawal(address(heu), developer);
        record("CreditVault.executeWithdrawal");
        vm.prank(developer);
        vault.requestWithdrawal(address(heu), 1e18);
        vm.prank(developer);
        vault.cancelWithdrawal(address(heu));
        record("CreditVault.cancelWithdrawal");
    }

    function test_Gas_AuthorizedDeposit() public {
        usd.mint(developer, 10e6);
        Authorization memory a = Authorization(developer, address(vault), 10e6, 0, FAR_FUTURE, "1");
        bytes memory signed = signature(developerKey, receiveDigest(usd.DOMAIN_SEPARATOR(), a));
        vault.depositWithAuthorization(address(usd), developer, 10e6, 0, FAR_FUTURE, "1", signed);
        record("CreditVault.depositWithAuthorization: stablecoin, first");
    }

    function test_Gas_SignedCap() public {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "SpendingCap(address account,address asset,uint256 cumulativeCap,uint64 expiresAt,uint256 nonce)"
                ),
                developer,
                heu,
                uint256(10e18),
                FAR_FUTURE,
                uint256(1)
            )
        );
        bytes memory signed =
            signature(developerKey, typedDigest(domainOf("Heurist CreditVault", address(vault)), structHash));
        vault.setSpendingCapBySig(developer, address(heu), 10e18, FAR_FUTURE, 1, signed);
        record("CreditVault.setSpendingCapBySig: first");
    }

    function test_Gas_Claim() public {
        fundAndCap(developer, 100e18, 100e6);
        payNode(node, 10e18);
        vm.warp(block.timestamp + 2 * WINDOW);
        settlement.claimFor(node, address(heu));
        record("JobSettlement.claimFor: HEU, first");
        settle(
            Rows.list(Rows.debit(developer, Rows.HEU, 1e18), Rows.debit(developer, Rows.USD, 1e6)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.HEU, 1e18), Rows.credit(node, Rows.NODE, Rows.USD, 1e6))
        );
        vm.warp(block.timestamp + 2 * WINDOW);
        vm.prank(node);
        settlement.claim(address(heu), node);
        record("JobSettlement.claim: HEU");
        vm.prank(node);
        settlement.claim(address(usd), node);
        record("JobSettlement.claim: stablecoin");
    }

    function test_Gas_Registries() public {
        vm.prank(developer);
        bytes32 podId = pods.register("chat", keccak256("manifest"), 10e9, 30e9, 800);
        record("PodRegistry.register");
        vm.prank(developer);
        pods.publish(podId, keccak256("second"), 10e9, 30e9, 500);
        record("PodRegistry.publish");
        vm.prank(developer);
        pods.setActive(podId, false);
        record("PodRegistry.setActive");
        bytes32 frontendId = frontends.register("console", 100, developer, bytes32(0));
        record("FrontendRegistry.register");
        frontends.update(frontendId, 200, developer, keccak256("referrals"));
        record("FrontendRegistry.update: first list");
        frontends.transferFrontend(frontendId, developer);
        record("FrontendRegistry.transferFrontend");

        address hotKey = makeAddr("hot");
        bytes memory consent = signConsent(address(nodes), makeKey("hot"), address(this), FAR_FUTURE);
        nodes.register{value: MIN_COLLATERAL}(hotKey, developer, FAR_FUTURE, consent);
        record("NodeRegistry.register");
        nodes.addCollateral{value: 1e18}(1);
        record("NodeRegistry.addCollateral");
        address newKey = makeAddr("new");
        consent = signConsent(address(nodes), makeKey("new"), address(this), FAR_FUTURE);
        nodes.rotateHotKey(1, newKey, FAR_FUTURE, consent);
        record("NodeRegistry.rotateHotKey");
        nodes.setPayout(1, node);
        record("NodeRegistry.setPayout");
        nodes.requestUnbond(1, 1e18);
        nodes.cancelUnbond(1);
        record("NodeRegistry.cancelUnbond");
        nodes.requestExit(1);
        record("NodeRegistry.requestExit");
        vm.warp(block.timestamp + UNBONDING);
        nodes.withdraw(1, node);
        record("NodeRegistry.withdraw");
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}
