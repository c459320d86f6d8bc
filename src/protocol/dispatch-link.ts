import { z } from 'zod'
import { signedDecisionSchema } from './decision.ts'
import { HeuristError } from './errors.ts'
import { addressSchema, bytes32Schema, jobIdSchema } from './ids.ts'
import { FINISH_REASONS, jobPreferencesSchema, jobRequestSchema, payerWeightSchema } from './job.ts'
import { nodeFactsSchema } from './node.ts'
import { nodeLogSchema } from './pod-logs.ts'
import { amountSchema, signedDiscardReceiptSchema, signedReceiptSchema } from './receipt.ts'
import { traceparentSchema } from './trace.ts'

/**
 * The link between a gateway and a router in another process: the shape of `Dispatcher`, as messages. Each job has a channel, a number
 * that the gateway chooses; output travels in the binary frames of frames.ts. Both ends belong to one operator and share a secret.
 */
export const DISPATCH_VERSION = 2
/** Where gateways dial on a router's port. */
export const DISPATCH_PATH = '/gateway'

const count = z.number().int().nonnegative()
const channel = z.number().int().min(0).max(0xffff_ffff)

/** A `JobOrder` on the wire: the router knows the pod by its version's hash. */
const wireOrderSchema = z.object({
  jobId: jobIdSchema,
  podId: bytes32Schema,
  manifestHash: bytes32Schema,
  request: jobRequestSchema,
  requestHash: bytes32Schema,
  seedCommitment: bytes32Schema,
  inputUnits: count,
  payer: addressSchema,
  weight: payerWeightSchema.optional(),
  frontend: addressSchema,
  referredNodes: z.array(addressSchema),
  asset: addressSchema,
  pricing: z.object({
    prices: z.object({ input: amountSchema, output: amountSchema }),
    held: z.object({ amount: amountSchema, credits: amountSchema }),
  }),
  preferences: jobPreferencesSchema,
  totalMs: z.number().positive(),
  traceparent: traceparentSchema.optional(),
})
export type WireOrder = z.output<typeof wireOrderSchema>

/** Text messages from a gateway to a router. */
export const gatewayMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('order'), channel, order: wireOrderSchema }),
  z.object({ type: z.literal('cancel'), channel, reason: z.string() }),
  z.object({ type: z.literal('grant'), channel, tokens: z.number().int().positive() }),
  /** Why the node gets no work; answered by `why` with the same id. */
  z.object({ type: z.literal('why'), id: count, nodeId: addressSchema }),
  /** The logs of a pod's program; answered by `logs` with the same id. */
  z.object({ type: z.literal('logs'), id: count, podId: bytes32Schema, sinceMs: count }),
])
export type GatewayMessage = z.output<typeof gatewayMessageSchema>

const choiceSchema = z.object({
  index: count,
  text: z.string(),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
  finishReason: z.enum(FINISH_REASONS),
  embeddingHash: bytes32Schema.optional(),
})

const nodeViewSchema = z.object({
  nodeId: addressSchema,
  owner: addressSchema.nullable(),
  name: z.string(),
  online: z.boolean(),
  jailed: z.boolean(),
  collateral: amountSchema,
  uptimeBps: count,
  borneOutBps: count,
  busySlots: count,
  connectedAtMs: z.number().nullable(),
  lastSeenAtMs: z.number().nullable(),
  facts: nodeFactsSchema.nullable(),
})

const unitsSchema = z.object({ inputUnits: count, outputUnits: count })

/** Text messages from a router to a gateway. */
export const routerEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('decided'), channel, decision: signedDecisionSchema }),
  z.object({
    type: z.literal('leased'),
    channel,
    lease: z.object({ leaseId: bytes32Schema, nodeId: addressSchema, attempt: count, fencingToken: count }),
  }),
  z.object({ type: z.literal('loading'), channel }),
  z.object({ type: z.literal('retrying'), channel, code: z.string(), message: z.string() }),
  z.object({
    type: z.literal('completed'),
    channel,
    completion: z.object({
      signedReceipt: signedReceiptSchema,
      receiptDigest: bytes32Schema,
      nodeOwner: addressSchema,
      units: unitsSchema,
      choices: z.array(choiceSchema),
    }),
  }),
  z.object({
    type: z.literal('failed'),
    channel,
    failure: z.object({
      code: z.string(),
      message: z.string(),
      retryAfterMs: z.number().nullable(),
      param: z.string().nullable(),
      startedOutput: z.boolean(),
      attempts: count,
      signedDiscard: signedDiscardReceiptSchema,
    }),
  }),
  z.object({ type: z.literal('nodes'), nodes: z.array(nodeViewSchema) }),
  /** A `NodeWhy`, shown as it is. */
  z.object({ type: z.literal('why'), id: count, why: z.unknown() }),
  z.object({ type: z.literal('logs'), id: count, logs: z.array(nodeLogSchema) }),
])
export type RouterEvent = z.output<typeof routerEventSchema>

/** Topics of the bus. It wakes and carries, and is never waited for. */
export const BUS_TOPICS = {
  /** A router says where it is and what it could take: {@link routerBeaconSchema}. */
  router: 'router',
  /** The pods in the database or on chain have changed. */
  pods: 'pods',
  /** Receipts were committed; the payload is how many. */
  receipts: 'receipts',
} as const

/** What a router has for one pod. */
const podSummarySchema = z.object({
  podId: bytes32Schema,
  warm: count,
  loading: count,
  replicas: count,
  freeSlots: count,
  queued: count,
  /** What its autoscaler wants, and may have of the `places` that its nodes have; null before it has looked. */
  scale: z.object({ desired: count, limit: count, places: count, ceiling: count.nullable() }).nullable(),
})
export type PodSummary = z.output<typeof podSummarySchema>

/** A router's word about itself, every half second, in as many parts as the bus needs; parts of one round belong together. */
export const routerBeaconSchema = z.object({
  instance: z.string().min(1),
  /** Where gateways dial. */
  url: z.url(),
  /** Where nodes dial. */
  nodeUrl: z.url(),
  round: count,
  /** It takes no new jobs: it is about to stop. */
  draining: z.boolean(),
  /** Devices of its nodes: what votes divide among pods. */
  devices: count,
  pods: z.array(podSummarySchema),
})
export type RouterBeacon = z.output<typeof routerBeaconSchema>

/** `DISPATCH_MALFORMED`: a message between gateway and router that does not parse; both are ours, so it is a defect or another version. */
export type DispatchErrorCode = 'DISPATCH_MALFORMED'

function parseAll<T>(text: string, schema: z.ZodType<T>): T[] {
  try {
    const value: unknown = JSON.parse(text)
    return (Array.isArray(value) ? value : [value]).map(member => schema.parse(member))
  } catch (cause) {
    throw new HeuristError<DispatchErrorCode>('DISPATCH_MALFORMED', 'A message between gateway and router does not parse.', { cause })
  }
}

/** The messages of one text. @throws HeuristError DISPATCH_MALFORMED */
export function parseGatewayMessages(text: string): GatewayMessage[] {
  return parseAll(text, gatewayMessageSchema)
}

/** The messages of one text. @throws HeuristError DISPATCH_MALFORMED */
export function parseRouterEvents(text: string): RouterEvent[] {
  return parseAll(text, routerEventSchema)
}
