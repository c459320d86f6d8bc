// Generated from contracts/src by `npm run gen`. Do not edit.
export { contractErrorsAbi } from './errors.ts'
export { creditVaultAbi } from './credit-vault.ts'
export { devUsdAbi } from './dev-usd.ts'
export { frontendRegistryAbi } from './frontend-registry.ts'
export { jobSettlementAbi } from './job-settlement.ts'
export { nodeRegistryAbi } from './node-registry.ts'
export { podRegistryAbi } from './pod-registry.ts'
export { wrappedHeuAbi } from './wrapped-heu.ts'
