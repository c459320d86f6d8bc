// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGauge} from "../../src/interfaces/IGauge.sol";
import {IOwnedNodeGauge} from "../utils/Interfaces.sol";
import {IStakedHeuToken} from "../utils/Interfaces.sol";
import {Test} from "../utils/Test.sol";

/// @notice Plays stakers who try to count twice: they vote, move stHEU, leave, delegate, vote again, at every second of the
/// week and most of all around the flip. Refused calls are made too, and must be refused.
contract GaugesHandler is Test {
    uint256 public constant VOTERS = 3;
    uint256 public constant IDS = 3;
    uint256 private constant WEEK = 7 days;

    IOwnedNodeGauge private gauge;
    IStakedHeuToken private stake;
    uint256 private genesis;
    address[VOTERS] public voters;

    /* GHOSTS */

    /// @dev What each voter held, and what each id weighed, at the second an epoch began.
    mapping(uint256 epoch => mapping(address voter => uint256)) public heldAt;
    mapping(uint256 epoch => mapping(uint256 id => uint256)) public weighedAt;
    mapping(uint256 epoch => mapping(address voter => mapping(uint256 id => uint256))) public bpsAt;

    /// @dev Received in the last hour and not counted since.
    mapping(uint256 epoch => mapping(address voter => bool)) public waitedAt;
    mapping(address voter => bool) private waits;
    mapping(address voter => mapping(uint256 id => uint256)) private bps;
    uint256 public firstEpoch;
    mapping(string action => uint256) public count;

    constructor(IOwnedNodeGauge gauge_, IStakedHeuToken stake_) {
        (gauge, stake) = (gauge_, stake_);
        genesis = gauge_.epochGenesis();
        firstEpoch = epochNow() + 1;
        for (uint256 i; i < VOTERS; ++i) {
            voters[i] = makeAddr(string.concat("voter", vm.toString(i)));
        }
    }

    /* STAKERS */

    function enter(uint256 who, uint256 amount) external {
        address voter = voters[who % VOTERS];
        amount = bound(amount, 1e9, 1e26);
        vm.deal(voter, amount);
        vm.prank(voter);
        stake.depositNative{value: amount}(voter);
        noteReceived(voter);
        count["enter"] += 1;
    }

    function move(uint256 from, uint256 to, uint256 amount) external {
        (address sender, address receiver) = (voters[from % VOTERS], voters[to % VOTERS]);
        amount = bound(amount, 0, stake.balanceOf(sender));
        if (amount == 0) return;
        vm.prank(sender);
        assertTrue(stake.transfer(receiver, amount), "moved");
        if (sender != receiver) {
            noteSent(sender);
            noteReceived(receiver);
        }
        count["move"] += 1;
    }

    function leave(uint256 who, uint256 amount) external {
        address voter = voters[who % VOTERS];
        amount = bound(amount, 0, stake.balanceOf(voter));
        if (stake.convertToAssets(amount) == 0) return;
        vm.prank(voter);
        stake.requestRedeem(amount, voter, voter);
        noteSent(voter);
        count["leave"] += 1;
    }

    function delegate(uint256 from, uint256 to) external {
        vm.prank(voters[from % VOTERS]);
        stake.delegate(voters[to % VOTERS]);
        count["delegate"] += 1;
    }

    /* VOTES */

    function vote(uint256 who, uint256 mask, uint256 seed) external {
        address voter = voters[who % VOTERS];
        (bytes32[] memory ids, uint16[] memory weights) = ballot(mask % 2 ** IDS, seed);
        if (isLocked()) return refused(voter, abi.encodeCall(IGauge.vote, (ids, weights)));
        vm.prank(voter);
        gauge.vote(ids, weights);

        for (uint256 id = 1; id <= IDS; ++id) {
            bps[voter][id] = 0;
        }
        for (uint256 i; i < ids.length; ++i) {
            bps[voter][uint256(ids[i])] = weights[i];
        }
        waits[voter] = false;
        count["vote"] += 1;
    }

    function voteBadly(uint256 who, uint256 seed) external {
        bytes32[] memory ids = new bytes32[](2);
        uint16[] memory weights = new uint16[](2);
        (ids[0], ids[1]) = (bytes32(1 + seed % IDS), bytes32(1 + seed % IDS));
        (weights[0], weights[1]) = (1, 1);
        if (seed % 3 == 0) ids[1] = bytes32(IDS + 1 + seed % 7);
        if (seed % 3 == 1) {
            (ids[0], ids[1], weights[0], weights[1]) = (bytes32(uint256(1)), bytes32(uint256(2)), 9999, 2);
        }
        refused(voters[who % VOTERS], abi.encodeCall(IGauge.vote, (ids, weights)));
    }

    function lieAboutABalance(uint256 who, uint256 amount) external {
        refused(voters[who % VOTERS], abi.encodeCall(gauge.onBalanceChanged, (voters[who % VOTERS], amount)));
    }

    function poke(uint256 who) external {
        address voter = voters[who % VOTERS];
        if (isLocked()) return refused(voter, abi.encodeCall(IGauge.poke, (voter)));
        gauge.poke(voter);
        waits[voter] = false;
        count["poke"] += 1;
    }

    /* TIME */

    /// @dev Anywhere in the next nine days.
    function pass(uint256 seconds_) external {
        passTo(block.timestamp + bound(seconds_, 1, 9 days));
    }

    /// @dev To the seconds around a flip: the last before the lock, its first, the last before the flip, the flip.
    function passToTheFlip(uint256 which) external {
        uint256 flip = genesis + (epochNow() + 1) * WEEK;
        uint256 target = [flip - 1 hours - 1, flip - 1 hours, flip - 1, flip][which % 4];
        if (target > block.timestamp) passTo(target);
    }

    function passTo(uint256 timestamp) private {
        uint256 before = epochNow();
        vm.warp(timestamp);
        for (uint256 epoch = before + 1; epoch <= epochNow(); ++epoch) {
            freeze(epoch);
        }
        count["pass"] += 1;
    }

    function freeze(uint256 epoch) private {
        for (uint256 i; i < VOTERS; ++i) {
            address voter = voters[i];
            heldAt[epoch][voter] = stake.balanceOf(voter);
            waitedAt[epoch][voter] = waits[voter];
            for (uint256 id = 1; id <= IDS; ++id) {
                bpsAt[epoch][voter][id] = bps[voter][id];
            }
        }
        for (uint256 id = 1; id <= IDS; ++id) {
            weighedAt[epoch][id] = gauge.weightAt(bytes32(id), epoch);
        }
    }

    /* VIEWS */

    function epochNow() public view returns (uint256) {
        return (block.timestamp - gauge.epochGenesis()) / WEEK;
    }

    /* INTERNAL */

    function isLocked() private view returns (bool) {
        return block.timestamp + 1 hours >= genesis + (epochNow() + 1) * WEEK;
    }

    function noteReceived(address voter) private {
        if (isLocked()) waits[voter] = true;
        else waits[voter] = false;
    }

    /// @dev A balance change outside the last hour counts all there is.
    function noteSent(address voter) private {
        if (!isLocked()) waits[voter] = false;
    }

    /// @dev The ids of the bits of `mask`, with random weights that add up to 10,000 at most.
    function ballot(uint256 mask, uint256 seed) private pure returns (bytes32[] memory ids, uint16[] memory weights) {
        uint256 size;
        for (uint256 id; id < IDS; ++id) {
            if (mask >> id & 1 == 1) size += 1;
        }
        (ids, weights) = (new bytes32[](size), new uint16[](size));
        uint256 rest = 10_000;
        uint256 next;
        for (uint256 id; id < IDS; ++id) {
            if (mask >> id & 1 == 0) continue;
            uint256 weight = bound(uint256(keccak256(abi.encode(seed, id))), 1, rest - (size - next - 1));
            rest -= weight;
            (ids[next], weights[next]) = (bytes32(id + 1), uint16(weight));
            next += 1;
        }
    }

    function refused(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool success,) = address(gauge).call(data);
        require(!success, "GaugesHandler: it must be refused");
        count["refused"] += 1;
    }
}
