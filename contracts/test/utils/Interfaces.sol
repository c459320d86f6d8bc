// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {IAllocationManager} from "../../src/interfaces/external/IAllocationManager.sol";
import {ICollateralFloor} from "../../src/interfaces/ICollateralFloor.sol";
import {ICreditVault} from "../../src/interfaces/ICreditVault.sol";
import {IEmissionController} from "../../src/interfaces/IEmissionController.sol";
import {IErc3009} from "../../src/interfaces/IErc3009.sol";
import {IFrontendRegistry} from "../../src/interfaces/IFrontendRegistry.sol";
import {IGuardedPause} from "../../src/interfaces/IGuardedPause.sol";
import {IJobSettlement} from "../../src/interfaces/IJobSettlement.sol";
import {INodeGauge} from "../../src/interfaces/INodeGauge.sol";
import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {IPodRegistry} from "../../src/interfaces/IPodRegistry.sol";
import {IStakedHeu} from "../../src/interfaces/IStakedHeu.sol";
import {IPodGauge} from "../../src/interfaces/IPodGauge.sol";
import {IVestingWallets} from "../../src/interfaces/IVestingWallet.sol";
import {IRefundPot} from "../../src/interfaces/IRefundPot.sol";
import {IRestakeAdapter} from "../../src/interfaces/IRestakeAdapter.sol";
import {ISlasher} from "../../src/interfaces/ISlasher.sol";
import {IValidatorRegistry} from "../../src/interfaces/IValidatorRegistry.sol";

// Tests speak to contracts through interfaces alone: an imported implementation would be compiled a second time with the
// tests' settings.

interface IOwnable2Step {
    error OwnableUnauthorizedAccount(address account);

    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
}

interface IOwnedVault is ICreditVault, IGuardedPause, IOwnable2Step, IERC5267 {}

interface IOwnedSettlement is IJobSettlement, IGuardedPause, IOwnable2Step, IERC5267 {}

interface IOwnedNodes is INodeRegistry, IOwnable2Step, IERC5267 {}

interface IOwnedFloor is ICollateralFloor, IOwnable2Step {}

interface IOwnedSlasher is ISlasher, IOwnable2Step {}

interface IOwnedValidators is IValidatorRegistry, IOwnable2Step {}

interface IOwnedRefunds is IRefundPot, IOwnable2Step {}

interface IOwnedRestake is IRestakeAdapter, IOwnable2Step {}

/// @notice What `SimulatedRestaking` offers beside the real interface.
interface ISimulatedRestaking is IAllocationManager {
    function allocate(address avs, uint256 shares) external;
    function deallocate(address avs, uint256 shares) external;
    function register(address avs, bytes calldata data) external;
    function deregister(address avs) external;
    function setPaused(bool paused) external;
}

interface IOwnedPods is IPodRegistry, IOwnable2Step {}

interface IOwnedFrontends is IFrontendRegistry, IOwnable2Step {}

interface IOwnedNodeGauge is INodeGauge, IOwnable2Step {}

interface IOwnedPodGauge is IPodGauge, IOwnable2Step {}

interface IOwnedEmission is IEmissionController, IOwnable2Step {}

/// @notice Everything `Erc3009` offers.
interface IAuthorizedToken is IERC20Metadata, IERC20Permit, IERC3009, IERC3009Cancel, IErc3009, IERC5267 {
    error ERC3009InvalidSignature();
    error ERC3009InvalidAuthorizationTime(uint256 validAfter, uint256 validBefore);
    error ERC3009UsedAuthorization(address authorizer, bytes32 nonce);
    error ERC20InvalidReceiver(address receiver);
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
    error ERC2612ExpiredSignature(uint256 deadline);
    error ERC2612InvalidSigner(address signer, address owner);

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;
}

interface IWrappedHeuToken is IAuthorizedToken, IERC5805 {
    function deposit() external payable;
    function depositFor(address account) external payable;
    function withdraw(uint256 amount) external;
    function withdrawTo(address receiver, uint256 amount) external;
}

interface IDevUsdToken is IAuthorizedToken {
    function mint(address to, uint256 amount) external;
}

interface IStakedHeuToken is IStakedHeu, IGuardedPause, IERC20Permit, IERC5805, IOwnable2Step {
    error ERC4626ExceededMaxDeposit(address receiver, uint256 assets, uint256 max);
    error ERC4626ExceededMaxRedeem(address owner, uint256 shares, uint256 max);
    error ERC4626ExceededMaxWithdraw(address owner, uint256 assets, uint256 max);
    error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
    error ERC20InvalidReceiver(address receiver);
    error ERC2612ExpiredSignature(uint256 deadline);
    error ERC2612InvalidSigner(address signer, address owner);
    error ReentrancyGuardReentrantCall();
}

interface IOwnedVestingWallets is IVestingWallets, IOwnable2Step {}
