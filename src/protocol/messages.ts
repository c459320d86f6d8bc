import { z } from 'zod'
import type { BatchHead } from './batches.ts'
import type { GatewayMessage, RouterEvent } from './dispatch-link.ts'
import { HeuristError } from './errors.ts'
import { addressSchema, bytes32Schema, jobIdSchema, signatureSchema } from './ids.ts'
import { FINISH_REASONS, jobRequestSchema } from './job.ts'
import { jsonText } from './json.ts'
import { MAX_SIGNED_LEASES, readHotMessage } from './link-checks.ts'
import { nodeFactsSchema, REPLICA_ACTIONS } from './node.ts'
import { podRecordSchema } from './pod.ts'
import { logLinesSchema } from './pod-logs.ts'
import { receiptSchema } from './receipt.ts'
import { traceparentSchema } from './trace.ts'

/** Version of the node link. A router refuses another one with `LINK_VERSION` and says both numbers. */
export const LINK_VERSION = 5
/** Largest message either side accepts, in bytes. */
export const LINK_MAX_FRAME_BYTES = 8 * 1024 * 1024

/** Longest name of a request's member that travels with a failure. */
export const MAX_PARAM_CHARS = 100

/** The session that a node comes back to after a cut. */
const resumeSchema = z.object({
  sessionId: z.string().min(1).max(64),
  /** Grows with each try of the node, so that an older connection can not push a newer one aside. */
  generation: z.number().int().positive(),
  /** Last batch of the router that the node has. */
  received: z.number().int().nonnegative(),
})
export type LinkResume = z.output<typeof resumeSchema>

const leaseRef = { leaseId: bytes32Schema, fencingToken: z.number().int().positive() }

/** Text messages from a node to its router. Output travels in binary frames (frames.ts). */
export const nodeMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), linkVersion: z.number().int(), nodeId: addressSchema, chainId: z.number().int() }),
  z.object({
    type: z.literal('authenticate'),
    nonce: bytes32Schema,
    signature: signatureSchema,
    facts: nodeFactsSchema,
    resume: resumeSchema.optional(),
  }),
  z.object({ type: z.literal('facts'), facts: nodeFactsSchema }),
  z.object({ type: z.literal('heartbeat'), sentAtMs: z.number().int() }),
  z.object({ type: z.literal('phase'), ...leaseRef, phase: z.enum(['loading', 'running']) }),
  z.object({
    type: z.literal('done'),
    ...leaseRef,
    outputHash: bytes32Schema,
    /** The node's own count; advisory. */
    inputUnits: z.number().int().nonnegative(),
    outputUnits: z.number().int().nonnegative(),
    finish: z.array(z.object({ index: z.number().int().nonnegative(), reason: z.enum(FINISH_REASONS) })).max(2048),
  }),
  z.object({
    type: z.literal('failed'),
    ...leaseRef,
    code: z.string().max(60),
    message: z.string().max(1000),
    /** False when the request itself is at fault (another node would fail the same way). */
    retryable: z.boolean(),
    /** Member of the request that is at fault, in OpenAI's notation. */
    param: z.string().max(MAX_PARAM_CHARS).optional(),
  }),
  z.object({
    type: z.literal('signed'),
    /** Whose receipts, with their digests: the group that `signature` is over (signed-group.ts), in this order. */
    leases: z
      .array(z.object({ ...leaseRef, digest: bytes32Schema }))
      .min(1)
      .max(MAX_SIGNED_LEASES),
    signature: signatureSchema,
  }),
  /** Answers the router's `logs` with the same id. */
  z.object({ type: z.literal('logs'), id: z.number().int().nonnegative(), lines: logLinesSchema }),
  z.object({ type: z.literal('declined'), ...leaseRef, reason: z.string().max(500) }),
])
export type NodeMessage = z.output<typeof nodeMessageSchema>

const deadlinesSchema = z.object({
  queueMs: z.number().int().positive(),
  loadMs: z.number().int().positive(),
  firstTokenMs: z.number().int().positive(),
  totalMs: z.number().int().positive(),
})
export type LeaseDeadlines = z.output<typeof deadlinesSchema>

