// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Batch} from "../../../src/interfaces/IJobSettlement.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Fixture} from "../../utils/Fixture.sol";
import {IDevUsdToken} from "../../utils/Interfaces.sol";
import {Rows} from "../../utils/Rows.sol";

/// @notice A stablecoin whose issuer can do everything that real ones were seen to do.
contract HostileUsd is ERC20("Hostile USD", "HUSD") {
    uint256 public feeBps;
    bool public returnsFalse;
    mapping(address account => bool) public refused;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function misbehave(uint256 feeBps_, bool returnsFalse_) external {
        (feeBps, returnsFalse) = (feeBps_, returnsFalse_);
    }

    function refuse(address account) external {
        refused[account] = true;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (returnsFalse) return false;
        return super.transfer(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!refused[to], "blacklisted");
        uint256 fee = from == address(0) ? 0 : amount * feeBps / 10_000;
        super._update(from, to, amount - fee);
        if (fee != 0) super._update(from, address(0), fee);
    }
}

/// @notice What the threat model in SECURITY.md says, as tests.
contract WorstCaseTest is Fixture {
    address private thief;
    address private careful;
    address private guardian;

    function setUp() public override {
        super.setUp();
        thief = makeAddr("thief");
        careful = makeAddr("careful");
        guardian = makeAddr("guardian");
        vm.prank(owner);
        settlement.setGuardian(guardian);
        fundHeu(developer, 1000e18);
        vm.prank(developer);
        vault.setSpendingCap(address(heu), 300e18, FAR_FUTURE, 1);
        fundHeu(careful, 500e18);
    }

    /* STOLEN SEQUENCER KEY */

    function test_AThiefTakesAtMostCapsAndBalances() public {
        steal(developer, 300e18);

        Batch memory more = theftOf(developer, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_OverCap.selector, developer, address(heu), 0, 1));
        vm.prank(sequencer);
        settlement.settle(more);
        assertEq(vault.accountOf(developer, address(heu)).balance, 700e18, "what is above the cap is safe");
    }

    function test_AThiefCannotTouchTheRest() public {
        payNode(node, 100e18);
        vm.warp(block.timestamp + 2 * WINDOW);

        Batch memory batch = theftOf(careful, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_CapExpired.selector, careful, address(heu), 0));
        vm.prank(sequencer);
        settlement.settle(batch);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_NothingToClaim.selector, sequencer, address(heu)));
        vm.prank(sequencer);
        settlement.claim(address(heu), thief);
        assertEq(settlement.claimFor(node, address(heu)), 100e18, "earlier earnings are the node's");
    }

    function test_GuardianAndRotationStopAThief() public {
        steal(developer, 100e18);
        assertEq(settlement.claimableOf(thief, address(heu)), 0, "nothing is final before the window");

        vm.prank(guardian);
        settlement.pause();
        Batch memory batch = theftOf(developer, 1e18);
        vm.expectRevert(abi.encodeWithSelector(Errors.GuardedPause_Paused.selector, settlement.pausedUntil()));
        vm.prank(sequencer);
        settlement.settle(batch);

        // While it is paused users leave, and governance names another key.
        vm.prank(developer);
        vault.requestWithdrawal(address(heu), 900e18);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        vm.prank(developer);
        assertEq(vault.executeWithdrawal(address(heu), developer), 900e18, "everything that was not taken");
        vm.startPrank(owner);
        settlement.setSequencer(makeAddr("new sequencer"));
        settlement.unpause();
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_NotSequencer.selector, sequencer));
        vm.prank(sequencer);
        settlement.settle(batch);
    }

    function test_ARevokedCapStopsAThief() public {
        vm.prank(developer);
        vault.revokeSpendingCap(address(heu), 2);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        Batch memory batch = theftOf(developer, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.CreditVault_CapExpired.selector, developer, address(heu), uint64(block.timestamp)
            )
        );
        vm.prank(sequencer);
        settlement.settle(batch);
    }

    /* OPERATOR GONE */

    function test_UsersGetTheirMoneyOutAlone() public {
        payNode(node, 100e18);
        address[2] memory users = [developer, careful];
        uint256[2] memory left = [uint256(900e18), 500e18];
        for (uint256 i; i < 2; ++i) {
            vm.prank(users[i]);
            vault.requestWithdrawal(address(heu), left[i]);
        }
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);

        for (uint256 i; i < 2; ++i) {
            vm.prank(users[i]);
            vault.executeWithdrawal(address(heu), users[i]);
            assertEq(users[i].balance, left[i], "all of it");
        }
    }

    function test_NodesGetTheirMoneyOutAlone() public {
        payNode(node, 100e18);
        vm.warp(block.timestamp + 2 * WINDOW);

        vm.prank(node);
        settlement.claim(address(heu), node);
        assertEq(node.balance, 100e18, "no operator, no batch, no signature was needed");
    }

    /* HOSTILE STABLECOIN */

    function test_AFeeOnTransferBlocksNoBatch() public {
        HostileUsd hostile = hostileWorld();
        hostile.misbehave(100, false);
        settleUsd(50e6);
        vm.warp(block.timestamp + 2 * WINDOW);

        assertEq(settlement.claimFor(node, address(hostile)), 50e6, "the claim is paid");
        assertEq(hostile.balanceOf(node), 49.5e6, "the issuer's fee is the receiver's loss");
        settleUsd(50e6);
    }

    function test_AFeeOnTransferIsRefusedAtDeposit() public {
        HostileUsd hostile = hostileWorld();
        hostile.misbehave(100, false);
        hostile.mint(address(this), 100e6);
        hostile.approve(address(vault), 100e6);

        vm.expectRevert(abi.encodeWithSelector(Errors.CreditVault_ShortDeposit.selector, address(hostile), 100e6, 99e6));
        vault.deposit(address(hostile), 100e6, developer);
    }

    function test_AFalseReturnBlocksNoBatch() public {
        HostileUsd hostile = hostileWorld();
        settleUsd(50e6);
        vm.warp(block.timestamp + 2 * WINDOW);
        hostile.misbehave(0, true);

        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        settlement.claimFor(node, address(hostile));
        settleUsd(50e6);
        hostile.misbehave(0, false);
        assertEq(settlement.claimFor(node, address(hostile)), 50e6, "nothing was lost meanwhile");
    }

    function test_ABlacklistBlocksOnlyTheAccount() public {
        HostileUsd hostile = hostileWorld();
        settleUsd(50e6);
        vm.warp(block.timestamp + 2 * WINDOW);
        hostile.refuse(node);

        vm.expectRevert("blacklisted");
        settlement.claimFor(node, address(hostile));
        settleUsd(50e6);
        vm.prank(node);
        assertEq(settlement.claim(address(hostile), stranger), 50e6, "it may name another receiver");
    }

    /* HELPERS */

    function theftOf(address victim, uint256 amount) private view returns (Batch memory) {
        return nextBatch(
            Rows.list(Rows.debit(victim, Rows.HEU, amount)), Rows.list(Rows.credit(thief, Rows.NODE, Rows.HEU, amount))
        );
    }

    function steal(address victim, uint256 amount) private {
        Batch memory batch = theftOf(victim, amount);
        vm.prank(sequencer);
        settlement.settle(batch);
    }

    function hostileWorld() private returns (HostileUsd hostile) {
        hostile = new HostileUsd();
        usd = IDevUsdToken(address(hostile));
        deployMoney();
        fundUsd(developer, 100e6);
        vm.prank(developer);
        vault.setSpendingCap(address(usd), 100e6, FAR_FUTURE, 1);
    }

    function settleUsd(uint256 amount) private {
        settle(
            Rows.list(Rows.debit(developer, Rows.USD, amount)),
            Rows.list(Rows.credit(node, Rows.NODE, Rows.USD, amount))
        );
    }
}
