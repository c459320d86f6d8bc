// Generated from contracts/src by `npm run gen`. Do not edit.
import { creditVaultAbi } from './credit-vault.ts'
import { devUsdAbi } from './dev-usd.ts'
import { frontendRegistryAbi } from './frontend-registry.ts'
import { jobSettlementAbi } from './job-settlement.ts'
import { nodeRegistryAbi } from './node-registry.ts'
import { podRegistryAbi } from './pod-registry.ts'
import { wrappedHeuAbi } from './wrapped-heu.ts'

/** ABI by contract name. */
export const contractAbis = {
  WrappedHeu: wrappedHeuAbi,
  DevUsd: devUsdAbi,
  NodeRegistry: nodeRegistryAbi,
  PodRegistry: podRegistryAbi,
  FrontendRegistry: frontendRegistryAbi,
  CreditVault: creditVaultAbi,
  JobSettlement: jobSettlementAbi,
} as const
