import type { GgufMetadata } from '../random-model.ts'

/** Test support: vocabularies of small models, so that their tests need no download. */

/** A SentencePiece-like vocabulary of bytes, printable ASCII and a few words; enough to write anything. */
export function smallSpmVocabulary(options: { addSpacePrefix?: boolean; chatTemplate?: string } = {}): {
  size: number
  metadata: GgufMetadata
} {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const chars = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  const words = [
    '▁',
    '▁t',
    'he',
    '▁the',
    'in',
    'ing',
    '▁a',
    '▁an',
    '▁and',
    'é',
    '日',
    'er',
    'st',
    'on',
    '▁st',
    '▁on',
    '\n',
    '":',
    '"}',
    '{"',
  ]
  const tokens = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>', ...bytes, ...chars, ...words]
  const types = [2, 3, 3, 3, 3, ...bytes.map(() => 6), ...chars.map(() => 1), ...words.map(() => 1)]
  const scores = tokens.map((_, id) => (id < 261 + chars.length ? 0 : -(id - 260)))
  return {
    size: tokens.length,
    metadata: {
      'tokenizer.ggml.model': { string: 'llama' },
      'tokenizer.ggml.tokens': { strings: tokens },
      'tokenizer.ggml.token_type': { i32s: types },
      'tokenizer.ggml.scores': { f32s: scores },
      'tokenizer.ggml.bos_token_id': { u32: 1 },
      'tokenizer.ggml.eos_token_id': { u32: 2 },
      'tokenizer.ggml.unknown_token_id': { u32: 0 },
      'tokenizer.ggml.add_space_prefix': { bool: options.addSpacePrefix ?? false },
      ...(options.chatTemplate !== undefined && { 'tokenizer.chat_template': { string: options.chatTemplate } }),
    },
  }
}

/** A byte-level BPE vocabulary: all bytes, merges learned by hand from common English, and one user-defined token. */
export function smallBpeVocabulary(options: { pre: string; byteChars: readonly string[] }): { size: number; metadata: GgufMetadata } {
  const merges = [
    'Ġ t',
    'h e',
    'Ġt he',
    'i n',
    'in g',
    'Ġ a',
    'n d',
    'Ġa nd',
    'e r',
    'Ġ Ġ',
    'ĠĠ ĠĠ',
    '1 2',
    '12 3',
    'Ã ©',
    "' s",
    'Ċ Ċ',
    'l l',
    "' ll",
    'a b',
    'ab c',
    'Ġ abc',
  ]
  const joined = merges.map(merge => merge.replace(' ', ''))
  const special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<tool>']
  const tokens = [...options.byteChars, ...joined, ...special]
  const types = [...options.byteChars.map(() => 1), ...joined.map(() => 1), 3, 3, 3, 4]
  return {
    size: tokens.length,
    metadata: {
      'tokenizer.ggml.model': { string: 'gpt2' },
      'tokenizer.ggml.pre': { string: options.pre },
      'tokenizer.ggml.tokens': { strings: tokens },
      'tokenizer.ggml.token_type': { i32s: types },
      'tokenizer.ggml.merges': { strings: merges },
      'tokenizer.ggml.bos_token_id': { u32: tokens.indexOf('<|endoftext|>') },
      'tokenizer.ggml.eos_token_id': { u32: tokens.indexOf('<|im_end|>') },
    },
  }
}
