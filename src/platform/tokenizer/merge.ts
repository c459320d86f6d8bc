type Pair = { left: number; right: number; score: number; length: number }

/** llama.cpp's order: higher score first, then the pair further left. */
function before(a: Pair, b: Pair): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left)
}

function push(heap: Pair[], pair: Pair): void {
  let i = heap.push(pair) - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!before(pair, heap[parent]!)) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = pair
}

function pop(heap: Pair[]): Pair | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (!top || !last || heap.length === 0) return top
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, last)) break
    heap[i] = heap[child]!
    i = child
  }
  heap[i] = last
  return top
}

/**
 * Joins neighbouring characters of `text`, best score first, until no pair has a score: the common heart of
 * SentencePiece (score of the joined token) and byte-level BPE (minus the rank of the merge). n log n in the text's length.
 */
export function mergeSymbols(text: string, scoreOf: (left: string, right: string) => number | undefined): string[] {
  const symbols = Array.from(text)
  const next = symbols.map((_, i) => (i + 1 < symbols.length ? i + 1 : -1))
  const previous = symbols.map((_, i) => i - 1)
  const heap: Pair[] = []
  const consider = (left: number, right: number): void => {
    if (left < 0 || right < 0) return
    const score = scoreOf(symbols[left]!, symbols[right]!)
    if (score !== undefined) push(heap, { left, right, score, length: symbols[left]!.length + symbols[right]!.length })
  }
  for (let i = 1; i < symbols.length; i++) consider(i - 1, i)
  for (let pair = pop(heap); pair; pair = pop(heap)) {
    const { left, right } = pair
    // Stale: one side was merged away or has grown since the pair was queued.
    if (symbols[left] === '' || symbols[right] === '' || symbols[left]!.length + symbols[right]!.length !== pair.length) continue
    symbols[left] += symbols[right]!
    symbols[right] = ''
    next[left] = next[right]!
    if (next[right]! >= 0) previous[next[right]!] = left
    consider(previous[left]!, left)
    consider(left, next[left]!)
  }
  return symbols.filter(symbol => symbol !== '')
}

/** Words repeat: a 1 KB prompt is encoded several times faster from the cache. Bounded, since texts are not ours. */
const MAX_CACHED_WORDS = 20_000
const MAX_CACHED_WORD_CHARS = 64

/** Remembers the ids of short words; when full, everything is forgotten and learned anew. */
export function withWordCache(encodeWord: (word: string) => number[]): (word: string) => number[] {
  const cache = new Map<string, number[]>()
  return word => {
    if (word.length > MAX_CACHED_WORD_CHARS) return encodeWord(word)
    const known = cache.get(word)
    if (known) return known
    const ids = encodeWord(word)
    if (cache.size >= MAX_CACHED_WORDS) cache.clear()
    cache.set(word, ids)
    return ids
  }
}
