// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ChallengeOutcome, EpochEmission, EpochPhase} from "../../src/interfaces/IEmissionController.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {EmissionHandler} from "./EmissionHandler.sol";

/// @notice Invariants 35 to 42 of `README.md`.
contract EmissionInvariantTest is EconomyFixture {
    EmissionHandler private handler;

    function setUp() public override {
        super.setUp();
        registerNode("hot4", nodeOwner);
        handler = new EmissionHandler(
            EmissionHandler.World({
                emission: emission,
                voterRewards: voterRewards,
                gauge: nodeGauge,
                nodes: nodes,
                stake: stake,
                heu: address(heu),
                settlement: address(settlement),
                heuPriceUsdWad: HEU_PRICE_USD_WAD,
                owner: owner,
                sequencer: sequencer,
                nodeOwner: nodeOwner
            })
        );
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_AllLawsHold() public view {
        uint256 finalBudgets;
        uint256 toReservoir;
        uint256 unclaimed;
        uint256 bonds = bondsLeft();
        for (uint256 i; i < handler.finalCount(); ++i) {
            uint256 epoch = handler.finals(i);
            assertPhase(epoch, EpochPhase.Final, "closed for ever");
            EpochEmission memory state = emission.emissionOf(epoch);
            uint256 nodesPart = state.basePart + state.dynamicPart;
            finalBudgets += budgetOf(epoch);
            toReservoir += state.reservoirPart;
            assertEq(nodesPart + state.reservoirPart, budgetOf(epoch), "35: E + reservoir = 5 % (C2)");
            checkRule(epoch, state);
            (uint256 earned, uint256 open) = rewardsOf(epoch);
            assertEq(earned, nodesPart, "36: nodes' rewards are the parts, to the wei");
            unclaimed += open;
        }
        assertEq(address(emission).balance, EMISSION - finalBudgets + emission.owed(), "37: the vault is solvent");
        assertEq(emission.owed(), unclaimed + bonds, "38: owed is what can be claimed, and bonds");
        assertEq(bonds, handler.bonds() - handler.forfeited(), "39: bonds are kept, returned or forfeited");
        assertEq(reservoir.filled(), toReservoir + handler.forfeited(), "39: the reservoir got the rest");
        checkVoters();
    }

    /// @dev E from R as it was at the opening: a quarter of the budget, and half of R on top up to the whole. A part that
    /// nobody earned is the reservoir's.
    function checkRule(uint256 epoch, EpochEmission memory state) private view {
        uint256 budget = budgetOf(epoch);
        uint256 rateWad = 0.0125e18 + handler.rateWadOf(epoch) / 2;
        if (rateWad > 0.05e18) rateWad = 0.05e18;
        uint256 base = budget / 4;
        uint256 dynamicPart = budget * rateWad / 0.05e18 - base;
        assertEq(state.revenueRateWad, handler.rateWadOf(epoch), "42: R is what it was when the epoch was opened");
        assertEq(state.basePart, state.baseWeight == 0 ? 0 : base, "42: the base part");
        assertEq(state.dynamicPart, state.dynamicWeight == 0 ? 0 : dynamicPart, "42: the dynamic part");
    }

    /// @dev Sum of all rewards, and of those not claimed; each claimed one was paid once and in full.
    function rewardsOf(uint256 epoch) private view returns (uint256 earned, uint256 unclaimed) {
        for (uint256 nodeId = 1; nodeId <= handler.NODES(); ++nodeId) {
            uint256 reward = emission.rewardOf(nodeId, epoch);
            earned += reward;
            bool claimed = emission.isClaimed(nodeId, epoch);
            if (!claimed) unclaimed += reward;
            assertEq(handler.paidOf(epoch, nodeId), claimed ? reward : 0, "40: claims are the reward, once");
        }
    }

    function checkVoters() private view {
        uint256 held = voterRewards.heldOf(address(heu));
        assertEq(address(voterRewards).balance, held, "41: voters' pots are there");
        assertEq(held + handler.voterPaid(), handler.tipped() + handler.gifts(), "41: claims <= funded, nothing lost");
    }

    /// @dev Bonds that can still go somewhere: open challenges', and those to be reclaimed.
    function bondsLeft() private view returns (uint256 sum) {
        for (uint256 i; i < handler.challengeCount(); ++i) {
            (uint256 epoch, uint256 number) = (handler.challenges(i) / 3, handler.challenges(i) % 3);
            if (emission.outcomeOf(epoch, number) == ChallengeOutcome.Rejected) continue;
            for (uint256 voter; voter < handler.VOTERS(); ++voter) {
                sum += emission.bondOf(epoch, number, handler.voters(voter));
            }
        }
    }

    function budgetOf(uint256 epoch) private pure returns (uint256) {
        return EMISSION * (epoch + 1) / 520 - EMISSION * epoch / 520;
    }

    function test_EveryHandlerActionCanHappen() public {
        handler.vote(0, 0, 1e24);
        handler.vote(1, 0, 1e23);
        handler.tip(0, 2000);
        handler.passAMonth();
        handler.earn(1, 1e24, 1e9);
        handler.open(1, 2);
        // Paid after the opening: it counts in later epochs alone.
        handler.earn(1, 5e24, 1e9);
        handler.report(1, 3, 1);
        handler.report(1, 1, 1);
        handler.seal(1);
        handler.challenge(1, 0);
        handler.resolve(1, true);
        handler.reclaim(1, 0, 0);
        handler.report(1, 15, 1);
        handler.seal(1);
        handler.challenge(1, 1);
        handler.resolve(1, false);
        handler.finalise(1, 0);
        handler.finalise(1, 0);
        handler.claim(1, 0);
        handler.claim(1, 0);
        handler.give(0, 1, 1e18);
        for (uint256 i; i < 3; ++i) {
            handler.pass(6 days);
        }
        handler.rollForward(1, 1);
        handler.claimVotes(3, 0, 0);
        handler.leave(1);
        invariant_AllLawsHold();

        string[16] memory actions = [
            "report",
            "repeated",
            "seal",
            "earn",
            "challenge",
            "resolve",
            "reclaim",
            "finalise",
            "open",
            "claim",
            "tip",
            "leave",
            "vote",
            "give",
            "rollForward",
            "claimVotes"
        ];
        for (uint256 i; i < actions.length; ++i) {
            assertGe(handler.count(actions[i]), 1, actions[i]);
        }
        assertGe(handler.count("refused"), 2, "closed or claimed twice");
    }
}
