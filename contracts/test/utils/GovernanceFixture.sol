// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernorParameters, IHeuristGovernor} from "../../src/interfaces/IHeuristGovernor.sol";
import {Test} from "./Test.sol";

interface ITimelock {
    error TimelockUnauthorizedCaller(address caller);
    error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);

    function PROPOSER_ROLE() external view returns (bytes32);
    function EXECUTOR_ROLE() external view returns (bytes32);
    function CANCELLER_ROLE() external view returns (bytes32);
    function DEFAULT_ADMIN_ROLE() external view returns (bytes32);
    function hasRole(bytes32 role, address account) external view returns (bool);
    function grantRole(bytes32 role, address account) external;
    function revokeRole(bytes32 role, address account) external;
    function renounceRole(bytes32 role, address account) external;
    function getMinDelay() external view returns (uint256);
    function updateDelay(uint256 newDelay) external;
    function schedule(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) external;
    function execute(address target, uint256 value, bytes calldata payload, bytes32 predecessor, bytes32 salt)
        external
        payable;
    function scheduleBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) external;
    function executeBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt
    ) external payable;
    function cancel(bytes32 id) external;
    function hashOperation(address target, uint256 value, bytes calldata data, bytes32 predecessor, bytes32 salt)
        external
        pure
        returns (bytes32);
    function isOperation(bytes32 id) external view returns (bool);
    function isOperationDone(bytes32 id) external view returns (bool);
}

interface IGovernorUnderTest is IGovernor, IHeuristGovernor {
    error GovernorPreventLateQuorumVoteExtensionTooLarge(uint256 newVoteExtension, uint256 maxVoteExtension);

    event ProposalExtended(uint256 indexed proposalId, uint64 extendedDeadline);

    function setVotingDelay(uint48 newVotingDelay) external;
    function setVotingPeriod(uint32 newVotingPeriod) external;
    function setProposalThreshold(uint256 newProposalThreshold) external;
    function updateQuorumNumerator(uint256 newQuorumNumerator) external;
    function setLateQuorumVoteExtension(uint48 newVoteExtension) external;
    function lateQuorumVoteExtension() external view returns (uint48);
    function quorumNumerator() external view returns (uint256);
    function quorumDenominator() external view returns (uint256);
    function proposalVotes(uint256 proposalId)
        external
        view
        returns (uint256 against, uint256 inFavour, uint256 abstain);
    function nonces(address account) external view returns (uint256);
    function relay(address target, uint256 value, bytes calldata data) external payable;
    function updateTimelock(address newTimelock) external;
    function timelock() external view returns (address);
}

/// @notice A token with votes by timestamp, minted at will.
contract VotesToken is ERC20, ERC20Permit, ERC20Votes {
    constructor(string memory name) ERC20(name, name) ERC20Permit(name) {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }

    function nonces(address account) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(account);
    }
}

/// @notice Governance as the deployment leaves it: the governor alone moves the timelock. 100 M HEU are wrapped; alice
/// votes with 6 M of it and 4 M stHEU, bob with 2 M.
abstract contract GovernanceFixture is Test {
    uint48 internal constant DELAY = 1 days;
    uint32 internal constant PERIOD = 5 days;
    uint48 internal constant EXTENSION = 1 days;
    uint256 internal constant THRESHOLD = 100_000e18;
    uint256 internal constant FLOOR = 1_000_000e18;
    uint256 internal constant TIMELOCK_DELAY = 2 days;

    VotesToken internal heu;
    VotesToken internal stakedHeu;
    IERC5805 internal power;
    ITimelock internal timelock;
    IGovernorUnderTest internal governor;

    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal stranger = makeAddr("stranger");

    function setUp() public virtual {
        vm.chainId(31_337);
        vm.warp(1_800_000_000);
        heu = new VotesToken("WHEU");
        stakedHeu = new VotesToken("stHEU");
        power = IERC5805(deploy("VotingPower", abi.encode(heu, stakedHeu)));
        timelock = ITimelock(deploy("HeuristTimelock", abi.encode(address(this))));
        governor = IGovernorUnderTest(deploy("HeuristGovernor", abi.encode(power, timelock, parameters())));
        handOver();
        fund();
        vm.warp(block.timestamp + 1);
    }

    function parameters() internal pure returns (GovernorParameters memory) {
        return GovernorParameters({
            votingDelay: DELAY,
            votingPeriod: PERIOD,
            lateQuorumExtension: EXTENSION,
            quorumPercent: 4,
            proposalThreshold: THRESHOLD,
            quorumFloor: FLOOR
        });
    }

    /// @dev What the deployment does last: the delay, the governor's roles, and nothing for the deployer.
    function handOver() internal {
        bytes memory data = abi.encodeCall(ITimelock.updateDelay, (TIMELOCK_DELAY));
        timelock.schedule(address(timelock), 0, data, 0, 0, 0);
        timelock.execute(address(timelock), 0, data, 0, 0);
        bytes32[3] memory roles = [timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE(), timelock.EXECUTOR_ROLE()];
        for (uint256 i = 0; i < 3; i++) {
            timelock.grantRole(roles[i], address(governor));
            timelock.revokeRole(roles[i], address(this));
        }
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));
    }

    function fund() private {
        heu.mint(alice, 6_000_000e18);
        stakedHeu.mint(alice, 4_000_000e18);
        heu.mint(bob, 2_000_000e18);
        heu.mint(makeAddr("silent"), 92_000_000e18);
        vm.startPrank(alice);
        heu.delegate(alice);
        stakedHeu.delegate(alice);
        vm.stopPrank();
        vm.prank(bob);
        heu.delegate(bob);
    }

    /* PROPOSALS */

    struct Proposal {
        address[] targets;
        uint256[] values;
        bytes[] calldatas;
        string description;
        uint256 id;
    }

    function proposalTo(address target, uint256 value, bytes memory data) internal view returns (Proposal memory made) {
        made.targets = new address[](1);
        made.targets[0] = target;
        made.values = new uint256[](1);
        made.values[0] = value;
        made.calldatas = new bytes[](1);
        made.calldatas[0] = data;
        made.description = "a proposal";
        made.id = governor.hashProposal(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
    }

    function propose(Proposal memory made) internal {
        vm.prank(alice);
        governor.propose(made.targets, made.values, made.calldatas, made.description);
    }

    function queue(Proposal memory made) internal {
        governor.queue(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
    }

    function execute(Proposal memory made) internal {
        governor.execute(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
    }

    function vote(address voter, Proposal memory made, uint8 support) internal {
        vm.prank(voter);
        governor.castVote(made.id, support);
    }

    /// @dev Proposed, voted for by alice, and the vote is over.
    function succeed(Proposal memory made) internal {
        propose(made);
        vm.warp(block.timestamp + DELAY + 1);
        vote(alice, made, 1);
        vm.warp(governor.proposalDeadline(made.id) + 1);
    }

    /// @dev From the proposal to its execution.
    function pass(address target, uint256 value, bytes memory data) internal {
        Proposal memory made = proposalTo(target, value, data);
        ready(made);
        execute(made);
    }

    /// @dev As far as the second in which it may be executed.
    function ready(Proposal memory made) internal {
        succeed(made);
        queue(made);
        vm.warp(governor.proposalEta(made.id));
    }
}
