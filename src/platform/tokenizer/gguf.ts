import { open } from 'node:fs/promises'
import { HeuristError } from '#protocol'

/** `GGUF_MALFORMED`: not a GGUF file, truncated, or with lengths that cannot be true. */
export type GgufErrorCode = 'GGUF_MALFORMED'

export type GgufValue = string | number | bigint | boolean | readonly GgufValue[]
export type GgufMetadata = {
  readonly version: number
  readonly tensorCount: number
  readonly values: ReadonlyMap<string, GgufValue>
}

/** The metadata of the largest vocabulary we know (262,144 tokens with merges) is 16 MB. */
const MAX_METADATA_BYTES = 256 * 2 ** 20
const FIRST_READ_BYTES = 2 ** 20
const MAX_KEYS = 65_536
const MAX_ARRAY_DEPTH = 4

/** Internal signal: the buffer ends before the metadata does, so read more of the file. */
const NEED_MORE = Symbol('need more')

export function ggufMalformed(detail: string): never {
  throw new HeuristError<GgufErrorCode>(
    'GGUF_MALFORMED',
    `The model file is not a usable GGUF file: ${detail}. Download it again and compare its sha256.`,
  )
}

/** A place in the beginning of a file that is `limit` bytes long. */
export type Cursor = { readonly bytes: Buffer; offset: number; readonly limit: number }

function take(cursor: Cursor, length: number): number {
  const start = cursor.offset
  if (length > cursor.limit - start) ggufMalformed(`a length of ${length} bytes at offset ${start} goes beyond the file`)
  if (start + length > cursor.bytes.length) throw NEED_MORE
  cursor.offset = start + length
  return start
}

export function readU32(cursor: Cursor): number {
  return cursor.bytes.readUInt32LE(take(cursor, 4))
}

export function readU64(cursor: Cursor): bigint {
  return cursor.bytes.readBigUInt64LE(take(cursor, 8))
}

function readLength(cursor: Cursor): number {
  const length = readU64(cursor)
  if (length > BigInt(MAX_METADATA_BYTES)) ggufMalformed(`a length of ${length} at offset ${cursor.offset - 8} is absurd`)
  return Number(length)
}

export function readString(cursor: Cursor): string {
  const length = readLength(cursor)
  const start = take(cursor, length)
  return cursor.bytes.toString('utf8', start, start + length)
}

function safeInteger(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

const STRING_TYPE = 8
const ARRAY_TYPE = 9
/** Value types by their number in the file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
const SCALARS: Readonly<Record<number, { bytes: number; read: (cursor: Cursor) => GgufValue }>> = {
  0: { bytes: 1, read: cursor => cursor.bytes.readUInt8(take(cursor, 1)) },
  1: { bytes: 1, read: cursor => cursor.bytes.readInt8(take(cursor, 1)) },
  2: { bytes: 2, read: cursor => cursor.bytes.readUInt16LE(take(cursor, 2)) },
  3: { bytes: 2, read: cursor => cursor.bytes.readInt16LE(take(cursor, 2)) },
  4: { bytes: 4, read: readU32 },
  5: { bytes: 4, read: cursor => cursor.bytes.readInt32LE(take(cursor, 4)) },
  6: { bytes: 4, read: cursor => cursor.bytes.readFloatLE(take(cursor, 4)) },
  7: { bytes: 1, read: cursor => cursor.bytes.readUInt8(take(cursor, 1)) !== 0 },
  [STRING_TYPE]: { bytes: 8, read: readString },
  10: { bytes: 8, read: cursor => safeInteger(readU64(cursor)) },
  11: { bytes: 8, read: cursor => safeInteger(cursor.bytes.readBigInt64LE(take(cursor, 8))) },
  12: { bytes: 8, read: cursor => cursor.bytes.readDoubleLE(take(cursor, 8)) },
}

function readArray(cursor: Cursor, depth: number): GgufValue[] {
  if (depth > MAX_ARRAY_DEPTH) ggufMalformed('arrays are nested too deep')
  const type = readU32(cursor)
  const count = readLength(cursor)
  const scalar = SCALARS[type]
  if (!scalar && type !== ARRAY_TYPE) ggufMalformed(`unknown value type ${type}`)
  // Checked before anything is allocated: a count is only believed when the file could hold it.
  const minimumBytes = count * (scalar?.bytes ?? 12)
  if (minimumBytes > cursor.limit - cursor.offset) ggufMalformed(`an array of ${count} values goes beyond the file`)
  if (minimumBytes > cursor.bytes.length - cursor.offset) throw NEED_MORE
  const values: GgufValue[] = new Array(count)
  for (let i = 0; i < count; i++) values[i] = scalar ? scalar.read(cursor) : readArray(cursor, depth + 1)
  return values
}

/** Reads up to the first tensor's description. */
export function parseMetadata(cursor: Cursor): GgufMetadata {
  if (cursor.bytes.toString('latin1', take(cursor, 4), 4) !== 'GGUF') ggufMalformed('it does not start with "GGUF"')
  const version = readU32(cursor)
  if (version !== 2 && version !== 3) ggufMalformed(`version ${version} is not supported (2 and 3 are)`)
  const tensorCount = Number(readU64(cursor))
  const keyCount = readLength(cursor)
  if (keyCount > MAX_KEYS) ggufMalformed(`it announces ${keyCount} metadata keys`)
  const values = new Map<string, GgufValue>()
  for (let i = 0; i < keyCount; i++) {
    const key = readString(cursor)
    const type = readU32(cursor)
    const scalar = SCALARS[type]
    if (!scalar && type !== ARRAY_TYPE) ggufMalformed(`key ${JSON.stringify(key.slice(0, 80))} has the unknown type ${type}`)
    values.set(key, scalar ? scalar.read(cursor) : readArray(cursor, 1))
  }
  return { version, tensorCount, values }
}

function parseWhole<T>(bytes: Buffer, parse: (cursor: Cursor) => T): T {
  try {
    return parse({ bytes, offset: 0, limit: bytes.length })
  } catch (error) {
    if (error === NEED_MORE) ggufMalformed('it is truncated')
    throw error
  }
}

/** Metadata of a GGUF file in memory. @throws HeuristError GGUF_MALFORMED */
export function parseGguf(bytes: Uint8Array): GgufMetadata {
  return parseWhole(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), parseMetadata)
}

/**
 * Metadata of a GGUF file on disk, without its tensors: only as much of the file is read as the metadata takes.
 * @throws HeuristError GGUF_MALFORMED
 */
export function readGguf(path: string): Promise<GgufMetadata> {
  return readHead(path, parseMetadata)
}

/** What `parse` finds at the beginning of a file, of which more is read until that is enough. @throws HeuristError GGUF_MALFORMED */
export async function readHead<T>(path: string, parse: (cursor: Cursor) => T): Promise<T> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    for (let wanted = Math.min(FIRST_READ_BYTES, size); ; wanted = Math.min(wanted * 8, size, MAX_METADATA_BYTES)) {
      const buffer = Buffer.allocUnsafe(wanted)
      const { bytesRead } = await file.read(buffer, 0, wanted, 0)
      const bytes = buffer.subarray(0, bytesRead)
      if (wanted >= Math.min(size, MAX_METADATA_BYTES)) return parseWhole(bytes, parse)
      try {
        return parse({ bytes, offset: 0, limit: size })
      } catch (error) {
        if (error !== NEED_MORE) throw error
      }
    }
  } finally {
    await file.close()
  }
}
