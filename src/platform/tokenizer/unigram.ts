import { HeuristError } from '#protocol'
import type { Tokenizer } from './port.ts'

/** `TOKENIZER_CHAT_UNSUPPORTED`: an encoder has no chat. */
export type UnigramErrorCode = 'TOKENIZER_CHAT_UNSUPPORTED'

/** Piece and score, in the order of the ids; the published list has a few pieces without a score, which count as 0. */
export type UnigramVocabulary = readonly (readonly [piece: string, score: number | null])[]

/** The first ids of Universal Sentence Encoder lite are reserved and never match text. */
const RESERVED = 6
const SPACE = '\u2581'
const UNKNOWN = 0
/** How much less likely than the rarest piece an unknown character is (SentencePiece's constant). */
const UNKNOWN_PENALTY = 10

type Node = { readonly next: Map<string, Node>; id: number; score: number }

function buildTrie(vocabulary: UnigramVocabulary): Node {
  const root: Node = { next: new Map(), id: -1, score: 0 }
  for (const [id, [piece, score]] of vocabulary.entries()) {
    if (id < RESERVED) continue
    let node = root
    for (const char of piece) {
      let next = node.next.get(char)
      if (!next) {
        next = { next: new Map(), id: -1, score: 0 }
        node.next.set(char, next)
      }
      node = next
    }
    node.id = id
    node.score = score ?? 0
  }
  return root
}

type Lattice = { readonly scores: Float64Array; readonly from: Int32Array; readonly ids: Int32Array }

/** Best score to every position, with the piece that leads there. Earlier paths win ties. */
function forward(chars: readonly string[], root: Node, unknownScore: number): Lattice {
  const scores = new Float64Array(chars.length + 1).fill(Number.NEGATIVE_INFINITY)
  const from = new Int32Array(chars.length + 1)
  const ids = new Int32Array(chars.length + 1)
  const relax = (start: number, end: number, edge: { id: number; score: number }): void => {
    const score = scores[start]! + edge.score
    if (score <= scores[end]!) return
    scores[end] = score
    from[end] = start
    ids[end] = edge.id
  }
  scores[0] = 0
  for (let start = 0; start < chars.length; start++) {
    let node = root.next.get(chars[start]!)
    const known = node !== undefined && node.id >= 0
    for (let end = start + 1; node; end++) {
      if (node.id >= 0) relax(start, end, node)
      node = end < chars.length ? node.next.get(chars[end]!) : undefined
    }
    if (!known) relax(start, start + 1, { id: UNKNOWN, score: unknownScore })
  }
  return { scores, from, ids }
}

function backward({ from, ids }: Lattice, length: number): number[] {
  const path: number[] = []
  for (let end = length; end > 0; end = from[end]!) path.push(ids[end]!)
  // A run of unknown characters is one unknown token.
  return path.reverse().filter((id, i) => id !== UNKNOWN || path[i - 1] !== UNKNOWN)
}

/**
 * Unigram tokenizer (Kudo 2018, Viterbi over piece scores) of Universal Sentence Encoder lite: NFKC, "▁" for spaces and in front.
 * The ids are those of TensorFlow's own tokenizer for this model (a test compares published cases).
 */
export function createUnigramTokenizer(vocabulary: UnigramVocabulary): Tokenizer {
  const root = buildTrie(vocabulary)
  const unknownScore =
    vocabulary.reduce((least, [, score], id) => (id < RESERVED ? least : Math.min(least, score ?? 0)), 0) - UNKNOWN_PENALTY
  const encode = (text: string): number[] => {
    const normal = text.toWellFormed().normalize('NFKC')
    if (normal === '') return []
    const chars = Array.from(SPACE + normal.replaceAll(' ', SPACE))
    return backward(forward(chars, root, unknownScore), chars.length)
  }
  const noChat = (): never => {
    throw new HeuristError<UnigramErrorCode>(
      'TOKENIZER_CHAT_UNSUPPORTED',
      'This model makes embeddings; it has no chat. Send "input", not "messages".',
    )
  }
  return {
    encode,
    decode: ids =>
      ids
        .map(id => vocabulary[id]?.[0] ?? '\ufffd')
        .join('')
        .replaceAll(SPACE, ' ')
        .replace(/^ /, ''),
    encodePrompt: encode,
    encodeChat: noChat,
    countChat: noChat,
    vocabularySize: vocabulary.length,
  }
}
