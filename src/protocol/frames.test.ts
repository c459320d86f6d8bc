import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHeuristError } from './errors.ts'
import { decodeFrames, encodeFrame, FRAME_HEADER_BYTES } from './frames.ts'
import type { Delta } from './job.ts'

const text = fc.string({ unit: 'binary', maxLength: 60 }).map(value => value.toWellFormed())
const plain = fc.record({ choice: fc.nat(65_535), tokens: fc.nat(65_535), text })
const withIds = fc
  .record({ choice: fc.nat(7), text, tokenIds: fc.array(fc.nat(2 ** 32 - 1), { maxLength: 20 }) })
  .map(delta => ({ ...delta, tokens: delta.tokenIds.length }))
const withTools = fc.record({
  choice: fc.nat(7),
  tokens: fc.nat(9),
  text,
  toolCalls: fc.array(fc.record({ index: fc.nat(4), id: fc.constant('call_1'), name: fc.constant('f'), arguments: text }), {
    minLength: 1,
    maxLength: 3,
  }),
})
const vector = fc
  .float32Array({ minLength: 1, maxLength: 40, noNaN: true })
  .map(embedding => ({ choice: 0, tokens: 0, text: '', embedding }))
/** What a router reads of one generated token at most: 20 alternatives, with bytes. */
const entry = { token: '\u{1f9ea}'.repeat(8), logprob: -12.345678901234567, bytes: Array.from({ length: 32 }, () => 240) }
const logprobsOf = (tokens: number) => Array.from({ length: tokens }, () => ({ ...entry, top_logprobs: Array(20).fill(entry) }))
const delta: fc.Arbitrary<Delta> = fc.oneof(plain, withIds, withTools, vector)
const refused = (bytes: Buffer): boolean => {
  try {
    decodeFrames(bytes)
    return false
  } catch (error) {
    return isHeuristError(error, 'FRAME_MALFORMED')
  }
}

describe('frames', () => {
  test('property: what was encoded is decoded, however many frames share a message', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ channel: fc.nat(2 ** 32 - 1), sequence: fc.nat(2 ** 32 - 1), delta }), { maxLength: 8 }), frames => {
        const message = Buffer.concat(frames.map(frame => encodeFrame(frame.channel, frame.sequence, frame.delta)))
        expect(decodeFrames(message)).toEqual(frames)
      }),
    )
  })

  test('property: a cut message is refused with a typed error', () => {
    const frame = encodeFrame(1, 0, { choice: 0, tokens: 1, text: 'hello', tokenIds: [7] })
    for (let length = 1; length < frame.length; length++) expect(refused(frame.subarray(0, length)), `${length} bytes`).toBe(true)
  })

  test('property: random bytes are decoded or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          decodeFrames(Buffer.from(bytes))
        } catch (error) {
          expect(isHeuristError(error, 'FRAME_MALFORMED')).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('error: a length beyond the message, an unknown kind, more ids than bytes, half a float', () => {
    const header = (kind: number, tokens: number, length: number): Buffer => {
      const buffer = Buffer.alloc(FRAME_HEADER_BYTES)
      buffer.writeUInt8(kind, 8)
      buffer.writeUInt16LE(tokens, 12)
      buffer.writeUInt32LE(length, 14)
      return buffer
    }
    expect(refused(header(0, 1, 0xffff_ffff))).toBe(true)
    expect(refused(header(9, 0, 0))).toBe(true)
    expect(refused(Buffer.concat([header(1, 60_000, 4), Buffer.alloc(4)]))).toBe(true)
    expect(refused(Buffer.concat([header(3, 0, 6), Buffer.alloc(6)]))).toBe(true)
    expect(refused(Buffer.concat([header(2, 0, 2), Buffer.from('{}')]))).toBe(true)
  })

  test('behavior: log-probabilities cost no more to read than their tokens are worth', () => {
    const honest = { choice: 0, tokens: 100, text: 'x', logprobs: logprobsOf(100) }
    expect(decodeFrames(encodeFrame(1, 0, honest))[0]!.delta).toEqual(honest)
    expect(refused(encodeFrame(1, 0, { ...honest, tokens: 99 })), 'more entries than tokens').toBe(true)
    const wide = [{ ...entry, top_logprobs: Array(2_000).fill(entry) }]
    expect(refused(encodeFrame(1, 0, { choice: 0, tokens: 1, text: 'x', logprobs: wide })), 'entries without end').toBe(true)
  })

  test('behavior: one message holds a megabyte of frames, or one frame that is longer', () => {
    const long = encodeFrame(1, 0, { choice: 0, tokens: 1, text: 'x'.repeat(2 ** 20) })
    const short = encodeFrame(1, 1, { choice: 0, tokens: 1, text: 'x' })
    expect(decodeFrames(Buffer.concat([short, long]))).toHaveLength(2)
    expect(refused(Buffer.concat([long, short]))).toBe(true)
  })
})
