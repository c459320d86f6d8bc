import { z } from 'zod'

/** How a pod's program is kept from the host and from other pods; absent in a manifest: `bwrap`. */
export const ISOLATIONS = ['none', 'bwrap', 'container'] as const
export type Isolation = (typeof ISOLATIONS)[number]

/** Name of an environment variable of a program. */
export const variableNameSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'must be the name of an environment variable')
const textSchema = z.string().max(4096)

const pathSchema = z
  .string()
  .max(200)
  .regex(/^\/[\x21-\x7e]*$/, 'must be a path that begins with "/", without spaces')

/** `spec.command`: a user's program, served as a pod. It speaks the protocol of docs/reference/command-protocol.md. */
export const commandSchema = z.strictObject({
  /** Program and arguments. It runs in /pod, where the file of `model.source` lies under its own name. */
  run: z.array(textSchema.min(1)).min(1).max(64),
  /** With `isolation: container`, and only then: the image that brings all but the file of `model.source`, by digest. */
  image: z
    .string()
    .max(300)
    .regex(/^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/, 'must be an image by its digest: registry/name@sha256:…')
    .optional(),
  /** What it speaks: lines of JSON on stdin and stdout, or HTTP on the unix socket that $HEURIST_SOCKET names. Absent: `json-lines`. */
  protocol: z.enum(['json-lines', 'http']).optional(),
  /** For `protocol: http`: where jobs are posted (absent: `/`), and what answers a GET with status 200 when the program is well. */
  http: z.strictObject({ path: pathSchema.optional(), health: pathSchema.optional() }).optional(),
  /** Jobs that one running program takes at once. */
  concurrency: z.number().int().min(1).max(64).default(1),
  /** Most bytes of output of one job; a request may ask for fewer. */
  maxOutputBytes: z
    .number()
    .int()
    .min(1)
    .max(64 * 2 ** 20)
    .default(2 ** 20),
  /** `host` asks for the whole network of the node; its owner has to allow it for this pod by name. */
  network: z.enum(['none', 'host']).default('none'),
  environment: z.record(variableNameSchema, textSchema).default({}),
  /** Names of environment variables that the node's owner sets for this pod. The values are never here. */
  secrets: z.array(variableNameSchema).max(32).default([]),
  /** Input of a job that is run at load: when it fails, so does the load. */
  probe: z.json().optional(),
  /** Processes and threads, open files, and the size of /tmp. Memory is `resources.memoryBytes`, or 256 MiB. */
  processes: z.number().int().min(1).max(4096).default(64),
  openFiles: z.number().int().min(16).max(65_536).default(256),
  tmpBytes: z
    .number()
    .int()
    .min(4096)
    .max(16 * 2 ** 30)
    .default(64 * 2 ** 20),
})
export type CommandSpec = z.output<typeof commandSchema>

/** A job of a program is one input unit, and one output unit per started 64 bytes (UTF-8) of its output. */
export const COMMAND_BYTES_PER_UNIT = 64

export function commandOutputUnits(bytes: number): number {
  return Math.ceil(bytes / COMMAND_BYTES_PER_UNIT)
}
