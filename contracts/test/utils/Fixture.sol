// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch} from "../../src/interfaces/IJobSettlement.sol";
import {
    IDevUsdToken,
    IOwnedFrontends,
    IOwnedNodes,
    IOwnedPods,
    IOwnedSettlement,
    IOwnedVault,
    IWrappedHeuToken
} from "./Interfaces.sol";
import {Rows} from "./Rows.sol";
import {Test} from "./Test.sol";

/// @notice All contracts deployed and wired, with named actors; and the shortest ways to fund, cap and settle.
abstract contract Fixture is Test {
    uint256 internal constant HEU_PRICE_USD_WAD = 0.05e18;
    uint32 internal constant WITHDRAWAL_DELAY = 1 hours;
    /// @dev A while before the tests' clock starts.
    uint256 internal constant EPOCH_GENESIS = 1_799_000_000;
    uint32 internal constant WINDOW = 10 minutes;
    uint32 internal constant UNBONDING = 1 days;
    uint128 internal constant MIN_COLLATERAL = 100e18;
    uint64 internal constant FAR_FUTURE = 4_000_000_000;

    IWrappedHeuToken internal heu;
    IDevUsdToken internal usd;
    IOwnedVault internal vault;
    IOwnedSettlement internal settlement;
    IOwnedNodes internal nodes;
    IOwnedPods internal pods;
    IOwnedFrontends internal frontends;

    address internal owner;
    address internal sequencer;
    address internal developer;
    address internal node;
    address internal protocol;
    address internal stranger;
    uint256 internal developerKey;

    function setUp() public virtual {
        vm.chainId(31_337);
        vm.warp(1_800_000_000);
        owner = makeAddr("owner");
        sequencer = makeAddr("sequencer");
        developer = makeAddr("developer");
        developerKey = makeKey("developer");
        node = makeAddr("node");
        protocol = makeAddr("protocol");
        stranger = makeAddr("stranger");

        heu = IWrappedHeuToken(deploy("WrappedHeu", ""));
        usd = IDevUsdToken(deploy("DevUsd", ""));
        nodes = IOwnedNodes(deploy("NodeRegistry", abi.encode(owner, MIN_COLLATERAL, UNBONDING)));
        deployMoney();
        pods = IOwnedPods(deploy("PodRegistry", abi.encode(owner)));
        frontends = IOwnedFrontends(deploy("FrontendRegistry", abi.encode(owner)));
    }

    /* MONEY */

    /// @dev Vault and settlement for the present `heu` and `usd`.
    function deployMoney() internal {
        bytes memory vaultArguments = abi.encode(owner, heu, usd, HEU_PRICE_USD_WAD, WITHDRAWAL_DELAY);
        vault = IOwnedVault(deploy("CreditVault", vaultArguments));
        bytes memory settlementArguments = abi.encode(owner, vault, nodes, sequencer, WINDOW, EPOCH_GENESIS);
        settlement = IOwnedSettlement(deploy("JobSettlement", settlementArguments));
        vm.prank(owner);
        vault.setSettlement(address(settlement));
    }

    function fundHeu(address account, uint256 amount) internal {
        vm.deal(address(this), amount);
        vault.depositHeu{value: amount}(account);
    }

    function fundUsd(address account, uint256 amount) internal {
        usd.mint(address(this), amount);
        usd.approve(address(vault), amount);
        vault.deposit(address(usd), amount, account);
    }

    /// @dev Caps `account` at everything, for ever.
    function capAll(address account) internal {
        vm.startPrank(account);
        vault.setSpendingCap(address(heu), type(uint96).max, FAR_FUTURE, 1);
        vault.setSpendingCap(address(usd), type(uint96).max, FAR_FUTURE, 1);
        vm.stopPrank();
    }

    function fundAndCap(address account, uint256 heuAmount, uint256 usdAmount) internal {
        fundHeu(account, heuAmount);
        fundUsd(account, usdAmount);
        capAll(account);
    }

    /* BATCHES */

    /// @dev The next batch, with one made-up receipt.
    function nextBatch(uint256[] memory debits, uint256[] memory credits) internal view returns (Batch memory) {
        (uint64 number, bytes32 lastHash) = settlement.lastBatch();
        return Batch({
            number: number + 1,
            previousHash: lastHash,
            receiptsRoot: keccak256(abi.encode("receipts", number + 1)),
            jobCount: 1,
            openHeu: 0,
            openUsd: 0,
            debits: debits,
            credits: credits
        });
    }

    function settle(uint256[] memory debits, uint256[] memory credits) internal returns (bytes32 batchHash) {
        Batch memory batch = nextBatch(debits, credits);
        vm.prank(sequencer);
        return settlement.settle(batch);
    }

    /// @dev Settles one payment of the developer in HEU, all of it to `account` as a node.
    function payNode(address account, uint256 amount) internal {
        settle(
            Rows.list(Rows.debit(developer, Rows.HEU, amount)),
            Rows.list(Rows.credit(account, Rows.NODE, Rows.HEU, amount))
        );
    }
}
