import { z } from 'zod'
import { canonicalHash } from './canonical.ts'
import { type Address, addressSchema, type Bytes32, type JobId, type NodeId } from './ids.ts'

/**
 * Every state of a job and the states it may go to (laws L2, L3). Terminal: `succeeded`, `failed`, `cancelled`.
 * A test walks this table; no other transition exists.
 */
export const JOB_TRANSITIONS = {
  held: ['leased', 'failed', 'cancelled'],
  leased: ['running', 'held', 'failed', 'cancelled'],
  running: ['held', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>
export type JobState = keyof typeof JOB_TRANSITIONS

export function isTerminal(state: JobState): boolean {
  return JOB_TRANSITIONS[state].length === 0
}

export function canMove(from: JobState, to: JobState): boolean {
  return (JOB_TRANSITIONS[from] as readonly JobState[]).includes(to) // cast: the table's literals are job states
}

export const JOB_KINDS = ['chat', 'completion', 'embedding', 'command'] as const
export type JobKind = (typeof JOB_KINDS)[number]

/** The user's request as it passes through: an OpenAI body, or that of a program's job, unchanged. */
export const jobRequestSchema = z.object({ kind: z.enum(JOB_KINDS), body: z.record(z.string(), z.unknown()) })
export type JobRequest = z.output<typeof jobRequestSchema>

export function requestHash(request: JobRequest): Bytes32 {
  return canonicalHash(request)
}

/** What a payer's waiting jobs get of a pod beside those of a payer of weight 1. */
export const payerWeightSchema = z.number().int().min(1).max(100)

/** `heurist: {…}` in a request body (DESIGN §9). Credits are decimal strings or numbers; absent means no limit. */
export const jobPreferencesSchema = z.strictObject({
  max_price_credits: z.number().nonnegative().optional(),
  deadline_ms: z.number().int().min(1).max(3_600_000).optional(),
  on_failure: z.enum(['retry', 'discard']).default('retry'),
  max_attempts: z.number().int().min(1).max(5).default(3),
  /** A node that has sent nothing for so long gets company: a second attempt on another warm node, and whoever sends first has the job. */
  hedge_after_ms: z.number().int().min(1).max(600_000).optional(),
  /** What becomes of a job whose pod is loaded nowhere: it waits for the load, or is refused at once with a time to come back. */
  on_cold: z.enum(['wait', 'refuse']).default('wait'),
  allow_nodes: z.array(addressSchema).max(100).optional(),
  deny_nodes: z.array(addressSchema).max(100).optional(),
  region: z.string().max(40).optional(),
})
export type JobPreferences = z.output<typeof jobPreferencesSchema>

export const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'] as const
export type FinishReason = (typeof FINISH_REASONS)[number]

/** Credits and the asset that backs them, moved together. */
export type CreditPool = {
  /** Atomic units of the asset. */
  readonly amount: bigint
  readonly credits: bigint
}
/** Nano-credits per 1,000,000 units. */
export type UnitPrices = { readonly input: bigint; readonly output: bigint }
/** What the price of one job follows from, besides its units: the pod's prices, and what is held for it. */
export type JobPricing = { readonly prices: UnitPrices; readonly held: CreditPool }

/** Units of a job: prompt tokens and generated tokens (for an encoder only input). */
export type JobUnits = { readonly inputUnits: number; readonly outputUnits: number }

export const tokenLogprobSchema = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.number().int()).nullable(),
  top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.number().int()).nullable() })),
})
export type TokenLogprob = z.output<typeof tokenLogprobSchema>

export const toolCallDeltaSchema = z.object({
  index: z.number().int().nonnegative(),
  id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.string().optional(),
})
/** Part of a tool call: `id` and `name` come first, then pieces of `arguments`. */
export type ToolCallDelta = { readonly index: number; readonly id?: string; readonly name?: string; readonly arguments?: string }

/**
 * One piece of output. `tokens` is the number of generated tokens that it carries (the router's own count adds these up);
 * `tokenIds` are given by engines that know them. `text` may be empty while a multi-byte character is incomplete.
 */
export type Delta = {
  readonly choice: number
  readonly tokens: number
  readonly text: string
  readonly tokenIds?: readonly number[]
  readonly logprobs?: readonly TokenLogprob[]
  readonly toolCalls?: readonly ToolCallDelta[]
  /** One embedding vector; `choice` is its input's index. */
  readonly embedding?: Float32Array
}

/** Final output of one choice; the array over all choices is what `outputHash` commits to. */
export type ChoiceOutput = {
  readonly index: number
  readonly text: string
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly finishReason: FinishReason
  /** keccak256 of the little-endian float32 bytes of an embedding. */
  readonly embeddingHash?: Bytes32
}

export function outputHash(choices: readonly ChoiceOutput[]): Bytes32 {
  return canonicalHash(choices.toSorted((a, b) => a.index - b.index))
}

export const TIMELINE_STEPS = [
  'quoted',
  'held',
  'decided',
  'leased',
  'loading',
  'first_token',
  'done',
  'receipt',
  'discarded',
  'released',
  'retry',
  'batched',
  'settled',
] as const
export type TimelineStep = (typeof TIMELINE_STEPS)[number]
export type TimelineEvent = { readonly step: TimelineStep; readonly atMs: number; readonly detail: Readonly<Record<string, unknown>> }

/** A job as the database, the console and the CLI see it. Amounts are atomic units of `asset`. */
export type JobView = {
  readonly jobId: JobId
  readonly kind: JobKind
  readonly state: JobState
  readonly model: string
  readonly podId: Bytes32
  readonly payer: Address
  readonly frontend: Address
  readonly keyId: string
  readonly nodeId: NodeId | null
  readonly attempts: number
  readonly asset: Address
  readonly maxPrice: bigint
  readonly price: bigint | null
  readonly units: JobUnits | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
  readonly timeline: readonly TimelineEvent[]
}
