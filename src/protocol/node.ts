import { z } from 'zod'
import type { RankKeys } from './decision.ts'
import { type Address, bytes32Schema, type NodeId, type PodId } from './ids.ts'

const deviceIdSchema = z.string().min(1).max(120)
/** Jobs at once on a whole device, over all pods on it. */
export const DEVICE_SLOTS = 64
/** GPUs that one group may have. */
export const MAX_GROUP_GPUS = 8

const commonSchema = z.object({
  id: deviceIdSchema,
  name: z.string().max(200),
  /** What pods may use of its memory; of a group, all its GPUs together. */
  memoryBytes: z.number().int().nonnegative(),
  computeCapability: z.number().nonnegative().default(0),
  /** Part of the physical device that this node may use, in basis points. */
  shareBps: z.number().int().min(1).max(10_000).default(10_000),
  /** Jobs at once, over all pods on it. */
  slots: z.number().int().min(1).max(4096).default(DEVICE_SLOTS),
  /**
   * Registration benchmark of what is offered, the share included, in operations per second of the device class's fixed kernel: the
   * device's weight in emission. Null until measured.
   */
  benchmark: z.object({ score: z.number().positive(), kernel: z.string().max(60), measuredAtMs: z.number().int() }).nullable(),
  /** The least that its owner works for: nano-credits per 1,000,000 units. Absent: any price. */
  minNanoCredits: z.number().int().nonnegative().optional(),
  /** How busy it was in the last moments, 0 to 1, whoever used it; absent when nobody measures it. */
  utilization: z.number().min(0).max(1).optional(),
})

/**
 * One thing that computes (wp §2.1.1): the CPU or a share of it, a whole GPU, a MIG instance (own memory, isolated by the hardware), a time
 * slice of a GPU (isolates neither memory nor faults), or a group of GPUs for one pod (tensor parallel).
 */
export const deviceSchema = z.discriminatedUnion('kind', [
  commonSchema.extend({ kind: z.literal('cpu') }),
  commonSchema.extend({ kind: z.literal('gpu') }),
  commonSchema.extend({ kind: z.literal('mig'), parent: deviceIdSchema, profile: z.string().max(40) }),
  commonSchema.extend({ kind: z.literal('slice'), parent: deviceIdSchema }),
  commonSchema.extend({ kind: z.literal('group'), members: z.array(deviceIdSchema).min(2).max(MAX_GROUP_GPUS) }),
])
export type Device = z.output<typeof deviceSchema>
export type DeviceKind = Device['kind']

/** Ids by which the vendor's tools know what a device computes on; empty for the CPU. */
export function gpusOf(device: Device): readonly string[] {
  if (device.kind === 'cpu') return []
  if (device.kind === 'slice') return [device.parent]
  return device.kind === 'group' ? device.members : [device.id]
}

export const REPLICA_STATES = ['cold', 'loading', 'warm', 'draining', 'failed'] as const

/** What a router may ask a node to do with a pod. */
export const REPLICA_ACTIONS = ['load', 'evict'] as const
export type ReplicaAction = (typeof REPLICA_ACTIONS)[number]

/** A pod on a node: loaded or loadable. `unitsPerSecond` is the node's own measurement: it ranks by that until its jobs show less. */
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
  /** Part of the speed that it claims which its jobs bear out, in basis points; all of it until they show less than half. */
  readonly borneOutBps: number
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
