/** Writes small GGUF models with seeded random weights: what the benchmark of a device and tests of the engine run. */

type Value =
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { f32s: readonly number[] }
  | { i32s: readonly number[] }

export type GgufMetadata = Readonly<Record<string, Value>>

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

function f32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeFloatLE(value)
  return buffer
}

function i32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32LE(value)
  return buffer
}

function str(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

function encodeValue(value: Value): Buffer {
  if ('u32' in value) return Buffer.concat([u32(4), u32(value.u32)])
  if ('f32' in value) return Buffer.concat([u32(6), f32(value.f32)])
  if ('bool' in value) return Buffer.concat([u32(7), Buffer.of(value.bool ? 1 : 0)])
  if ('string' in value) return Buffer.concat([u32(8), str(value.string)])
  if ('strings' in value) return Buffer.concat([u32(9), u32(8), u64(value.strings.length), ...value.strings.map(str)])
  if ('f32s' in value) return Buffer.concat([u32(9), u32(6), u64(value.f32s.length), ...value.f32s.map(f32)])
  return Buffer.concat([u32(9), u32(5), u64(value.i32s.length), ...value.i32s.map(i32)])
}

/** Only metadata, no tensors: enough for tokenizers. */
export function ggufBytes(metadata: GgufMetadata, tensors: readonly { name: string; shape: number[]; data: Float32Array }[] = []): Buffer {
  const keys = Object.entries(metadata).map(([key, value]) => Buffer.concat([str(key), encodeValue(value)]))
  let offset = 0
  const infos = tensors.map(({ name, shape, data }) => {
    const info = Buffer.concat([str(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset)])
    offset += Math.ceil(data.byteLength / 32) * 32
    return info
  })
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(keys.length), ...keys, ...infos])
  const padding = (length: number): Buffer => Buffer.alloc((32 - (length % 32)) % 32)
  const body = tensors.flatMap(({ data }) => {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    return [bytes, padding(bytes.length)]
  })
  return Buffer.concat([head, padding(head.length), ...body])
}

/** A Llama of two layers with random weights over the given tokenizer metadata. It babbles, but it is a model. */
export function randomLlamaGguf(
  tokenizer: GgufMetadata,
  options: { vocabularySize: number; contextLength: number; width?: number },
): Buffer {
  const width = options.width ?? 32
  const hidden = 2 * width
  let state = 12_345
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 2 ** 32 - 0.5
  }
  const tensor = (name: string, shape: number[], fill?: number) => {
    const size = shape.reduce((a, b) => a * b, 1)
    return { name: `${name}.weight`, shape, data: Float32Array.from({ length: size }, () => fill ?? random()) }
  }
  const layers = [0, 1].flatMap(layer => [
    tensor(`blk.${layer}.attn_norm`, [width], 1),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map(name => tensor(`blk.${layer}.${name}`, [width, width])),
    tensor(`blk.${layer}.ffn_norm`, [width], 1),
    tensor(`blk.${layer}.ffn_gate`, [width, hidden]),
    tensor(`blk.${layer}.ffn_up`, [width, hidden]),
    tensor(`blk.${layer}.ffn_down`, [hidden, width]),
  ])
  const tensors = [
    tensor('token_embd', [width, options.vocabularySize]),
    ...layers,
    tensor('output_norm', [width], 1),
    tensor('output', [width, options.vocabularySize]),
  ]
  const metadata: Record<string, Value> = {
    'general.architecture': { string: 'llama' },
    'general.name': { string: 'random' },
    'llama.context_length': { u32: options.contextLength },
    'llama.embedding_length': { u32: width },
    'llama.block_count': { u32: 2 },
    'llama.feed_forward_length': { u32: hidden },
    'llama.attention.head_count': { u32: 2 },
    'llama.attention.head_count_kv': { u32: 2 },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
    'llama.rope.dimension_count': { u32: width / 2 },
    'llama.vocab_size': { u32: options.vocabularySize },
    ...tokenizer,
  }
  return ggufBytes(metadata, tensors)
}
