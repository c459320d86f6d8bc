/** Compute nodes and the pods that they run: everything that happens on a supplier's machine. */

export { type NodeKey, openKey } from './node/key.ts'
export { type ComputeNode, createNode, type NodeDependencies, type NodeOptions } from './node/node.ts'
export type { NodeRegistration, Registration } from './node/registration.ts'
export type { NodeCheck, NodeStatus } from './node/status.ts'
export { createEngines } from './pod/engines/index.ts'
export type { Progress as PullProgress } from './pod/lifecycle/download.ts'
export type { ModelErrorCode } from './pod/lifecycle/errors.ts'
export { createModelStore, type FullModelStore, type ModelStore, type ModelStoreOptions } from './pod/lifecycle/model-store.ts'
export type { ModelOffer } from './pod/lifecycle/pull.ts'
export { sourceOfArgument } from './pod/lifecycle/source.ts'
export { type ModelPodOptions, manifestForModel } from './pod/manifest/for-model.ts'
export { type ManifestErrorCode, type ManifestFault, parseManifest } from './pod/manifest/parse.ts'
