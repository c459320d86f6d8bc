// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Fixture} from "../../utils/Fixture.sol";

contract DevUsdTest is Fixture {
    uint256 private constant MAX_MINT = 100_000e6;

    function testFuzz_RevertWhen_DeployedOnARealChain(uint64 chainId) public {
        vm.assume(chainId != 31_337 && chainId != 1337);
        vm.chainId(chainId);

        vm.expectRevert(abi.encodeWithSelector(Errors.DevUsd_NotADevChain.selector, chainId));
        deploy("DevUsd", "");
    }

    function test_DeploysOnBothDevChains() public {
        vm.chainId(1337);
        deploy("DevUsd", "");
        vm.chainId(31_337);
        deploy("DevUsd", "");
    }

    function testFuzz_AnyoneCanMintABoundedAmount(uint256 amount) public {
        amount = bound(amount, 0, MAX_MINT);
        vm.prank(stranger);
        usd.mint(developer, amount);

        assertEq(usd.balanceOf(developer), amount, "minted");
    }

    function testFuzz_RevertWhen_MintIsTooLarge(uint256 amount) public {
        amount = bound(amount, MAX_MINT + 1, type(uint256).max);

        vm.expectRevert(abi.encodeWithSelector(Errors.DevUsd_MintTooLarge.selector, amount, MAX_MINT));
        usd.mint(developer, amount);
    }

    function test_RevertWhen_MintIsOneTooLarge() public {
        usd.mint(developer, MAX_MINT);
        vm.expectRevert(abi.encodeWithSelector(Errors.DevUsd_MintTooLarge.selector, MAX_MINT + 1, MAX_MINT));
        usd.mint(developer, MAX_MINT + 1);
    }

    function test_RevertWhen_SupplyIsExhausted() public {
        for (uint256 i; i < 10_000; ++i) {
            usd.mint(developer, MAX_MINT);
        }

        vm.expectRevert(abi.encodeWithSelector(Errors.DevUsd_SupplyCapped.selector, 1e15 + 1, 1e15));
        usd.mint(developer, 1);
    }

    function test_HasSixDecimals() public view {
        assertEq(usd.decimals(), 6, "decimals");
        assertEq(usd.name(), "Dev USD", "name");
        assertEq(usd.symbol(), "DUSD", "symbol");
    }
}
