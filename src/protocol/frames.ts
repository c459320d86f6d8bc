import { z } from 'zod'
import { HeuristError } from './errors.ts'
import { type Delta, tokenLogprobSchema, toolCallDeltaSchema } from './job.ts'
import { MAX_BATCH_BYTES } from './outbox.ts'

/**
 * Output frames of the node link. One WebSocket message holds any number of frames (a node batches what one tick produced):
 *
 *   u32 channel · u32 sequence · u8 kind · u8 choice-high · u16 choice · u16 tokens · u32 length · payload
 *
 * kind 0: payload is UTF-8 text · kind 1: u32 token ids (tokens of them), then UTF-8 text ·
 * kind 2: JSON {text, tokenIds, logprobs, toolCalls} · kind 3: float32 vector. Integers are little-endian.
 * Sequence numbers count up from 0 per channel, so that whoever reads them sees that none is missing (batches.ts keeps it so over a cut).
 */
export const FRAME_HEADER_BYTES = 18
/** JSON that a frame may hold, and what each of its tokens adds: log-probabilities of 20 alternatives with their bytes. */
const FREE_EXTRAS_BYTES = 128 * 1024
const EXTRAS_BYTES_PER_TOKEN = 16 * 1024

export type FrameErrorCode = 'FRAME_MALFORMED'
export type Frame = { readonly channel: number; readonly sequence: number; readonly delta: Delta }

const extrasSchema = z.object({
  text: z.string(),
  tokenIds: z.array(z.number().int().nonnegative()).optional(),
  logprobs: z.array(tokenLogprobSchema).optional(),
  toolCalls: z.array(toolCallDeltaSchema).optional(),
})

function payloadOf(delta: Delta): { kind: number; payload: Buffer } {
  if (delta.embedding) {
    const { buffer, byteOffset, byteLength } = delta.embedding
    return { kind: 3, payload: Buffer.from(buffer, byteOffset, byteLength) }
  }
  if (delta.logprobs || delta.toolCalls) {
    const { text, tokenIds, logprobs, toolCalls } = delta
    return { kind: 2, payload: Buffer.from(JSON.stringify({ text, tokenIds, logprobs, toolCalls })) }
  }
  const text = Buffer.from(delta.text)
  if (!delta.tokenIds || delta.tokenIds.length !== delta.tokens) return { kind: 0, payload: text }
  const ids = Buffer.alloc(4 * delta.tokenIds.length)
  for (let i = 0; i < delta.tokenIds.length; i++) ids.writeUInt32LE(delta.tokenIds[i]!, 4 * i)
  return { kind: 1, payload: Buffer.concat([ids, text]) }
}

/** Bytes of one frame. Concatenate frames to send them in one message. */
export function encodeFrame(channel: number, sequence: number, delta: Delta): Buffer {
  const { kind, payload } = payloadOf(delta)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length)
  frame.writeUInt32LE(channel, 0)
  frame.writeUInt32LE(sequence, 4)
  frame.writeUInt8(kind, 8)
  frame.writeUInt8(0, 9)
  frame.writeUInt16LE(delta.choice, 10)
  frame.writeUInt16LE(delta.tokens, 12)
  frame.writeUInt32LE(payload.length, 14)
  payload.copy(frame, FRAME_HEADER_BYTES)
  return frame
}

function malformed(detail: string): never {
  throw new HeuristError<FrameErrorCode>('FRAME_MALFORMED', `The node sent a malformed output frame: ${detail}.`)
}

function decodeDelta(kind: number, head: { choice: number; tokens: number }, payload: Buffer): Delta {
  if (kind === 0) return { ...head, text: payload.toString('utf8') }
  if (kind === 1) {
    const idBytes = 4 * head.tokens
    if (payload.length < idBytes) malformed('fewer token ids than announced')
    const tokenIds: number[] = []
    for (let i = 0; i < head.tokens; i++) tokenIds.push(payload.readUInt32LE(4 * i))
    return { ...head, text: payload.toString('utf8', idBytes), tokenIds }
  }
  if (kind === 2) return { ...head, ...definedOnly(decodeExtras(payload, head.tokens)) }
  if (kind === 3) return { ...head, text: '', embedding: decodeVector(payload) }
  return malformed(`unknown kind ${kind}`)
}

function definedOnly(extras: z.output<typeof extrasSchema>): Pick<Delta, 'text' | 'tokenIds' | 'logprobs' | 'toolCalls'> {
  const { text, tokenIds, logprobs, toolCalls } = extras
  return {
    text,
    ...(tokenIds && { tokenIds }),
    ...(logprobs && { logprobs }),
    ...(toolCalls && {
      toolCalls: toolCalls.map(({ index, id, name, arguments: args }) => ({
        index,
        ...(id && { id }),
        ...(name && { name }),
        ...(args !== undefined && { arguments: args }),
      })),
    }),
  }
}

/** Says no before the costly check where the number of tokens speaks against it: a token must not cost a router megabytes to read. */
function decodeExtras(payload: Buffer, tokens: number): z.output<typeof extrasSchema> {
  if (payload.length > FREE_EXTRAS_BYTES + EXTRAS_BYTES_PER_TOKEN * tokens)
    malformed(`${payload.length} bytes of extras for ${tokens} tokens`)
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    malformed('extras are not JSON')
  }
  const { logprobs } = Object(value) as { logprobs?: unknown } // cast: any value may be read by key
  if (Array.isArray(logprobs) && logprobs.length > tokens) malformed(`log-probabilities of ${logprobs.length} tokens with ${tokens}`)
  const result = extrasSchema.safeParse(value)
  return result.success ? result.data : malformed('extras have a wrong shape')
}

function decodeVector(payload: Buffer): Float32Array {
  if (payload.length === 0 || payload.length % 4 !== 0) malformed('a vector is not a whole number of float32')
  // Copied: a frame's offset in the message need not be aligned to four bytes.
  return new Float32Array(Uint8Array.from(payload).buffer)
}

/** All frames of one binary message. @throws HeuristError FRAME_MALFORMED */
export function decodeFrames(message: Buffer): Frame[] {
  const frames: Frame[] = []
  let offset = 0
  while (offset < message.length) {
    if (message.length - offset < FRAME_HEADER_BYTES) malformed('truncated header')
    if (offset > MAX_BATCH_BYTES) malformed(`more than ${MAX_BATCH_BYTES} bytes of frames at once`)
    const end = offset + FRAME_HEADER_BYTES + message.readUInt32LE(offset + 14)
    if (end > message.length) malformed('truncated payload')
    const head = { choice: message.readUInt16LE(offset + 10), tokens: message.readUInt16LE(offset + 12) }
    const delta = decodeDelta(message.readUInt8(offset + 8), head, message.subarray(offset + FRAME_HEADER_BYTES, end))
    frames.push({ channel: message.readUInt32LE(offset), sequence: message.readUInt32LE(offset + 4), delta })
    offset = end
  }
  return frames
}
