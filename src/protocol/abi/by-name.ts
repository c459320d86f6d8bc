// Generated from contracts/src by `npm run gen`. Do not edit.
import { buybackAbi } from './buyback.ts'
import { collateralFloorAbi } from './collateral-floor.ts'
import { compounderAbi } from './compounder.ts'
import { creditVaultAbi } from './credit-vault.ts'
import { devUsdAbi } from './dev-usd.ts'
import { emissionControllerAbi } from './emission-controller.ts'
import { feeVaultAbi } from './fee-vault.ts'
import { frontendRegistryAbi } from './frontend-registry.ts'
import { heuBurnAbi } from './heu-burn.ts'
import { heuristGovernorAbi } from './heurist-governor.ts'
import { heuristTimelockAbi } from './heurist-timelock.ts'
import { jobSettlementAbi } from './job-settlement.ts'
import { nodeGaugeAbi } from './node-gauge.ts'
import { nodeRegistryAbi } from './node-registry.ts'
import { podGaugeAbi } from './pod-gauge.ts'
import { podRegistryAbi } from './pod-registry.ts'
import { refundPotAbi } from './refund-pot.ts'
import { reservoirAbi } from './reservoir.ts'
import { restakeAdapterAbi } from './restake-adapter.ts'
import { simulatedRestakingAbi } from './simulated-restaking.ts'
import { slasherAbi } from './slasher.ts'
import { stakedHeuAbi } from './staked-heu.ts'
import { validatorRegistryAbi } from './validator-registry.ts'
import { vestingWalletAbi } from './vesting-wallet.ts'
import { vestingWalletsAbi } from './vesting-wallets.ts'
import { voterRewardsAbi } from './voter-rewards.ts'
import { votingPowerAbi } from './voting-power.ts'
import { wrappedHeuAbi } from './wrapped-heu.ts'

/** ABI by contract name. */
export const contractAbis = {
  WrappedHeu: wrappedHeuAbi,
  DevUsd: devUsdAbi,
  StakedHeu: stakedHeuAbi,
  VestingWallets: vestingWalletsAbi,
  VestingWallet: vestingWalletAbi,
  NodeRegistry: nodeRegistryAbi,
  PodRegistry: podRegistryAbi,
  CollateralFloor: collateralFloorAbi,
  ValidatorRegistry: validatorRegistryAbi,
  Slasher: slasherAbi,
  RefundPot: refundPotAbi,
  HeuBurn: heuBurnAbi,
  RestakeAdapter: restakeAdapterAbi,
  SimulatedRestaking: simulatedRestakingAbi,
  Compounder: compounderAbi,
  FrontendRegistry: frontendRegistryAbi,
  CreditVault: creditVaultAbi,
  JobSettlement: jobSettlementAbi,
  NodeGauge: nodeGaugeAbi,
  PodGauge: podGaugeAbi,
  VoterRewards: voterRewardsAbi,
  EmissionController: emissionControllerAbi,
  Reservoir: reservoirAbi,
  FeeVault: feeVaultAbi,
  Buyback: buybackAbi,
  VotingPower: votingPowerAbi,
  HeuristTimelock: heuristTimelockAbi,
  HeuristGovernor: heuristGovernorAbi,
} as const
