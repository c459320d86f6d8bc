// Generated from contracts/src by `npm run gen`. Do not edit.
import { buybackAbi } from './buyback.ts'
import { collateralFloorAbi } from './collateral-floor.ts'
import { creditVaultAbi } from './credit-vault.ts'
import { devUsdAbi } from './dev-usd.ts'
import { feeVaultAbi } from './fee-vault.ts'
import { frontendRegistryAbi } from './frontend-registry.ts'
import { heuristGovernorAbi } from './heurist-governor.ts'
import { heuristTimelockAbi } from './heurist-timelock.ts'
import { jobSettlementAbi } from './job-settlement.ts'
import { nodeRegistryAbi } from './node-registry.ts'
import { podRegistryAbi } from './pod-registry.ts'
import { stakedHeuAbi } from './staked-heu.ts'
import { votingPowerAbi } from './voting-power.ts'
import { wrappedHeuAbi } from './wrapped-heu.ts'

/** ABI by contract name. */
export const contractAbis = {
  WrappedHeu: wrappedHeuAbi,
  DevUsd: devUsdAbi,
  StakedHeu: stakedHeuAbi,
  NodeRegistry: nodeRegistryAbi,
  PodRegistry: podRegistryAbi,
  CollateralFloor: collateralFloorAbi,
  FrontendRegistry: frontendRegistryAbi,
  CreditVault: creditVaultAbi,
  JobSettlement: jobSettlementAbi,
  FeeVault: feeVaultAbi,
  Buyback: buybackAbi,
  VotingPower: votingPowerAbi,
  HeuristTimelock: heuristTimelockAbi,
  HeuristGovernor: heuristGovernorAbi,
} as const
