// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What one node did in an epoch.
/// @param nodeId Registry id; reports ascend strictly by it, over all chunks of an epoch.
/// @param availabilityBps Basis points of the epoch in which it was ready to serve, at most 10,000.
/// @param capacity Benchmarked speed, in compute units per hour.
/// @param organicComputeUnits Compute units of its organic jobs, by the organic weight of each (DESIGN §6.3).
struct NodeReport {
    uint256 nodeId;
    uint64 availabilityBps;
    uint128 capacity;
    uint128 organicComputeUnits;
}

/// @notice Where an epoch stands.
/// Running: not over. Reporting: the sequencer may report. Disputing: sealed, anyone may challenge. Challenged: waits for
/// the owner. Ready: `finalise` can be called. Final: claims are open.
enum EpochPhase {
    Running,
    Reporting,
    Disputing,
    Challenged,
    Ready,
    Final
}

/// @notice How a challenge ended. Lapsed: the owner never answered.
enum ChallengeOutcome {
    None,
    Upheld,
    Rejected,
    Lapsed
}

/// @notice An epoch's emission.
/// @param revenueRateWad Yearly organic revenue as a share of the supply (R, WAD, rounded down), fixed when opened.
/// @param basePart Wei of HEU for availability x capacity.
/// @param dynamicPart Wei of HEU for organic compute units.
/// @param reservoirPart Wei of HEU for the reservoir: what is left of 5 % a year, and, once final, a part that no node
/// has a claim to.
/// @param baseWeight Sum of the nodes' base weights reported so far.
/// @param dynamicWeight Sum of the nodes' dynamic weights reported so far.
/// @param report Which report counts, from 0; an upheld challenge voids one and makes room for the next.
/// @param opened Whether revenue and parts are fixed.
struct EpochEmission {
    uint256 revenueRateWad;
    uint256 basePart;
    uint256 dynamicPart;
    uint256 reservoirPart;
    uint256 baseWeight;
    uint256 dynamicWeight;
    uint256 report;
    bool opened;
}

/// @notice The contracts that emission reads and pays.
struct EmissionWiring {
    address settlement;
    address nodeRegistry;
    address nodeGauge;
    address voterRewards;
    address reservoir;
}

/// @title IEmissionController
/// @notice Holds the 500,000,000 HEU of emission and lets them out over 520 weekly epochs, to nodes and the reservoir
/// (wp §3.4.4, DESIGN §6.3).
///
/// Each epoch has a budget of 5 % of the supply a year; the 520 budgets add up to 500 M exactly. Of it nodes get
/// E = min(5 %, 1.25 % + 0.5 R), the base part (1.25 %) and the dynamic part, and the reservoir the rest. R is the organic
/// revenue of the 13 epochs that end with this one, times four, as a share of the supply; stablecoin at the vault's price.
/// A part that no node has a claim to (no report, or no weight) goes to the reservoir.
///
/// A node's base weight is availability x capacity x multiplier, its dynamic weight organic units x multiplier; the
/// multiplier is the node gauge's of that epoch, rounded down to a basis point. Rounding: nodes in the order of their ids
/// get `floor(part * sumUpToAndWithIt / total) - floor(part * sumBeforeIt / total)`, so the payments of an epoch add
/// up to its part exactly, without dust, and each is within one wei of the exact share.
///
/// An epoch goes: `report` in chunks and `seal` (sequencer) -> dispute window (`challenge` by anyone, `resolve` by the
/// owner) -> `finalise` (anyone) -> `claim` (anyone, pays the node). Epochs are independent: they can be closed late, in
/// any order, by anybody, with others in between never reported, and the result is the same. Nobody's silence locks an
/// epoch: a report not sealed by its deadline counts as far as it got, one that never began counts as empty, and a challenge
/// that the owner does not answer lapses.
///
/// @dev Invariant: balance >= `owed` (rewards not yet claimed, and bonds) + budgets of the epochs not yet final, when 500 M were
/// put in.
/// @dev Warning: reports are the sequencer's word, checked by anyone against receipts and routing records.
interface IEmissionController {
    /* REPORTS (sequencer only) */

