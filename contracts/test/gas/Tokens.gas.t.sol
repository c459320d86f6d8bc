// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Authorizations} from "../utils/Authorizations.sol";
import {StakeFixture} from "../utils/StakeFixture.sol";

/// @notice Gas of wrapped HEU and of what stHEU has from the token standards, one transaction each.
contract TokensGasTest is StakeFixture, Authorizations {
    uint8 private v;
    bytes32 private r;
    bytes32 private s;

    function setUp() public override {
        super.setUp();
        vm.deal(developer, 1000e18);
        wrapFor(developer, 100e18);
        stake(developer, 100e18);
    }

    function test_Gas_Wrapping() public {
        vm.startPrank(developer);
        heu.deposit{value: 1e18}();
        record("WrappedHeu.deposit");
        heu.depositFor{value: 1e18}(alice);
        record("WrappedHeu.depositFor: first");
        heu.withdraw(1e18);
        record("WrappedHeu.withdraw");
        heu.withdrawTo(bob, 1e18);
        record("WrappedHeu.withdrawTo: first");
        heu.delegate(developer);
        record("WrappedHeu.delegate");
        heu.transfer(alice, 1e18);
        record("WrappedHeu.transfer: of an account that votes");
        heu.approve(bob, 10e18);
        record("WrappedHeu.approve");
        vm.stopPrank();
        vm.prank(bob);
        heu.transferFrom(developer, alice, 1e18);
        record("WrappedHeu.transferFrom: of an account that votes");
    }

    function test_Gas_Authorizations() public {
        bytes32 domain = heu.DOMAIN_SEPARATOR();
        Authorization memory a = Authorization(developer, alice, 1e18, 0, FAR_FUTURE, "1");
        sign(transferDigest(domain, a));
        heu.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        record("WrappedHeu.transferWithAuthorization: first");
        a.nonce = "2";
        sign(receiveDigest(domain, a));
        vm.prank(alice);
        heu.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        record("WrappedHeu.receiveWithAuthorization");
        sign(cancelDigest(domain, developer, "3"));
        heu.cancelAuthorization(developer, "3", v, r, s);
        record("WrappedHeu.cancelAuthorization");
        sign(permitDigest(domain, developer, alice, 1e18, 0, FAR_FUTURE));
        heu.permit(developer, alice, 1e18, FAR_FUTURE, v, r, s);
        record("WrappedHeu.permit: first");
        sign(delegationDigest(domain, alice, 1, FAR_FUTURE));
        heu.delegateBySig(alice, 1, FAR_FUTURE, v, r, s);
        record("WrappedHeu.delegateBySig");
    }

    function test_Gas_StakedShares() public {
        vm.startPrank(developer);
        staked.approve(bob, 10e18);
        record("StakedHeu.approve");
        heu.approve(address(staked), 10e18);
        staked.mint(1e18, developer);
        record("StakedHeu.mint");
        staked.setOperator(bob, true);
        record("StakedHeu.setOperator");
        vm.stopPrank();
        vm.prank(bob);
        staked.transferFrom(developer, bob, 1e18);
        record("StakedHeu.transferFrom: first");
        bytes32 domain = domainOf("Staked HEU", address(staked));
        sign(permitDigest(domain, developer, alice, 1e18, 0, FAR_FUTURE));
        staked.permit(developer, alice, 1e18, FAR_FUTURE, v, r, s);
        record("StakedHeu.permit: first");
        sign(delegationDigest(domain, alice, 1, FAR_FUTURE));
        staked.delegateBySig(alice, 1, FAR_FUTURE, v, r, s);
        record("StakedHeu.delegateBySig");
    }

    function sign(bytes32 digest) private {
        (v, r, s) = vm.sign(developerKey, digest);
    }

    function record(string memory name) private {
        vm.snapshotValue("calls", name, vm.lastCallGas().gasTotalUsed);
    }
}