/** Text messages from a router to a node. */
export const routerMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('challenge'),
    linkVersion: z.number().int(),
    router: addressSchema,
    chainId: z.number().int(),
    settlement: addressSchema,
    nonce: bytes32Schema,
    expiresAtMs: z.number().int(),
  }),
  z.object({
    type: z.literal('welcome'),
    /** Of the session that goes on, when it is the one that the node asked for. */
    sessionId: z.string().min(1).max(64),
    /** Last batch of the node that the router has of this session. */
    received: z.number().int().nonnegative(),
    /** How long a session with leases outlives its connection, in ms. */
    resumeMs: z.number().int().nonnegative(),
    signature: signatureSchema,
    heartbeatIntervalMs: z.number().int().positive(),
    pods: z.array(podRecordSchema),
  }),
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
  z.object({ type: z.literal('pods'), pods: z.array(podRecordSchema) }),
  /** Load one more replica of the pod, or unload one that is idle. A wish: the node's owner and its devices have the last word. */
  z.object({ type: z.literal('scale'), podId: bytes32Schema, action: z.enum(REPLICA_ACTIONS) }),
  /** What the pod's program wrote to stderr after `sinceMs`, by the node's clock. */
  z.object({
    type: z.literal('logs'),
    id: z.number().int().nonnegative(),
    podId: bytes32Schema,
    sinceMs: z.number().int().nonnegative(),
  }),
  z.object({
    type: z.literal('lease'),
    ...leaseRef,
    jobId: jobIdSchema,
    attempt: z.number().int().positive(),
    podId: bytes32Schema,
    manifestHash: bytes32Schema,
    /** Number by which binary frames of this lease are told apart on the link. */
    channel: z.number().int().min(0).max(0xffff_ffff),
    /** Tokens that the node may send before it waits for `credit`. */
    creditTokens: z.number().int().positive(),
    deadlines: deadlinesSchema,
    request: jobRequestSchema,
    requestHash: bytes32Schema,
    /** The caller's W3C trace context; a node without it traces by the job's id. */
    traceparent: traceparentSchema.optional(),
  }),
  z.object({ type: z.literal('credit'), channel: z.number().int().nonnegative(), tokens: z.number().int().positive() }),
  z.object({ type: z.literal('cancel'), ...leaseRef, reason: z.string().max(200) }),
  z.object({ type: z.literal('sign'), ...leaseRef, receipt: receiptSchema }),
])
export type RouterMessage = z.output<typeof routerMessageSchema>

/** `LINK_MALFORMED`: not JSON, unknown type, or a field out of its bounds. */
export type MessageErrorCode = 'LINK_MALFORMED'

/** Most messages of one text. Far more than one turn brings; an array of empty objects must not become millions of checks. */
const MAX_BATCH = 10_000

function malformed(from: string, detail: string, cause?: unknown): HeuristError<MessageErrorCode> {
  return new HeuristError('LINK_MALFORMED', `The ${from} sent ${detail}.`, { cause })
}

/** One text of a link: a batch of messages, or one message outside of the session (`head` is null). */
export type LinkText<T> = {
  readonly head: BatchHead | null
  /** Checks them. @throws HeuristError LINK_MALFORMED */
  messages(): T[]
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0 // cast: an integer, just checked

function valuesOf(text: string, from: string): { head: BatchHead | null; values: unknown[] } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw malformed(from, 'a message that is not JSON', cause)
  }
  if (!Array.isArray(value)) return { head: null, values: [value] }
  const [number, ack, ...values] = value as unknown[] // cast: an array, just checked
  if (!isCount(number) || !isCount(ack)) throw malformed(from, 'a batch without its number')
  if ((number === 0) !== (values.length === 0) || values.length > MAX_BATCH) throw malformed(from, `${values.length} messages at once`)
  return { head: { number, ack }, values }
}

function checkWith<T>(schema: z.ZodType<T>, value: unknown, from: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw malformed(from, `a malformed message: ${issue?.path.join('.')} ${issue?.message}`)
}

/** @throws HeuristError LINK_MALFORMED */
export function readNodeText(text: string): LinkText<NodeMessage> {
  const { head, values } = valuesOf(text, 'node')
  return { head, messages: () => values.map(value => readHotMessage(value) ?? checkWith(nodeMessageSchema, value, 'node')) }
}

/** @throws HeuristError LINK_MALFORMED */
export function readRouterText(text: string): LinkText<RouterMessage> {
  const { head, values } = valuesOf(text, 'router')
  return { head, messages: () => values.map(value => checkWith(routerMessageSchema, value, 'router')) }
}

/** JSON with bigints as decimal strings; the parsers read it back. */
export function encodeMessage(message: NodeMessage | RouterMessage | GatewayMessage | RouterEvent): string {
  return jsonText(message)
}
