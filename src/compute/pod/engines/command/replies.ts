import { z } from 'zod'

/**
 * What a program may write, one JSON object a line (docs/reference/command-protocol.md). `{"ready": true}` comes first and once;
 * each other line names its job.
 */
const readySchema = z.strictObject({ ready: z.literal(true) })
const id = z.string().min(1).max(100)
const replySchema = z.union([
  z.strictObject({ id, text: z.string() }),
  z.strictObject({ id, data: z.json() }),
  z.strictObject({ id, done: z.literal(true) }),
  z.strictObject({
    id,
    error: z.string().max(2000),
    /** `bad_request`: the input is at fault and no other node would do better. */
    code: z.enum(['bad_request', 'failed']).default('failed'),
    param: z.string().max(100).optional(),
  }),
])
export type Reply =
  | { readonly id: string; readonly text: string }
  | { readonly id: string; readonly done: true }
  | { readonly id: string; readonly error: string; readonly code: 'bad_request' | 'failed'; readonly param?: string | undefined }

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export function isReady(line: string): boolean {
  return readySchema.safeParse(jsonOf(line)).success
}

/** The reply on a line, `data` as one line of JSON text; null when it is none. */
export function parseReply(line: string): Reply | null {
  try {
    const { data: reply } = replySchema.safeParse(jsonOf(line))
    if (!reply) return null
    return 'data' in reply ? { id: reply.id, text: `${JSON.stringify(reply.data)}\n` } : reply
  } catch (error) {
    // Nested deeper than the stack holds.
    if (error instanceof RangeError) return null
    throw error
  }
}
