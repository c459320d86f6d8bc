import { SaxesParser } from 'saxes'
import { messageOf } from '#protocol'

/** An element with its text; attributes are not kept, because nothing that is read here stands in one. */
export type XmlElement = { readonly name: string; readonly children: XmlElement[]; text: string }

/** What a tool writes about 64 GPUs is below all of these; beyond them it is not read to the end. */
const MAX_CHARS = 8 * 2 ** 20
const MAX_DEPTH = 32
const MAX_ELEMENTS = 200_000
const MAX_TEXT_CHARS = 1_000

/**
 * The root element of `text`, or what is wrong with it. Strict, and without entities but the five of XML itself: a document type is passed
 * over, so nothing in it can grow or be fetched.
 */
export function parseXml(text: string): XmlElement | { readonly fault: string } {
  if (text.length > MAX_CHARS) return { fault: `it has ${text.length} characters, more than ${MAX_CHARS}` }
  try {
    const root = readTree(text)
    return root ?? { fault: 'it holds no element' }
  } catch (error) {
    return { fault: messageOf(error).split('\n')[0] ?? 'it is no XML' }
  }
}

function readTree(text: string): XmlElement | null {
  const open: XmlElement[] = []
  let root: XmlElement | null = null
  let count = 0
  const parser = new SaxesParser()
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', ({ name }) => {
    count += 1
    if (open.length >= MAX_DEPTH) throw new Error(`its elements are nested deeper than ${MAX_DEPTH}`)
    if (count > MAX_ELEMENTS) throw new Error(`it has more than ${MAX_ELEMENTS} elements`)
    const element: XmlElement = { name, children: [], text: '' }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('text', piece => {
    const element = open.at(-1)
    if (element && element.text.length < MAX_TEXT_CHARS) element.text += piece.slice(0, MAX_TEXT_CHARS)
  })
  parser.on('closetag', () => void open.pop())
  parser.write(text).close()
  return root
}

export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter(child => child.name === name) ?? []
}

/** Text under a path of names, each time the first; empty when there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string {
  let at: XmlElement | undefined = element
  for (const name of path) at = at?.children.find(child => child.name === name)
  return at?.text.trim() ?? ''
}
