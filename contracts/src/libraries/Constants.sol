// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Constants
/// @notice Every fixed number of the settlement contracts, with its unit. A governed parameter has its bounds here and
/// its value in the contract that owns it.
library Constants {
    /* SHARES */

    /// @dev One whole in basis points.
    uint256 internal constant BPS = 10_000;

    /// @dev The node's share of a payment never falls below this (basis points, DESIGN §5).
    uint256 internal constant MIN_NODE_BPS = 5000;

    /// @dev Launch shares of the other four roles (basis points); the node holds the rest, 8,000.
    uint16 internal constant DEPLOYER_BPS = 800;
    uint16 internal constant FRONTEND_BPS = 500;
    uint16 internal constant VOTERS_BPS = 200;
    uint16 internal constant PROTOCOL_BPS = 500;

    /// @dev A frontend may ask for at most `maxFeeBps`, which governance may move up to this.
    uint16 internal constant MAX_FRONTEND_FEE_BPS = 1000;

    /// @dev A pod's deployer may take at most `maxDeployerBps`, which governance may move up to this.
    uint16 internal constant MAX_DEPLOYER_SHARE_BPS = 2000;

    /* CREDITS */

    /// @dev 1 USD = 100 credits; 1 credit = 1e9 nano-credits.
    uint256 internal constant NANO_CREDITS_PER_USD = 100e9;

    /// @dev One WAD, the fixed point unit of prices.
    uint256 internal constant WAD = 1e18;

    /// @dev Launch bonus for credits bought with HEU (basis points, wp §3.2) and its bound.
    uint16 internal constant HEU_BONUS_BPS = 2000;
    uint16 internal constant MAX_HEU_BONUS_BPS = 5000;

    /// @dev Bounds of the HEU price (USD per HEU, WAD): 0.0001 USD to 10,000 USD.
    uint256 internal constant MIN_HEU_PRICE_USD_WAD = 1e14;
    uint256 internal constant MAX_HEU_PRICE_USD_WAD = 1e22;

    /* TIME (seconds) */

    uint32 internal constant MIN_WITHDRAWAL_DELAY = 1 minutes;
    uint32 internal constant MAX_WITHDRAWAL_DELAY = 30 days;

    uint32 internal constant MIN_CHALLENGE_WINDOW = 10 seconds;
    uint32 internal constant MAX_CHALLENGE_WINDOW = 14 days;

    uint32 internal constant MIN_UNBONDING_DELAY = 1 minutes;
    uint32 internal constant MAX_UNBONDING_DELAY = 60 days;

    /// @dev A jail holds an exiting node's collateral at most this long after the exit was due, so that a lost jailer
    /// key cannot keep it for ever.
    uint64 internal constant MAX_JAIL_HOLD = 30 days;

    /* GUARDIAN (seconds) */

    /// @dev A pause ends by itself after this: longer than a proposal takes from its start to its execution.
    uint48 internal constant PAUSE_SECONDS = 14 days;

    /// @dev The time between two pauses of one guardian: a hostile one stops a function a third of its term at most.
    uint48 internal constant PAUSE_COOLDOWN = 30 days;

    /// @dev A guardian's power ends by itself after this.
    uint48 internal constant GUARDIAN_TERM = 365 days;

    /* GOVERNANCE (seconds, percent, wei of votes) */

    uint48 internal constant MIN_VOTING_DELAY = 10 seconds;
    uint48 internal constant MAX_VOTING_DELAY = 7 days;
    uint32 internal constant MIN_VOTING_PERIOD = 1 minutes;
    uint32 internal constant MAX_VOTING_PERIOD = 21 days;
    uint256 internal constant MIN_TIMELOCK_DELAY = 10 seconds;
    uint256 internal constant MAX_TIMELOCK_DELAY = 30 days;

    /// @dev A proposal that nobody queued or executed for so long is dead.
    uint48 internal constant PROPOSAL_GRACE = 14 days;

    uint256 internal constant MIN_QUORUM_PERCENT = 1;
    uint256 internal constant MAX_QUORUM_PERCENT = 30;
    uint256 internal constant MIN_QUORUM_FLOOR = 100_000e18;
    uint256 internal constant MAX_QUORUM_FLOOR = 100_000_000e18;
    uint256 internal constant MIN_PROPOSAL_THRESHOLD = 1e18;
    uint256 internal constant MAX_PROPOSAL_THRESHOLD = 5_000_000e18;

    /* RESERVOIR (seconds) */

    uint48 internal constant MIN_GRANT_DURATION = 1 minutes;
    uint48 internal constant MAX_GRANT_DURATION = 4 * 365 days;

    /* COLLATERAL */

    /// @dev Upper bound of the governed minimum collateral (wei of HEU).
    uint128 internal constant MAX_MIN_COLLATERAL = 1_000_000e18;

    /* COLLATERAL FLOOR (wp Appendix A, corrected; see `SecurityModel`) */

    /// @dev Upper bound of every amount of the model (wei of HEU for one task, or for one identity).
    uint96 internal constant MAX_MODEL_WEI = 1_000_000e18;

    /// @dev A cheating node is at most this much faster than an honest one (WAD).
    uint64 internal constant MAX_SPEEDUP_WAD = 15e18;

    /// @dev Patience is below one, or the future would be worth more than everything (WAD).
    uint64 internal constant MAX_DISCOUNT_WAD = 0.9999e18;

    /// @dev Audited requests before the decisive one, and tasks served before the stop.
    uint32 internal constant MAX_AUDITS_TO_DETECT = 1_000_000;
    uint32 internal constant MAX_LATENCY_TASKS = 10_000_000;

    /// @dev The price of HEU may fall by at most this when fraud is public (basis points).
    uint16 internal constant MAX_HAIRCUT_BPS = 9000;

    /* STAKE */

    /// @dev stHEU and wei of HEU that the rate is computed with beyond those of stakers: one HEU that nobody owns.
    uint256 internal constant VIRTUAL_STAKE = 1e18;

    /// @dev Rewards stream while at least this much stHEU exists (18 decimals), so that they reach stakers.
    uint256 internal constant MIN_STREAMING_SUPPLY = 1e18;

    /// @dev Seconds over which a reward reaches the rate.
    uint256 internal constant STREAM_SECONDS = 7 days;

    /// @dev Bounds of the exit delay (seconds); one year at launch (wp §3.4.3).
    uint32 internal constant MIN_EXIT_DELAY = 30 days;
    uint32 internal constant MAX_EXIT_DELAY = 730 days;

    /* VESTING */

    /// @dev Longest time from start to end of an allocation (seconds).
    uint256 internal constant MAX_VESTING_SECONDS = 20 * 365 days;

    /* RESTAKING */

    /// @dev Bounds of the rate (HEU for one ETH, WAD), of what one operator's stake can count (wei of HEU), and of how far
    /// ahead stake must be slashable (blocks; below the restaking protocol's deallocation delay).
    uint128 internal constant MAX_HEU_PER_ETH_WAD = 1e27;
    uint128 internal constant MAX_RESTAKE_CAP = 10_000_000e18;
    uint32 internal constant MAX_RESTAKE_HORIZON = 126_000;

    /* SLASHING (DESIGN §7; logarithms of e-values are natural, times 2^32) */

    /// @dev ln(10^3) and ln(10^6), rounded up: evidence for a jail, and for a slash proposal.
    uint64 internal constant LOG_E_JAIL = 29_668_583_012;
    uint64 internal constant LOG_E_SLASH = 59_337_166_024;

    /// @dev Accusers whose claims must each reach `LOG_E_SLASH`.
    uint256 internal constant MIN_ACCUSERS = 2;

    /// @dev What a guilty verdict costs (basis points of the collateral): first statistical offence of an owner, a later
    /// one, an objective one.
    uint16 internal constant FIRST_OFFENCE_BPS = 1000;
    uint16 internal constant REPEATED_OFFENCE_BPS = 5000;
    uint16 internal constant OBJECTIVE_FAULT_BPS = 10_000;

    /// @dev Parts of a slash (basis points); the rest, 40 %, is burned.
    uint256 internal constant ACCUSERS_BPS = 4000;
    uint256 internal constant REFUNDS_BPS = 2000;

    /// @dev Parts of what unfounded accusers lose (basis points); the rest, 30 %, is burned.
    uint256 internal constant FORFEIT_OWNER_BPS = 5000;
    uint256 internal constant FORFEIT_COMMITTEE_BPS = 2000;

    /// @dev Fewer seats decide nothing.
    uint8 internal constant MIN_SEATS = 3;

    /// @dev Bounds of a committee's size. Up to it everyone sits; above, so many are drawn and two thirds must agree: at 51
    /// and more, a third of any `MAX_VALIDATORS` or fewer has that by chance with a probability below 10^-6 (ADR 0013). More
    /// seats cost more gas than a block should hold.
    uint8 internal constant MIN_COMMITTEE = 51;
    uint8 internal constant MAX_COMMITTEE = 101;

    /// @dev Committees asked for before a case ends in the node's favour.
    uint8 internal constant MAX_ROUNDS = 3;

    /// @dev Blocks between the request for a committee and the block whose hash draws it.
    uint64 internal constant DRAW_DELAY_BLOCKS = 2;

    /// @dev Bounds of the windows (seconds) and stakes (wei of HEU) of a case.
    uint32 internal constant MIN_CASE_WINDOW = 1 minutes;
    uint32 internal constant MAX_CASE_WINDOW = 7 days;
    uint32 internal constant MAX_ACCUSER_COOLDOWN = 30 days;
    uint128 internal constant MAX_CASE_STAKE = 1_000_000e18;

    /* VALIDATORS */

    /// @dev So that a draw over all of them stays affordable.
    uint256 internal constant MAX_VALIDATORS = 256;
    uint128 internal constant MIN_VALIDATOR_BOND = 1e18;
    uint128 internal constant MAX_VALIDATOR_BOND = 10_000_000e18;

    /// @dev Unclaimed refunds of a case are burned this long after its root was set (seconds).
    uint64 internal constant REFUND_PERIOD = 365 days;

    /* FEES (wei of HEU, epochs) */

    /// @dev Upper bound of the base layer's cost per epoch.
    uint96 internal constant MAX_L1_COST_PER_EPOCH = 1_000_000e18;

    /// @dev Costs that fees did not cover are due for at most this many epochs.
    uint256 internal constant MAX_L1_BACKLOG_EPOCHS = 4;

    /* BUYBACK */

    /// @dev Seconds over which the pool's price is averaged.
    uint32 internal constant MIN_TWAP_WINDOW = 5 minutes;
    uint32 internal constant MAX_TWAP_WINDOW = 1 days;

    /// @dev Ticks (0.01 %) and basis points.
    uint16 internal constant MAX_DEVIATION_TICKS = 500;
    uint16 internal constant MAX_SLIPPAGE_BPS = 200;

    /// @dev Uniswap counts fees in hundredths of a basis point.
    uint256 internal constant HUNDREDTHS_PER_BP = 100;

    /// @dev Micro-dollars.
    uint96 internal constant MAX_BUYBACK_USD_PER_EPOCH = 10_000_000e6;

    /* DEV TOKEN */

    /// @dev The only chains `DevUsd` may live on.
    uint256 internal constant DEV_CHAIN_ID = 31_337;
    uint256 internal constant LOCAL_CHAIN_ID = 1337;

    /// @dev Bounds of the open faucet (micro-dollars): per call, and of the whole supply.
    uint256 internal constant MAX_DEV_USD_MINT = 100_000e6;
    uint256 internal constant MAX_DEV_USD_SUPPLY = 1_000_000_000e6;

    /* REGISTRIES */

    /// @dev Longest pod or frontend name (bytes).
    uint256 internal constant MAX_NAME_BYTES = 64;

    /* EMISSION */

    /// @dev Wei of HEU: the supply, and the part of it that emission lets out (wp §3.4.2).
    uint256 internal constant HEU_SUPPLY = 1_000_000_000e18;
    uint256 internal constant EMISSION_SUPPLY = 500_000_000e18;

    /// @dev Ten years of 52 weekly epochs; each lets out 1/520 of the emission supply (ADR 0011).
    uint256 internal constant EMISSION_EPOCHS = 520;
    uint256 internal constant EPOCHS_PER_YEAR = 52;

    /// @dev Yearly rates as shares of the supply (WAD, wp §3.4.4): the most, the baseline, and the slope against R.
    uint256 internal constant MAX_EMISSION_RATE_WAD = 0.05e18;
    uint256 internal constant BASE_EMISSION_RATE_WAD = 0.0125e18;
    uint256 internal constant REVENUE_SLOPE_WAD = 0.5e18;

    /// @dev Epochs over which revenue is averaged.
    uint256 internal constant REVENUE_EPOCHS = 13;

    /// @dev Reports that one epoch may have, the first included.
    uint256 internal constant MAX_EPOCH_REPORTS = 3;

    uint32 internal constant REPORT_WINDOW = 3 days;
    uint32 internal constant MIN_REPORT_WINDOW = 1 hours;
    uint32 internal constant MAX_REPORT_WINDOW = 14 days;

    uint32 internal constant DISPUTE_WINDOW = 1 days;
    uint32 internal constant MIN_DISPUTE_WINDOW = 10 minutes;
    uint32 internal constant MAX_DISPUTE_WINDOW = 14 days;

    /// @dev The owner has this long to answer a challenge.
    uint256 internal constant RESOLVE_WINDOW = 30 days;

    /// @dev Wei of HEU.
    uint128 internal constant CHALLENGE_BOND = 1000e18;
    uint128 internal constant MIN_CHALLENGE_BOND = 1e18;
    uint128 internal constant MAX_CHALLENGE_BOND = 100_000e18;

    /* GAUGES */

    /// @dev Most ids in one ballot: a balance change updates each.
    uint256 internal constant MAX_BALLOT_IDS = 10;

    /// @dev Before each flip; see `IGauge`.
    uint256 internal constant VOTE_LOCK = 1 hours;

    /// @dev Wei of stHEU times basis points: 100,000 stHEU voted in full, and its bound.
    uint256 internal constant QUORUM_WEIGHT = 100_000e18 * BPS;
    uint256 internal constant MAX_QUORUM_WEIGHT = 100_000_000e18 * BPS;

    /// @dev A node's multiplier lies between these (WAD, wp §3.2.2, ADR 0011).
    uint256 internal constant MIN_MULTIPLIER_WAD = 1e18;
    uint256 internal constant MAX_MULTIPLIER_WAD = 2.5e18;

    /// @dev Share of the votes (basis points) that gives the highest multiplier.
    uint16 internal constant SATURATION_BPS = 500;
    uint16 internal constant MIN_SATURATION_BPS = 10;
    uint16 internal constant MAX_SATURATION_BPS = 10_000;

    uint16 internal constant GUARANTEED_REPLICAS = 1;
    uint16 internal constant MAX_GUARANTEED_REPLICAS = 1000;

    /// @dev Basis points.
    uint32 internal constant CEILING_FACTOR_BPS = 20_000;
    uint32 internal constant MIN_CEILING_FACTOR_BPS = 1000;
    uint32 internal constant MAX_CEILING_FACTOR_BPS = 100_000;
}
