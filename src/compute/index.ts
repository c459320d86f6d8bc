/** Compute nodes and the pods that they run: everything that happens on a supplier's machine. */

export { type NodeKey, openKey } from './node/key.ts'
export { type ComputeNode, createNode, type NodeDependencies, type NodeOptions } from './node/node.ts'
export type { NodeRegistration, Registration } from './node/registration.ts'
export type { NodeCheck, NodeStatus } from './node/status.ts'
export { createModelStore, type ModelStore, type ModelStoreOptions } from './pod/lifecycle/model-store.ts'
