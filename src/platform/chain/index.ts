/** The chain's drivers and what people do on it. Layers use the port from `#platform`; only `bin` imports this. */
export * from './actions.ts'
export { callFromText } from './call-text.ts'
export * from './deploy/index.ts'
export {
  DEV_CHAIN_ID,
  type DevChain,
  type DevChainDependencies,
  type DevChainOptions,
  GENESIS_SUPPLY_WEI,
  startDevChain,
} from './dev-chain.ts'
export { MAX_WARP_SECONDS, warpDevChain } from './dev-time.ts'
export { isRefusal } from './errors.ts'
export { type MarketState, readMarket } from './market-state.ts'
export * from './port.ts'
export { descriptionHash, type Proposal, readProposals, readQueuedShares } from './proposals.ts'
export { createRpcChain, type RpcChainOptions, readChainId } from './rpc-chain.ts'
