import { stat } from 'node:fs/promises'
import { type Cursor, ggufMalformed, parseMetadata, readHead, readString, readU32, readU64 } from './gguf.ts'

/** Bytes of a block and how many weights it holds, by the number of a tensor's type: ggml/include/ggml.h, ggml-common.h. */
const BLOCKS: Readonly<Record<number, readonly [bytes: number, weights: number]>> = {
  0: [4, 1],
  1: [2, 1],
  2: [18, 32],
  3: [20, 32],
  6: [22, 32],
  7: [24, 32],
  8: [34, 32],
  10: [84, 256],
  11: [110, 256],
  12: [144, 256],
  13: [176, 256],
  14: [210, 256],
  16: [66, 256],
  17: [74, 256],
  18: [98, 256],
  19: [50, 256],
  20: [18, 32],
  21: [110, 256],
  22: [82, 256],
  23: [136, 256],
  29: [56, 256],
  30: [2, 1],
}
const DEFAULT_ALIGNMENT = 32
const MAX_TENSORS = 65_536
const MAX_DIMENSIONS = 4

/** Where the last byte of a tensor stands, counted from the first weight; of a type that is not known here, where it begins. */
function endOfTensor(cursor: Cursor): number {
  readString(cursor)
  const dimensions = readU32(cursor)
  if (dimensions > MAX_DIMENSIONS) ggufMalformed(`a tensor of ${dimensions} dimensions`)
  let weights = 1
  for (let i = 0; i < dimensions; i++) weights *= Number(readU64(cursor))
  const [bytes, perBlock] = BLOCKS[readU32(cursor)] ?? [0, 1]
  return Number(readU64(cursor)) + (weights / perBlock) * bytes
}

/** Length that the file must have by its own description. */
function lengthOf(cursor: Cursor): number {
  const { tensorCount, values } = parseMetadata(cursor)
  if (tensorCount > MAX_TENSORS) ggufMalformed(`it announces ${tensorCount} tensors`)
  let end = 0
  for (let i = 0; i < tensorCount; i++) end = Math.max(end, endOfTensor(cursor))
  const alignment = Number(values.get('general.alignment') ?? DEFAULT_ALIGNMENT)
  return Math.ceil(cursor.offset / alignment) * alignment + end
}

/** Refuses a file whose weights are cut off, as an interrupted copy leaves it. @throws HeuristError GGUF_MALFORMED */
export async function checkWeights(path: string): Promise<void> {
  const needed = await readHead(path, lengthOf)
  const { size } = await stat(path)
  if (size < needed) ggufMalformed(`it is cut off, ${size} of its ${needed} bytes are here`)
}
