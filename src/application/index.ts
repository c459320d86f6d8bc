/** HTTP face and money of the network. */
export { consolePlugin, controlPlugin, upgradePlugin } from './control/plugin.ts'
export { type Authenticate, requireScope } from './gateway/auth.ts'
export {
  createGateway,
  type Gateway,
  type GatewayDependencies,
  type GatewayListenErrorCode,
  type GatewayOptions,
} from './gateway/gateway.ts'
export type { PodCatalog } from './gateway/openai/models.ts'
export { createRouterDirectory } from './gateway/routers/directory.ts'
export { createRouterPool, type RouterPool } from './gateway/routers/pool.ts'
export type { ServerOptions } from './gateway/server.ts'
export { type ApiKeys, createApiKeys } from './payments/api-keys.ts'
export { createPayments } from './payments/payments.ts'
export { leasedInstances, returnEarlierAllowances } from './payments/recovery.ts'
export type * from './payments/types.ts'
