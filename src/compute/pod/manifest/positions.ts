import { type Document, isCollection, isMap, isNode, isScalar, LineCounter } from 'yaml'

/** A place in a text as editors count it, from 1. */
export type Position = { readonly line: number; readonly column: number }

/** Offset of the value at `path`, or of its key when `isKey`; of the nearest thing around it when it is not there. */
function offsetAt(document: Document.Parsed, path: readonly PropertyKey[], isKey: boolean): number {
  const parent = document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (isKey && isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last)
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
  }
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    // What is missing is missing from the collection that starts here.
    if (isNode(node) && node.range) return length < path.length && isCollection(node) ? keyOffset(document, path, length) : node.range[0]
  }
  return 0
}

/** Where the collection at the first `length` parts of `path` is named. */
function keyOffset(document: Document.Parsed, path: readonly PropertyKey[], length: number): number {
  return length === 0 ? (document.contents?.range?.[0] ?? 0) : offsetAt(document, path.slice(0, length), true)
}

/** Finds the places that paths name in a text. */
export function createLocator(): {
  readonly counter: LineCounter
  locate(document: Document.Parsed, path: readonly PropertyKey[], isKey: boolean): Position
} {
  const counter = new LineCounter()
  return {
    counter,
    locate(document, path, isKey) {
      const { line, col } = counter.linePos(offsetAt(document, path, isKey))
      return { line: Math.max(1, line), column: Math.max(1, col) }
    },
  }
}
