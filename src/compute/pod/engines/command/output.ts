import { commandOutputUnits, type Delta } from '#protocol'

/** Characters of one piece: a long line must not go out as one frame of megabytes. */
const PIECE_CHARACTERS = 4096

/** Pieces of a text that cut no character in two. */
function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const isPair = (text.codePointAt(start + PIECE_CHARACTERS - 1) ?? 0) > 0xffff
    const end = start + PIECE_CHARACTERS + (isPair ? 1 : 0)
    yield text.slice(start, end)
    start = end
  }
}

/** The longest part of `text` from its start that fits into `bytes` of UTF-8, in whole characters. */
function fitting(text: string, bytes: number): string {
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  let end = bytes
  // 10xxxxxx continues a character.
  while (end > 0 && (encoded[end]! & 0xc0) === 0x80) end--
  return encoded.toString('utf8', 0, end)
}

/** Counts a job's output in units as the router does, and cuts it at its bound. */
export class Output {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get units(): number {
    return commandOutputUnits(this.#bytes)
  }

  /** Deltas of a text, and whether it was cut. */
  add(text: string): { deltas: Delta[]; isCut: boolean } {
    const wellFormed = text.toWellFormed()
    const kept = fitting(wellFormed, this.#maxBytes - this.#bytes)
    const deltas = [...piecesOf(kept)].map(piece => {
      const before = this.units
      this.#bytes += Buffer.byteLength(piece)
      return { choice: 0, tokens: this.units - before, text: piece }
    })
    return { deltas, isCut: kept.length < wellFormed.length }
  }
}
