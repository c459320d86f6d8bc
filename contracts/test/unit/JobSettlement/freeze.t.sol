// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Verdict} from "../../../src/interfaces/ISlasher.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Rows} from "../../utils/Rows.sol";
import {SlasherFixture} from "../../utils/SlasherFixture.sol";

contract FreezeTest is SlasherFixture {
    function setUp() public override {
        super.setUp();
        fundAndCap(developer, 1000e18, 1000e6);
        earn(nodeOwner, 10e18);
    }

    function test_RevertWhen_ANodeOfTheAccountIsJailed() public {
        accuse(v[0], claim(LOG_E_JAIL));

        assertEq(settlement.claimableOf(nodeOwner, address(heu)), 10e18, "still its own");
        expectFrozen(nodeOwner, 1);
        vm.prank(nodeOwner);
        settlement.claim(address(heu), stranger);
        expectFrozen(nodeOwner, 1);
        settlement.claimFor(nodeOwner, address(heu));
    }

    function test_EverythingIsPaidWhenTheNodeIsFree() public {
        uint256 caseId = accuse(v[0], claim(LOG_E_JAIL));
        earn(nodeOwner, 5e18);
        pass(COMMIT + REVEAL);
        slasher.conclude(caseId);
        assertClosed(caseId, Verdict.Dropped);

        assertEq(settlement.claimFor(nodeOwner, address(heu)), 15e18, "all of it");
    }

    function test_EveryAssetAndRoleWaits() public {
        settle(
            Rows.list(Rows.debit(developer, Rows.USD, 100e6)),
            Rows.list(
                Rows.credit(nodeOwner, Rows.NODE, Rows.USD, 92e6), Rows.credit(nodeOwner, Rows.DEPLOYER, Rows.USD, 8e6)
            )
        );
        pass(2 * WINDOW);
        accuse(v[0], claim(LOG_E_JAIL));

        expectFrozen(nodeOwner, 1);
        settlement.claimFor(nodeOwner, address(usd));
    }

    function test_TheLastJailedNodeFreesTheAccount() public {
        uint256 second = registerNode("second", nodeOwner);
        jail(nodeId, true);
        jail(second, true);
        // Jailed again by a verdict: it counts once.
        jail(second, true);
        expectFrozen(nodeOwner, 2);
        settlement.claimFor(nodeOwner, address(heu));

        jail(second, false);
        jail(second, false);
        expectFrozen(nodeOwner, 1);
        settlement.claimFor(nodeOwner, address(heu));

        jail(nodeId, false);
        assertEq(settlement.claimFor(nodeOwner, address(heu)), 10e18, "free");
    }

    /// @dev The attack that keeps us from freezing payout addresses: a cheap node that names a victim, and is convicted.
    function test_AConvictCannotFreezeAStranger() public {
        assertEq(nodes.getNode(nodeId).payout, payout, "the victim is named");
        earn(payout, 7e18);
        uint256 caseId = bring(2, fault());
        convictUnanswered(caseId);
        assertClosed(caseId, Verdict.Guilty);
        assertTrue(nodes.getNode(nodeId).jailed, "for ever");

        assertEq(settlement.claimFor(payout, address(heu)), 7e18, "the victim is paid");
        vm.prank(nodeOwner);
        nodes.setPayout(nodeId, stranger);
        earn(stranger, 3e18);
        assertEq(settlement.claimFor(stranger, address(heu)), 3e18, "and the next one");
        expectFrozen(nodeOwner, 1);
        settlement.claimFor(nodeOwner, address(heu));
    }

    function test_VotersAreNotFrozen() public {
        vm.prank(owner);
        settlement.setVoterRewards(address(this));
        bytes32 podId = keccak256("pod");
        settle(
            Rows.list(Rows.debit(developer, Rows.USD, 100e6)),
            Rows.sort(
                Rows.list(
                    Rows.credit(nodeOwner, Rows.NODE, Rows.USD, 98e6),
                    Rows.credit(settlement.potOf(podId), Rows.VOTERS, Rows.USD, 2e6)
                )
            )
        );
        pass(2 * WINDOW);
        jail(nodeId, true);

        assertEq(settlement.claimVoters(podId, address(usd)), 2e6, "paid");
    }

    function test_TheFreezeEndsWhenTheNodeLeaves() public {
        jail(nodeId, true);
        vm.prank(nodeOwner);
        nodes.requestExit(nodeId);
        pass(UNBONDING + 30 days);
        expectFrozen(nodeOwner, 1);
        settlement.claimFor(nodeOwner, address(heu));

        vm.prank(nodeOwner);
        nodes.withdraw(nodeId, nodeOwner);
        assertEq(nodes.jailedNodesOf(nodeOwner), 0, "nobody is jailed");
        assertEq(settlement.claimFor(nodeOwner, address(heu)), 10e18, "free");
    }

    /* HELPERS */

    /// @dev Credited in HEU and final.
    function earn(address account, uint256 amount) private {
        payNode(account, amount);
        pass(2 * WINDOW);
    }

    function jail(uint256 which, bool jailed) private {
        vm.prank(address(slasher));
        nodes.setJailed(which, jailed);
    }

    function expectFrozen(address account, uint256 jailed) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.JobSettlement_Frozen.selector, account, jailed));
    }
}
