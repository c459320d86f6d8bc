import { z } from 'zod'
import { canonicalHash } from './canonical.ts'
import { commandSchema, ISOLATIONS } from './command.ts'
import { type Address, addressSchema, type Bytes32, bytes32Schema, type PodId } from './ids.ts'

const nameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._/-]{0,98}[a-z0-9])?$/, 'must be lower-case letters, digits, ".", "_", "-" or "/", 1 to 100 characters')
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits (sha256)')
/** Nano-credits per 1,000,000 units, as a decimal string in JSON. */
const nanoCreditsSchema = z.union([
  z
    .string()
    .regex(/^\d{1,30}$/)
    .transform(BigInt),
  z.bigint().nonnegative(),
])

export const POD_RUNTIMES = ['llm', 'embedding', 'image', 'agent', 'finetune', 'zk', 'command'] as const
export type PodRuntime = (typeof POD_RUNTIMES)[number]

/** Which engine of a runtime serves the pod; `upstream` forwards to an OpenAI-compatible server beside the node. */
export const ENGINE_NAMES = ['llama', 'use-lite', 'upstream', 'command'] as const
export type EngineName = (typeof ENGINE_NAMES)[number]

const modelSchema = z.strictObject({
  id: z.string().min(1).max(200),
  revision: z.string().min(1).max(100).default('main'),
  sha256: sha256Schema.optional(),
  /** `builtin:<id>` ships with the node, `hf:<owner>/<repo>[/<file>]`, `https://…`, `file:<absolute path>`. */
  source: z.string().regex(/^(builtin:|hf:|https?:\/\/|file:)/, 'must start with builtin:, hf:, http(s):// or file:'),
  bytes: z.number().int().positive().optional(),
  /** Quantisation is part of the pod's identity: the same name at another precision is another pod. */
  quantization: z.string().max(40).default('none'),
  contextLength: z.number().int().positive().default(2048),
  /** Embedding width of an encoder. */
  dimensions: z.number().int().positive().optional(),
})

const resourcesSchema = z.strictObject({
  gpuCount: z.number().int().nonnegative().default(0),
  vramBytes: z.number().int().nonnegative().default(0),
  memoryBytes: z.number().int().nonnegative().default(0),
  minComputeCapability: z.number().nonnegative().default(0),
  fractional: z.enum(['allowed', 'mig', 'forbidden']).default('allowed'),
})

const scalingSchema = z.strictObject({
  min: z.number().int().nonnegative().default(1),
  max: z.number().int().positive().default(100),
  /** Jobs at once that one replica should have; absent: as many as it has slots. */
  target: z.number().positive().optional(),
  /** How long fewer replicas must have been enough before one is unloaded; absent: 5 minutes. */
  scaleDownAfterMs: z.number().int().positive().optional(),
})

const timeoutsSchema = z.strictObject({
  queueMs: z.number().int().positive().default(30_000),
  loadMs: z.number().int().positive().default(120_000),
  firstTokenMs: z.number().int().positive().default(60_000),
  /** Longest silence in the middle of the output, while the client takes it; absent: a minute. */
  betweenTokensMs: z.number().int().positive().optional(),
  totalMs: z.number().int().positive().default(300_000),
})

const specSchema = z
  .strictObject({
    runtime: z.enum(POD_RUNTIMES),
    engine: z.strictObject({
      name: z.enum(ENGINE_NAMES),
      version: z.string().max(40).default(''),
      /** Base URL of an `upstream` engine as seen from the node, e.g. http://127.0.0.1:8000/v1 */
      url: z.url().optional(),
    }),
    /** The weights; of a `command` pod the program's file. */
    model: modelSchema,
    /** sha256 of the tokenizer blob with which the router counts units; without it units are counted by frames only. */
    tokenizerSha256: sha256Schema.optional(),
    /** Only of `command` pods, and all of those have it. */
    command: commandSchema.optional(),
    isolation: z.enum(ISOLATIONS).optional(),
    resources: resourcesSchema.prefault({}),
    scaling: scalingSchema.prefault({}),
    timeouts: timeoutsSchema.prefault({}),
    /** Nano-credits per 1,000,000 input and output units: tokens, or jobs and pieces of 64 bytes of a `command` pod. */
    price: z.strictObject({ input: nanoCreditsSchema, output: nanoCreditsSchema }),
    /** The deployer's share of each payment, in basis points, up to what is governed on chain; absent: all of that. */
    revenueShareBps: z.number().int().min(0).max(2_000).optional(),
  })
  .superRefine(({ runtime, engine, command, isolation }, context) => {
    const isCommand = runtime === 'command'
    const fault = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message })
    if (isCommand !== (engine.name === 'command'))
      fault(['engine', 'name'], 'must be "command" when spec.runtime is "command", and only then')
    if (isCommand && !command) fault(['command'], 'must say what to run when spec.runtime is "command"')
    if (command && isolation === 'container' && !command.image)
      fault(['command', 'image'], 'must name an image when spec.isolation is "container"')
    if (command?.image && isolation !== 'container') fault(['command', 'image'], 'must be left out unless spec.isolation is "container"')
    if (command?.http && command.protocol !== 'http') fault(['command', 'http'], 'must be left out unless spec.command.protocol is "http"')
    if (!isCommand && command) fault(['command'], 'must be left out unless spec.runtime is "command"')
  })

/** `apiVersion: heurist/v1, kind: Pod` (DESIGN §8). Its canonical hash is the pod version's identity on chain. */
export const podManifestSchema = z.strictObject({
  apiVersion: z.literal('heurist/v1'),
  kind: z.literal('Pod'),
  metadata: z.strictObject({ name: nameSchema, description: z.string().max(500).default('') }),
  spec: specSchema,
})
export type PodManifest = z.output<typeof podManifestSchema>

/** keccak256 of the canonical manifest. */
export function manifestHash(manifest: PodManifest): Bytes32 {
  return canonicalHash(manifest)
}

/** One deployed pod as every layer sees it. */
export const podRecordSchema = z.object({
  podId: bytes32Schema,
  name: nameSchema,
  deployer: addressSchema,
  manifest: podManifestSchema,
  manifestHash: bytes32Schema,
  version: z.number().int().positive(),
  createdAtMs: z.number().int().nonnegative(),
})
export type PodRecord = {
  readonly podId: PodId
  readonly name: string
  readonly deployer: Address
  readonly manifest: PodManifest
  readonly manifestHash: Bytes32
  readonly version: number
  readonly createdAtMs: number
}
