// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakedHeuToken, IWrappedHeuToken} from "../utils/Interfaces.sol";
import {StakeFixture} from "../utils/StakeFixture.sol";

/// @notice Signatures made by another implementation (viem) for contracts at fixed places: the contracts must take them.
contract AuthorizationsVectorTest is StakeFixture {
    string private json;
    address private signer;
    address private spender;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("vectors/authorizations.json");
        signer = vm.parseJsonAddress(json, ".signer");
        spender = vm.parseJsonAddress(json, ".WrappedHeuPermit.spender");
        heu = IWrappedHeuToken(placed("WrappedHeu", address(heu)));
        staked = IStakedHeuToken(placed("StakedHeu", address(staked)));
        vm.deal(address(this), 100);
        heu.depositFor{value: 100}(signer);
    }

    function test_PermitsAreTaken() public {
        heu.permit(
            signer,
            spender,
            number(".WrappedHeuPermit.value"),
            4_000_000_000,
            v("WrappedHeuPermit"),
            r("WrappedHeuPermit"),
            s("WrappedHeuPermit")
        );
        assertEq(heu.allowance(signer, spender), 1e18, "wrapped HEU");
        staked.permit(
            signer,
            spender,
            type(uint256).max,
            4_000_000_000,
            v("StakedHeuPermit"),
            r("StakedHeuPermit"),
            s("StakedHeuPermit")
        );
        assertEq(staked.allowance(signer, spender), type(uint256).max, "stHEU");
    }

    function test_AuthorizationsAreTaken() public {
        string memory name = "WrappedHeuTransferWithAuthorization";
        bytes32 nonce = word(name, "nonce");
        heu.transferWithAuthorization(signer, spender, 3, 0, 4_000_000_000, nonce, v(name), r(name), s(name));
        name = "WrappedHeuReceiveWithAuthorization";
        nonce = word(name, "nonce");
        vm.prank(spender);
        heu.receiveWithAuthorization(signer, spender, 4, 0, 4_000_000_000, nonce, v(name), r(name), s(name));
        assertEq(heu.balanceOf(spender), 7, "both arrived");
        name = "WrappedHeuCancelAuthorization";
        heu.cancelAuthorization(signer, word(name, "nonce"), v(name), r(name), s(name));
        assertTrue(heu.authorizationState(signer, word(name, "nonce")), "cancelled");
    }

    /// @dev The contract's code at the place of the vectors; its domain follows its address.
    function placed(string memory name, address deployed) private returns (address place) {
        place = vm.parseJsonAddress(json, string.concat(".places.", name));
        vm.etch(place, deployed.code);
    }

    function number(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, key);
    }

    function word(string memory name, string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(".", name, ".", key));
    }

    function v(string memory name) private view returns (uint8) {
        return uint8(number(string.concat(".", name, ".v")));
    }

    function r(string memory name) private view returns (bytes32) {
        return word(name, "r");
    }

    function s(string memory name) private view returns (bytes32) {
        return word(name, "s");
    }
}
