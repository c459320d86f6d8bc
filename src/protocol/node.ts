import { z } from 'zod'
import type { RankKeys } from './decision.ts'
import { type Address, bytes32Schema, type NodeId, type PodId } from './ids.ts'

export const DEVICE_KINDS = ['cpu', 'gpu', 'mig', 'slice', 'group'] as const

/** One thing that computes: a whole GPU, a MIG instance, a time slice, a GPU group, or the CPU (wp §2.1.1). */
export const deviceSchema = z.object({
  id: z.string().min(1).max(120),
  kind: z.enum(DEVICE_KINDS),
  name: z.string().max(200),
  memoryBytes: z.number().int().nonnegative(),
  computeCapability: z.number().nonnegative().default(0),
  /** Part of the physical device that this node may use, in basis points. */
  shareBps: z.number().int().min(1).max(10_000).default(10_000),
  /** Registration benchmark in operations per second of the device class's fixed kernel; null until measured. */
  benchmark: z.object({ score: z.number().positive(), kernel: z.string().max(60), measuredAtMs: z.number().int() }).nullable(),
  /** How busy it was in the last moments, 0 to 1, whoever used it; absent when nobody measures it. */
  utilization: z.number().min(0).max(1).optional(),
})
export type Device = z.output<typeof deviceSchema>

export const REPLICA_STATES = ['cold', 'loading', 'warm', 'draining', 'failed'] as const

/** What a router may ask a node to do with a pod. */
export const REPLICA_ACTIONS = ['load', 'evict'] as const
export type ReplicaAction = (typeof REPLICA_ACTIONS)[number]

/** A pod on a node: loaded or loadable. `unitsPerSecond` is the node's own measurement, used as a rank key after bucketing. */
export const replicaSchema = z.object({
  podId: bytes32Schema,
  manifestHash: bytes32Schema,
  deviceId: z.string().max(120),
  state: z.enum(REPLICA_STATES),
  slots: z.number().int().nonnegative().max(4096),
  unitsPerSecond: z.number().nonnegative(),
  reason: z.string().max(300).optional(),
})
export type Replica = z.output<typeof replicaSchema>

export const nodeFactsSchema = z.object({
  name: z.string().max(60),
  software: z.string().max(60),
  region: z.string().max(40).default(''),
  devices: z.array(deviceSchema).min(1).max(64),
  replicas: z.array(replicaSchema).max(256),
})
export type NodeFacts = z.output<typeof nodeFactsSchema>

/** What the chain says about a node (NodeRegistry). */
export type NodeStanding = {
  readonly nodeId: NodeId
  readonly owner: Address
  /** HEU wei that the node can lose, what is unbonding included. */
  readonly collateral: bigint
  /** HEU wei of the collateral that is not leaving, and restaked ETH as HEU wei: together they must reach the floor. */
  readonly bonded: bigint
  readonly restaked: bigint
  /** HEU wei that Appendix A, or the registry's minimum, asks of the node (DESIGN §7.4). */
  readonly floor: bigint
  readonly covered: boolean
  readonly registered: boolean
  readonly jailed: boolean
  readonly exiting: boolean
  readonly votes: bigint
}

/** One node as the console and the CLI show it. */
export type NodeView = {
  readonly nodeId: NodeId
  readonly owner: Address | null
  readonly name: string
  readonly online: boolean
  readonly jailed: boolean
  readonly collateral: bigint
  readonly uptimeBps: number
  readonly busySlots: number
  readonly connectedAtMs: number | null
  readonly lastSeenAtMs: number | null
  readonly facts: NodeFacts | null
}

/** How a node stands for one pod it hosts. */
export type PodWhy = {
  readonly podId: PodId
  /** It may get a job of the pod now. */
  readonly eligible: boolean
  /** The filter's reasons, whatever the job. */
  readonly refusals: readonly string[]
  readonly freeSlots: number
  readonly keys: RankKeys
  /** Nodes with a free slot that go before it, and that tie with it. */
  readonly ahead: number
  readonly equals: number
  /** The first of those ahead, and the priority that puts it there. */
  readonly best: { readonly nodeId: NodeId; readonly keys: RankKeys } | null
  readonly behindBy: 'warm' | 'efficiency' | 'votes' | 'uptime' | null
  readonly fixes: readonly string[]
}

/** Why a node gets no work: `GET /v1/nodes/{id}/why`. */
export type NodeWhy = {
  readonly nodeId: NodeId
  readonly linked: boolean
  readonly refusals: readonly string[]
  readonly fixes: readonly string[]
  readonly pods: readonly PodWhy[]
}