    /// @notice Adds a chunk to the report of an epoch that is over.
    /// @dev A node must be registered, or known from an earlier report. A node that is jailed, has left, or is not covered
    /// by its collateral now has no base weight; one that is leaving still has.
    function report(uint256 epoch, NodeReport[] calldata reports) external;

    /// @notice Ends the report; the dispute window begins.
    function seal(uint256 epoch) external;

    /* DISPUTE */

    /// @notice Challenges a sealed report with `msg.value` = `challengeBond`. Anyone, in the dispute window; others may join
    /// with their own evidence while it is open.
    /// @param evidence Hash of what shows the report false; published off chain.
    function challenge(uint256 epoch, bytes32 evidence) external payable;

    /// @notice Ends an open challenge. Owner only. Upheld: the report is void, bonds go back, and the sequencer may report
    /// again within a new window, `Constants.MAX_EPOCH_REPORTS` times in all. Rejected: the report stands, bonds go to the
    /// reservoir.
    function resolve(uint256 epoch, bool upheld) external;

    /// @notice Gives `challenger` its bond for report number `report` of `epoch` back, when the challenge was upheld or
    /// lapsed. Anyone may call.
    function reclaimBond(uint256 epoch, uint256 report, address challenger) external;

    /* CLOSING (anyone) */

    /// @notice Fixes an ended epoch's revenue and parts. `report`, `seal` and `finalise` do it when nobody did before.
    /// @dev Stablecoin revenue is valued at the vault's price of this moment.
    function open(uint256 epoch) external;

    /// @notice Closes an epoch whose phase is `Ready`: opens claims and pays the reservoir. Once.
    function finalise(uint256 epoch) external;

    /* CLAIMS */

    /// @notice Pays a node's reward of a final epoch to its payout address, less the tip, which goes to the node's voters of
    /// that epoch; without voters there is no tip. Anyone may call, once. A jailed node waits until it is free. A node that
    /// has left is paid at the payout address it had when last reported.
    /// @return amount Wei of HEU paid to the payout address.
    function claim(uint256 nodeId, uint256 epoch) external returns (uint256 amount);

    /// @notice Sets what part of its emission (basis points, rounded down) the node gives to its voters, from the next
    /// epoch. Only the node's owner.
    function setTipBps(uint256 nodeId, uint16 tipBps) external;

    /* PARAMETERS (owner only) */

    function setSequencer(address sequencer) external;

    /// @notice Seconds after the epoch (or an upheld challenge) in which the sequencer may report.
    function setReportWindow(uint32 reportWindowSeconds) external;

    /// @notice Seconds after `seal` in which a report may be challenged.
    function setDisputeWindow(uint32 disputeWindowSeconds) external;

    /// @notice Wei of HEU that a challenger puts up.
    function setChallengeBond(uint128 challengeBond) external;

    /* VIEWS */

    function phaseOf(uint256 epoch) external view returns (EpochPhase);
    function emissionOf(uint256 epoch) external view returns (EpochEmission memory);

    /// @notice Wei of HEU that a node earned in an epoch, tip included; final when the epoch is.
    function rewardOf(uint256 nodeId, uint256 epoch) external view returns (uint256 amount);

    function isClaimed(uint256 nodeId, uint256 epoch) external view returns (bool);

    /// @notice The node's tip (basis points) that counts in `epoch`.
    function tipBpsAt(uint256 nodeId, uint256 epoch) external view returns (uint256 tipBps);

    /// @notice Wei of HEU that `challenger` has put up against report number `report` of `epoch` and not got back.
    function bondOf(uint256 epoch, uint256 report, address challenger) external view returns (uint256 amount);

    function outcomeOf(uint256 epoch, uint256 report) external view returns (ChallengeOutcome);

    /// @notice Organic revenue of the 13 epochs that end with `epoch`, as a share of the supply a year (R, WAD, rounded
    /// down), at the vault's present price.
    function quoteRevenueRateWad(uint256 epoch) external view returns (uint256 rateWad);

    /// @notice Wei of HEU that nodes can claim and challengers have put up.
    function owed() external view returns (uint256 amount);

    function sequencer() external view returns (address);
    function reportWindowSeconds() external view returns (uint32);
    function disputeWindowSeconds() external view returns (uint32);
    function challengeBond() external view returns (uint128);
    function epochGenesis() external view returns (uint256);
}
