import { HeuristError } from './errors.ts'

/**
 * How a node link travels after the welcome: in batches, numbered from 1 in each direction of a session.
 *
 *   text:   [number, ack, message, …]
 *   binary: u48 number · u48 ack · output frames (frames.ts), little-endian
 *
 * `ack` is the last batch that the sender has taken from the other end. Number 0 carries an ack and nothing else. A text that is one
 * object is outside of the session: the handshake, and `refused`.
 */
export type BatchHead = { readonly number: number; readonly ack: number }

export const BATCH_HEADER_BYTES = 12

/** The batch as it travels; `message` is one JSON text, an array of them, or frames. */
export function encodeBatch(message: Uint8Array | string, { number, ack }: BatchHead): Buffer | string {
  if (typeof message === 'string') return message[0] === '[' ? `[${number},${ack},${message.slice(1)}` : `[${number},${ack},${message}]`
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + message.length)
  batch.writeUIntLE(number, 0, 6)
  batch.writeUIntLE(ack, 6, 6)
  batch.set(message, BATCH_HEADER_BYTES)
  return batch
}

/** An ack without a batch. */
export function encodeAck(ack: number): string {
  return `[0,${ack}]`
}

/** The head of a binary batch. @throws HeuristError FRAME_MALFORMED */
export function decodeBatchHead(batch: Buffer): BatchHead {
  if (batch.length < BATCH_HEADER_BYTES) throw new HeuristError('FRAME_MALFORMED', 'The node sent a binary message without a batch header.')
  return { number: batch.readUIntLE(0, 6), ack: batch.readUIntLE(6, 6) }
}
