import { type GgufMetadata, type GgufValue, ggufMalformed } from './gguf.ts'

/** Token kinds of a GGUF vocabulary, by their number in the file. */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** All that a tokenizer needs from a GGUF file: plain data, so that it travels as JSON. */
export type GgufVocabulary = {
  /** `llama`: merges by score with byte fallback (SentencePiece). `gpt2`: byte-level BPE by merge rank. */
  readonly model: 'llama' | 'gpt2'
  /** Name of the pre-tokenizer of a `gpt2` vocabulary. */
  readonly pre: string
  readonly tokens: readonly string[]
  readonly scores: readonly number[]
  readonly types: readonly number[]
  readonly merges: readonly string[]
  readonly bos: number | null
  readonly eos: number | null
  readonly addBos: boolean
  readonly addSpacePrefix: boolean
  readonly chatTemplate: string | null
}

function stringOf(values: GgufMetadata['values'], key: string, fallback: string): string {
  const value = values.get(key)
  return typeof value === 'string' ? value : fallback
}

function arrayOf<T extends GgufValue>(values: GgufMetadata['values'], key: string, is: (value: GgufValue) => value is T): readonly T[] {
  const value = values.get(key)
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every(is)) return ggufMalformed(`${key} is not the list it must be`)
  return value
}

const isString = (value: GgufValue): value is string => typeof value === 'string'
const isNumber = (value: GgufValue): value is number => typeof value === 'number'

function tokenId(values: GgufMetadata['values'], key: string, size: number): number | null {
  const id = values.get(key)
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < size ? id : null
}

/** The vocabulary of a GGUF file. @throws HeuristError GGUF_MALFORMED also for tokenizer models that we do not have */
export function vocabularyOf(metadata: GgufMetadata): GgufVocabulary {
  const { values } = metadata
  const model = stringOf(values, 'tokenizer.ggml.model', '')
  if (model !== 'llama' && model !== 'gpt2') return ggufMalformed(`its tokenizer "${model}" is not one of llama, gpt2`)
  const tokens = arrayOf(values, 'tokenizer.ggml.tokens', isString)
  const types = arrayOf(values, 'tokenizer.ggml.token_type', isNumber)
  const scores = arrayOf(values, 'tokenizer.ggml.scores', isNumber)
  if (tokens.length === 0) ggufMalformed('it has no vocabulary')
  if (types.length > 0 && types.length !== tokens.length) ggufMalformed('it has another number of token types than of tokens')
  if (model === 'llama' && scores.length !== tokens.length) ggufMalformed('it has another number of scores than of tokens')
  const addBos = values.get('tokenizer.ggml.add_bos_token')
  const pre = stringOf(values, 'tokenizer.ggml.pre', 'default')
  return {
    model,
    pre,
    tokens,
    types: tokens.map((token, id) => (END_TOKENS.has(token) ? TOKEN_TYPE.control : (types[id] ?? TOKEN_TYPE.normal))),
    scores: model === 'llama' ? scores : [],
    merges: arrayOf(values, 'tokenizer.ggml.merges', isString),
    bos: tokenId(values, 'tokenizer.ggml.bos_token_id', tokens.length),
    eos: tokenId(values, 'tokenizer.ggml.eos_token_id', tokens.length),
    // Defaults of llama.cpp where the file does not say.
    addBos: typeof addBos === 'boolean' ? addBos : model === 'llama' || LLAMA3_PRE.has(pre),
    addSpacePrefix: model === 'llama' && values.get('tokenizer.ggml.add_space_prefix') !== false,
    chatTemplate: stringOf(values, 'tokenizer.chat_template', '') || null,
  }
}

/** Tokens that end a text by their name, whatever type the file gives them (llama.cpp treats them as control tokens). */
const END_TOKENS: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '</s>',
  '<|eom_id|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '[EOS]',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<eos>',
])

const LLAMA3_PRE: ReadonlySet<string> = new Set([
  'llama3',
  'llama-v3',
  'llama-bpe',
  'falcon3',
  'falcon-h1',
  'pixtral',
  'midm-2.0',
  'lfm2',
  'jina-v5-nano',
])

const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/

/** GPT-2's printable stand-in for every byte: https://github.com/openai/gpt-2/blob/master/src/encoder.py */
export const BYTE_TO_CHAR: readonly string[] = (() => {
  const chars: string[] = []
  let next = 256
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    chars.push(String.fromCodePoint(printable ? byte : next++))
  }
  return chars
})()
const CHAR_TO_BYTE: ReadonlyMap<string, number> = new Map(BYTE_TO_CHAR.map((char, byte) => [char, byte]))

function bytesOfToken(vocabulary: GgufVocabulary, id: number): Uint8Array {
  const piece = vocabulary.tokens[id]!
  const type = vocabulary.types[id]
  if (type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown) return new Uint8Array()
  if (type === TOKEN_TYPE.userDefined) return Buffer.from(piece)
  if (vocabulary.model === 'llama') {
    const byte = type === TOKEN_TYPE.byte ? BYTE_TOKEN.exec(piece) : null
    return byte ? Uint8Array.of(Number.parseInt(byte[1]!, 16)) : Buffer.from(piece.replaceAll('\u2581', ' '))
  }
  const bytes: number[] = []
  for (const char of piece) {
    const byte = CHAR_TO_BYTE.get(char)
    if (byte === undefined) bytes.push(...Buffer.from(char))
    else bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

/** UTF-8 bytes that each token stands for in a text; control tokens stand for none. */
export function tokenBytes(vocabulary: GgufVocabulary): readonly Uint8Array[] {
  return vocabulary.tokens.map((_, id) => bytesOfToken(vocabulary, id))
}
