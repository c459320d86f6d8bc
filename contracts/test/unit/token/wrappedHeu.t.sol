// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../../src/libraries/Errors.sol";
import {Events} from "../../../src/libraries/Events.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IAuthorizedToken} from "../../utils/Interfaces.sol";
import {Reentrant, RevertingReceiver} from "../../utils/Receivers.sol";

contract WrappedHeuTest is Fixture {
    function testFuzz_WrapsOneToOne(uint128 amount) public {
        vm.deal(developer, amount);

        vm.expectEmit();
        emit Events.Wrapped(developer, amount);
        vm.prank(developer);
        heu.deposit{value: amount}();

        assertEq(heu.balanceOf(developer), amount, "tokens");
        assertEq(heu.totalSupply(), amount, "supply");
        assertEq(address(heu).balance, amount, "held");
    }

    function test_WrapsPlainTransfers() public {
        vm.deal(developer, 3e18);
        vm.prank(developer);
        (bool success,) = address(heu).call{value: 3e18}("");

        assertTrue(success, "accepted");
        assertEq(heu.balanceOf(developer), 3e18, "tokens");
    }

    function test_WrapsForAnotherAccount() public {
        vm.deal(developer, 3e18);
        vm.prank(developer);
        heu.depositFor{value: 3e18}(stranger);

        assertEq(heu.balanceOf(stranger), 3e18, "tokens");
        assertEq(heu.balanceOf(developer), 0, "not the payer's");
    }

    function testFuzz_UnwrapsOneToOne(uint128 wrapped, uint128 unwrapped) public {
        wrap(developer, wrapped);
        uint256 amount = bound(unwrapped, 0, wrapped);

        vm.expectEmit();
        emit Events.Unwrapped(developer, developer, amount);
        vm.prank(developer);
        heu.withdraw(amount);

        assertEq(developer.balance, amount, "coins");
        assertEq(heu.totalSupply(), wrapped - amount, "supply");
        assertEq(address(heu).balance, wrapped - amount, "held");
    }

    function testFuzz_UnwrapsToAnyAccount(uint128 wrapped, uint128 unwrapped, uint256 key) public {
        address to = vm.addr(bound(key, 1, 1 << 250));
        vm.assume(to != developer);
        wrap(developer, wrapped);
        uint256 amount = bound(unwrapped, 0, wrapped);
        vm.prank(developer);
        heu.withdrawTo(to, amount);

        assertEq(to.balance, amount, "coins");
        assertEq(heu.balanceOf(developer), wrapped - amount, "out of the caller's");
        assertEq(address(heu).balance, heu.totalSupply(), "held");
    }

    function test_UnwrapsToAnotherAccount() public {
        wrap(developer, 3e18);
        vm.prank(developer);
        heu.withdrawTo(stranger, 2e18);

        assertEq(stranger.balance, 2e18, "coins");
        assertEq(heu.balanceOf(developer), 1e18, "rest");
    }

    function test_RevertWhen_UnwrappingMoreThanTheBalance() public {
        wrap(developer, 1e18);
        wrap(stranger, 1e18);

        vm.expectRevert(
            abi.encodeWithSelector(IAuthorizedToken.ERC20InsufficientBalance.selector, developer, 1e18, 1e18 + 1)
        );
        vm.prank(developer);
        heu.withdraw(1e18 + 1);
    }

    function test_RevertWhen_ReceiverRefuses() public {
        address receiver = address(new RevertingReceiver());
        wrap(developer, 1e18);

        vm.expectRevert(abi.encodeWithSelector(Errors.Shared_NativeTransferFailed.selector, receiver));
        vm.prank(developer);
        heu.withdrawTo(receiver, 1e18);
        assertEq(heu.balanceOf(developer), 1e18, "nothing lost");
    }

    function test_ReentryFindsNothing() public {
        Reentrant thief = new Reentrant();
        wrap(address(thief), 1e18);
        wrap(developer, 10e18);
        bytes memory again = abi.encodeCall(heu.withdraw, (1e18));
        thief.arm(address(heu), again);

        assertTrue(thief.run(address(heu), again), "first call");
        assertFalse(thief.succeeded(), "in vain");
        assertEq(address(thief).balance, 1e18, "only its own");
    }

    function test_NamesItself() public view {
        assertEq(heu.name(), "Wrapped HEU", "name");
        assertEq(heu.symbol(), "WHEU", "symbol");
        assertEq(heu.decimals(), 18, "decimals");
    }

    function test_VotesFollowTheBalanceByTimestamp() public {
        wrap(developer, 10e18);
        vm.prank(developer);
        heu.delegate(stranger);
        uint256 before = block.timestamp;
        vm.warp(before + 5);
        vm.prank(developer);
        heu.withdraw(4e18);

        assertEq(heu.getVotes(stranger), 6e18, "native HEU has no votes");
        assertEq(heu.getPastVotes(stranger, before), 10e18, "then");
        assertEq(heu.getPastTotalSupply(before), 10e18, "supply then");
        assertEq(heu.clock(), before + 5, "unix seconds");
        assertEq(heu.CLOCK_MODE(), "mode=timestamp", "mode");
    }

    /// @dev The constants are those printed in the standards; `Erc3009Test` signs with these type strings.
    function test_HasTheDomainAndTypesOfTheStandards() public view {
        assertEq(heu.DOMAIN_SEPARATOR(), domainOf("Wrapped HEU", address(heu)), "domain");
        // The type hashes printed in EIP-3009 and EIP-2612.
        assertEq(
            keccak256(
                "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            ),
            0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267,
            "transfer"
        );
        assertEq(
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
            0x6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9,
            "permit"
        );
    }

    function wrap(address account, uint256 amount) private {
        vm.deal(address(this), amount);
        heu.depositFor{value: amount}(account);
    }
}
