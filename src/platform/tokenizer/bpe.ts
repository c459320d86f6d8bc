import { HeuristError } from '#protocol'
import { mergeSymbols, withWordCache } from './merge.ts'
import { BYTE_TO_CHAR, type GgufVocabulary } from './vocabulary.ts'

/** `TOKENIZER_UNSUPPORTED`: the vocabulary's pre-tokenizer is not one that we have. */
export type BpeErrorCode = 'TOKENIZER_UNSUPPORTED'

// `\s` of JavaScript is not Unicode's white space: it lacks U+0085 and has U+FEFF; llama.cpp goes by Unicode.
const CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
const GPT2 = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})/gu
const DIGIT = /\p{N}/gu

function cl100k(digits: string): RegExp {
  return new RegExp(
    `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\p{White_Space}\\p{L}\\p{N}]+[\\r\\n]*|\\p{White_Space}*[\\r\\n]+|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+`,
    'gu',
  )
}

const LLAMA3 = { split: [cl100k('{1,3}')], ignoreMerges: true }
const QWEN2 = { split: [cl100k('')], ignoreMerges: false }
const GPT_2 = { split: [GPT2], ignoreMerges: false }
const STARCODER = { split: [DIGIT, GPT2], ignoreMerges: false }

/** Splitting rules by the name in `tokenizer.ggml.pre`; the patterns are those of the models' published tokenizers. */
const PRE_TOKENIZERS: Readonly<Record<string, { split: readonly RegExp[]; ignoreMerges: boolean }>> = {
  llama3: LLAMA3,
  'llama-v3': LLAMA3,
  'llama-bpe': LLAMA3,
  falcon3: LLAMA3,
  lfm2: LLAMA3,
  dbrx: { split: [cl100k('{1,3}')], ignoreMerges: false },
  smaug: { split: [cl100k('{1,3}')], ignoreMerges: false },
  qwen2: QWEN2,
  stablelm2: QWEN2,
  hunyuan: QWEN2,
  'deepseek-r1-qwen': QWEN2,
  'gpt-2': GPT_2,
  olmo: GPT_2,
  mpt: GPT_2,
  jais: GPT_2,
  starcoder: STARCODER,
  refact: STARCODER,
  'command-r': STARCODER,
  smollm: STARCODER,
  codeshell: STARCODER,
  exaone: STARCODER,
}

/** Cuts every piece at the matches of one pattern; what lies between matches stays a piece. */
function splitBy(pieces: readonly string[], pattern: RegExp): string[] {
  const output: string[] = []
  for (const piece of pieces) {
    let end = 0
    for (const match of piece.matchAll(pattern)) {
      if (match.index > end) output.push(piece.slice(end, match.index))
      if (match[0] !== '') output.push(match[0])
      end = match.index + match[0].length
    }
    if (end < piece.length) output.push(piece.slice(end))
  }
  return output
}

function byteLevel(text: string): string {
  let encoded = ''
  for (const byte of Buffer.from(text)) encoded += BYTE_TO_CHAR[byte]!
  return encoded
}

/** Byte-level BPE by merge rank, the same ids as llama.cpp. @throws HeuristError TOKENIZER_UNSUPPORTED */
export function createBpeEncoder(vocabulary: GgufVocabulary): (text: string) => number[] {
  const rules = PRE_TOKENIZERS[vocabulary.pre]
  if (!rules) {
    throw new HeuristError<BpeErrorCode>(
      'TOKENIZER_UNSUPPORTED',
      `The pre-tokenizer "${vocabulary.pre}" is not supported, so units of this model are counted by the node. Known: ${Object.keys(PRE_TOKENIZERS).join(', ')}.`,
    )
  }
  const ids = new Map(vocabulary.tokens.map((token, id) => [token, id]))
  const ranks = new Map(vocabulary.merges.map((merge, rank) => [merge, rank]))
  const scoreOf = (left: string, right: string): number | undefined => {
    const rank = ranks.get(`${left} ${right}`)
    return rank === undefined ? undefined : -rank
  }
  const encodeWord = (text: string): number[] => {
    const word = byteLevel(text)
    const whole = rules.ignoreMerges ? ids.get(word) : undefined
    if (whole !== undefined) return [whole]
    // A symbol without a token can only be a lone byte that the vocabulary lacks: llama.cpp drops it too.
    return mergeSymbols(word, scoreOf).flatMap(symbol => ids.get(symbol) ?? [...symbol].flatMap(char => ids.get(char) ?? []))
  }
  const cachedEncode = withWordCache(encodeWord)
  return text => {
    let pieces: string[] = [text.toWellFormed()]
    for (const pattern of rules.split) pieces = splitBy(pieces, pattern)
    return pieces.flatMap(cachedEncode)
  }
}
