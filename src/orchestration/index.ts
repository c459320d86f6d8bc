/** Public face of the orchestration layer. */

export * from './autoscaler/index.ts'
export * from './economy/index.ts'
export * from './keeper/index.ts'
export * from './registry/index.ts'
export type { LinkErrorCode, RouterErrorCode } from './router/errors.ts'
export { type Beacon, createBeacon } from './router/gateways/beacon.ts'
export { createGatewayDoor, type GatewayDoor } from './router/gateways/door.ts'
export { DEFAULT_ROUTER_OPTIONS, type RouterDependencies, type RouterOptions } from './router/options.ts'
export { type Replay, replayDecisions } from './router/replay.ts'
export { createRouter, type Router } from './router/router.ts'
export * from './sequencer/index.ts'
