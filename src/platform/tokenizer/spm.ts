import { mergeSymbols, withWordCache } from './merge.ts'
import type { GgufVocabulary } from './vocabulary.ts'

const SPACE = '\u2581'

/** A token may span "x▁" only where words cannot be tokenised one by one. */
function spansWords(tokens: readonly string[]): boolean {
  return tokens.some(token => /[^\u2581]\u2581/u.test(token))
}

/**
 * SentencePiece by scores with byte fallback, the same ids as llama.cpp. Returns the encoder of one piece of text
 * between special tokens; `afterSpecial` says that the piece is first or follows a special token.
 */
export function createSpmEncoder(vocabulary: GgufVocabulary): (text: string, afterSpecial: boolean) => number[] {
  const { tokens, scores } = vocabulary
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const unknown = ids.get('<unk>') ?? 0
  const byteIds = Array.from({ length: 256 }, (_, byte) => {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
    return ids.get(name) ?? ids.get(String.fromCharCode(byte)) ?? unknown
  })
  const scoreOf = (left: string, right: string): number | undefined => {
    const id = ids.get(left + right)
    return id === undefined ? undefined : scores[id]
  }
  const encodeWord = (word: string): number[] => {
    return mergeSymbols(word, scoreOf).flatMap(symbol => ids.get(symbol) ?? [...Buffer.from(symbol)].map(byte => byteIds[byte]!))
  }
  const perWord = !spansWords(tokens)
  const cachedEncode = withWordCache(encodeWord)
  return (text, afterSpecial) => {
    const prefixed = vocabulary.addSpacePrefix && afterSpecial ? ` ${text}` : text
    const escaped = prefixed.toWellFormed().replaceAll(' ', SPACE)
    return perWord ? (escaped.match(WORD) ?? []).flatMap(cachedEncode) : encodeWord(escaped)
  }
}

const WORD = /\u2581*[^\u2581]+|\u2581+/gu
