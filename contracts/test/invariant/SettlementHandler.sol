// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch} from "../../src/interfaces/IJobSettlement.sol";
import {IDevUsdToken, IOwnedSettlement, IOwnedVault, IWrappedHeuToken} from "../utils/Interfaces.sol";
import {Rows} from "../utils/Rows.sol";
import {Test} from "../utils/Test.sol";

/// @notice Plays payers, earners, the sequencer and time. Every call succeeds; ghost sums remember what happened.
contract SettlementHandler is Test {
    uint256 internal constant PAYERS = 3;
    uint256 internal constant EARNERS = 4;
    uint256 internal constant PODS = 2;
    uint64 private constant FAR_FUTURE = 4_000_000_000;

    struct World {
        IWrappedHeuToken heu;
        IDevUsdToken usd;
        IOwnedVault vault;
        IOwnedSettlement settlement;
        address sequencer;
    }

    /// @dev A credit and when it happened, to judge maturity without the contract's buckets.
    struct Credit {
        uint256 amount;
        uint256 at;
    }

    World private world;
    address[PAYERS] public payers;
    address[EARNERS] public earners;
    bytes32[PODS] public podIds;

    /* GHOSTS, by asset number */

    uint256[2] public deposited;
    uint256[2] public paidOut;
    mapping(uint256 asset => mapping(address account => uint256)) public debitedOf;
    mapping(uint256 asset => mapping(address account => uint256)) public creditedOf;
    mapping(uint256 asset => mapping(address account => uint256)) public claimedOf;
    mapping(uint256 asset => mapping(uint256 role => uint256)) public creditedTo;
    mapping(uint256 asset => mapping(address account => Credit[])) private credits;
    mapping(uint256 asset => uint256) public openOf;
    mapping(uint256 asset => uint256) public organicAtMost;
    mapping(uint256 asset => uint256) public paymentsOf;
    uint256 public batches;
    bytes32 public lastHash;
    mapping(string action => uint256) public count;

    constructor(World memory world_) {
        world = world_;
        lastHash = world_.settlement.genesisHash();
        for (uint256 i; i < PAYERS; ++i) {
            payers[i] = makeAddr(string.concat("payer", vm.toString(i)));
        }
        for (uint256 i; i < EARNERS; ++i) {
            earners[i] = makeAddr(string.concat("earner", vm.toString(i)));
        }
        for (uint256 i; i < PODS; ++i) {
            podIds[i] = keccak256(abi.encode("pod", i));
        }
        // An earner may well be a payer.
        earners[0] = payers[0];
    }

    /* PAYERS */

    function depositHeu(uint256 who, uint256 amount) external {
        address payer = payers[who % PAYERS];
        amount = bound(amount, 1e9, 1e24);
        vm.deal(address(this), amount);
        world.vault.depositHeu{value: amount}(payer);
        deposited[Rows.HEU] += amount;
        count["depositHeu"] += 1;
    }

    function depositWrapped(uint256 who, uint256 amount) external {
        address payer = payers[who % PAYERS];
        amount = bound(amount, 1e9, 1e24);
        vm.deal(address(this), amount);
        world.heu.deposit{value: amount}();
        world.heu.approve(address(world.vault), amount);
        world.vault.deposit(address(world.heu), amount, payer);
        deposited[Rows.HEU] += amount;
        count["depositWrapped"] += 1;
    }

    function depositUsd(uint256 who, uint256 amount) external {
        amount = bound(amount, 1, 100_000e6);
        world.usd.mint(address(this), amount);
        world.usd.approve(address(world.vault), amount);
        world.vault.deposit(address(world.usd), amount, payers[who % PAYERS]);
        deposited[Rows.USD] += amount;
        count["depositUsd"] += 1;
    }

    function raiseCap(uint256 who, bool inUsd, uint256 by, uint64 lifeSeconds) external {
        address payer = payers[who % PAYERS];
        address asset = assetOf(inUsd);
        uint256 cap = world.vault.capOf(payer, asset).cumulative + bound(by, 0, 1e24);
        uint64 live = world.vault.accountOf(payer, asset).capExpiresAt;
        uint256 expiresAt = block.timestamp + bound(lifeSeconds, 1, 30 days);
        uint256 nonce = world.vault.capOf(payer, asset).nonce + 1;
        vm.prank(payer);
        world.vault.setSpendingCap(asset, cap, uint64(expiresAt > live ? expiresAt : live), nonce);
        count["raiseCap"] += 1;
    }

    function revokeCap(uint256 who, bool inUsd) external {
        address payer = payers[who % PAYERS];
        address asset = assetOf(inUsd);
        uint256 nonce = world.vault.capOf(payer, asset).nonce + 1;
        vm.prank(payer);
        world.vault.revokeSpendingCap(asset, nonce);
        count["revokeCap"] += 1;
    }

    function requestWithdrawal(uint256 who, bool inUsd, uint256 amount) external {
        address payer = payers[who % PAYERS];
        uint256 balance = world.vault.accountOf(payer, assetOf(inUsd)).balance;
        if (balance == 0) return;
        vm.prank(payer);
        world.vault.requestWithdrawal(assetOf(inUsd), bound(amount, 1, balance));
        count["requestWithdrawal"] += 1;
    }

    function executeWithdrawal(uint256 who, bool inUsd) external {
        address payer = payers[who % PAYERS];
        uint64 executableAt = world.vault.withdrawalOf(payer, assetOf(inUsd)).executableAt;
        if (executableAt == 0 || executableAt > block.timestamp) return;
        vm.prank(payer);
        paidOut[inUsd ? 1 : 0] += world.vault.executeWithdrawal(assetOf(inUsd), payer);
        count["executeWithdrawal"] += 1;
    }

    /* SEQUENCER */

    /// @dev One payer pays, in one asset; up to all five roles earn, with random shares inside the bounds.
    function settleOne(uint256 who, bool inUsd, uint256 amount, uint256 seed) external {
        (uint256 asset, address payer) = (inUsd ? 1 : 0, payers[who % PAYERS]);
        uint256 debitable = world.vault.debitable(payer, assetOf(inUsd));
        amount = bound(amount, 0, debitable < 2 ** 88 ? debitable : 2 ** 88 - 1);
        if (world.vault.accountOf(payer, assetOf(inUsd)).capExpiresAt <= block.timestamp) return;

        uint256[] memory rows = new uint256[](5);
        uint256 rest = amount;
        for (uint256 role = 1; role < 5; ++role) {
            uint256 share = amount * [uint256(0), 800, 500, 200, 500][role] / 10_000;
            share = bound(uint256(keccak256(abi.encode(seed, role))), 0, share);
            rest -= share;
            address account = role == Rows.VOTERS
                ? world.settlement.potOf(podIds[(seed >> role) % PODS])
                : earners[(seed >> role) % EARNERS];
            rows[role] = record(account, role, asset, share);
        }
        rows[0] = record(earners[seed % EARNERS], 0, asset, rest);
        debitedOf[asset][payer] += amount;
        uint256[2] memory open;
        open[asset] = bound(uint256(keccak256(abi.encode(seed, "open"))), 0, amount);
        post(Rows.list(Rows.debit(payer, asset, amount)), Rows.sort(rows), open);
        count["settleOne"] += 1;
    }

    /// @dev Both assets at once, all to one node.
    function settleBoth(uint256 who, uint256 heuAmount, uint256 usdAmount, uint256 seed) external {
        address payer = payers[who % PAYERS];
        if (!isLive(payer, false) || !isLive(payer, true)) return;
        address earner = earners[seed % EARNERS];
        uint256[2] memory amounts = [
            bound(heuAmount, 0, min88(world.vault.debitable(payer, address(world.heu)))),
            bound(usdAmount, 0, min88(world.vault.debitable(payer, address(world.usd))))
        ];
        for (uint256 asset; asset < 2; ++asset) {
            debitedOf[asset][payer] += amounts[asset];
        }
        post(
            Rows.list(Rows.debit(payer, 0, amounts[0]), Rows.debit(payer, 1, amounts[1])),
            Rows.list(record(earner, 0, 0, amounts[0]), record(earner, 0, 1, amounts[1])),
            amounts
        );
        count["settleBoth"] += 1;
    }

    /* EARNERS AND TIME */

    function claim(uint256 who, bool inUsd, bool byItself) external {
        address earner = earners[who % EARNERS];
        address asset = assetOf(inUsd);
        if (world.settlement.claimableOf(earner, asset) == 0) return;
        if (byItself) vm.prank(earner);
        uint256 amount = byItself ? world.settlement.claim(asset, earner) : world.settlement.claimFor(earner, asset);
        claimedOf[inUsd ? 1 : 0][earner] += amount;
        paidOut[inUsd ? 1 : 0] += amount;
        count["claim"] += 1;
    }

    /// @dev This handler is the voters' rewards contract.
    function claimVoters(uint256 which, bool inUsd) external {
        bytes32 podId = podIds[which % PODS];
        address asset = assetOf(inUsd);
        if (world.settlement.claimableVotersOf(podId, asset) == 0) return;
        uint256 amount = world.settlement.claimVoters(podId, asset);
        claimedOf[inUsd ? 1 : 0][world.settlement.potOf(podId)] += amount;
        paidOut[inUsd ? 1 : 0] += amount;
        count["claimVoters"] += 1;
    }

    receive() external payable {}

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 2 hours));
        count["pass"] += 1;
    }

    /* VIEWS */

    /// @dev The most that can be final: all credits older than one window.
    function finalAtMost(uint256 asset, address account, uint256 window) external view returns (uint256 sum) {
        Credit[] storage list = credits[asset][account];
        for (uint256 i; i < list.length; ++i) {
            if (block.timestamp >= list[i].at + window) sum += list[i].amount;
        }
    }

    /* INTERNAL */

    function record(address account, uint256 role, uint256 asset, uint256 amount) private returns (uint256 row) {
        creditedOf[asset][account] += amount;
        creditedTo[asset][role] += amount;
        credits[asset][account].push(Credit({amount: amount, at: block.timestamp}));
        return Rows.credit(account, role, asset, amount);
    }

    function post(uint256[] memory debits, uint256[] memory rows, uint256[2] memory open) private {
        batches += 1;
        bytes32 root = keccak256(abi.encode("root", batches));
        Batch memory batch =
            Batch(uint64(batches), lastHash, root, uint32(batches), uint96(open[0]), uint96(open[1]), debits, rows);
        lastHash = keccak256(bytes.concat(lastHash, root, Rows.contentHash(batch)));
        countOrganic(debits, open);
        vm.prank(world.sequencer);
        world.settlement.settle(batch);
    }

    /// @dev Bounds, worked out without the contract's formula: the protocol's governed share is 5 %.
    function countOrganic(uint256[] memory debits, uint256[2] memory open) private {
        for (uint256 i; i < debits.length; ++i) {
            uint256 asset = (debits[i] >> 88) & 0xf;
            uint256 payment = debits[i] & (2 ** 88 - 1);
            paymentsOf[asset] += payment;
            openOf[asset] += open[asset];
            organicAtMost[asset] += open[asset] + (payment - open[asset]) * 500 / 10_000;
        }
    }

    function isLive(address payer, bool inUsd) private view returns (bool) {
        return world.vault.accountOf(payer, assetOf(inUsd)).capExpiresAt > block.timestamp;
    }

    function min88(uint256 amount) private pure returns (uint256) {
        return amount < 2 ** 88 ? amount : 2 ** 88 - 1;
    }

    function assetOf(bool inUsd) private view returns (address) {
        return inUsd ? address(world.usd) : address(world.heu);
    }
}
